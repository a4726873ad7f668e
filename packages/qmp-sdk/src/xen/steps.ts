import { describeError, nextStepOf, XenErrorCode, XenOperationError } from './errors.js';

interface Done {
  readonly name: string;
  readonly undo: () => void | Promise<void>;
}

/** The step in which an action failed, kept beside what it threw. */
class StepFailure extends Error {
  readonly step: string;

  constructor(step: string, cause: unknown) {
    super(step, { cause });
    this.step = step;
  }
}

/** Told of each step as it begins, in words: `unbind from e1000e`. */
export type OnStep = (step: string) => void;

/** Told when a step is about to begin and when it has ended, for tests: see `XenHost.faultPoint`. */
export type FaultPoint = (point: string) => void | Promise<void>;

interface StepOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onStep?: OnStep | undefined;
  readonly faultPoint?: FaultPoint | undefined;
}

/** A sequence of effects, each with its opposite. */
export class Steps {
  readonly #done: Done[] = [];
  readonly #signal: AbortSignal | undefined;
  readonly #onStep: OnStep | undefined;
  readonly #faultPoint: FaultPoint | undefined;

  constructor({ signal, onStep, faultPoint }: StepOptions = {}) {
    this.#signal = signal;
    this.#onStep = onStep;
    this.#faultPoint = faultPoint;
  }

  /**
   * Performs one step. `undo` is called with what `action` returned if a later step fails; an action that throws has
   * done nothing or has put back what it did.
   */
  async run<T>(name: string, action: () => T | Promise<T>, undo?: (result: T) => void | Promise<void>): Promise<T> {
    if (this.#signal?.aborted) {
      throw new StepFailure(
        name,
        new XenOperationError(XenErrorCode.aborted, 'interrupted before this step', { next: 'Run it again.' }),
      );
    }
    this.#onStep?.(name);
    await this.#faultPoint?.(`${name}:before`);
    let result: T;
    try {
      result = await action();
    } catch (error) {
      throw new StepFailure(name, error);
    }
    await this.#faultPoint?.(`${name}:after`);
    if (undo) this.#done.push({ name, undo: () => undo(result) });
    return result;
  }

  /**
   * As `run`, for an `undo` that looks at what is before it changes anything: it is called too when the action itself
   * has failed, since half of it may have happened.
   */
  async guard(name: string, action: () => Promise<void>, undo: () => void): Promise<void> {
    await this.run(
      name,
      () => Promise.resolve(),
      () => undo(),
    );
    try {
      await action();
    } catch (error) {
      throw new StepFailure(name, error);
    }
  }

  /** Undoes everything in reverse. Goes on after a failure; returns one sentence for each. */
  async rollback(): Promise<string[]> {
    const failures: string[] = [];
    for (const { name, undo } of this.#done.reverse()) {
      try {
        await this.#faultPoint?.(`undo ${name}`);
        await undo();
      } catch (error) {
        failures.push(`not undone: ${name} (${describeError(error)})`);
      }
    }
    this.#done.length = 0;
    return failures;
  }
}

/** Says what a known cause means; undefined leaves the general sentence. */
export type Explain = (
  cause: unknown,
) => { readonly code: XenErrorCode; readonly message: string; readonly next: string } | undefined;

/**
 * Runs `work`; when it fails, undoes its steps in reverse.
 *
 * @throws XenOperationError naming the step, the cause and the next step. Its `outcome` is `rolled-back`, or
 * `incomplete` with what could not be undone in `leftovers`.
 */
export async function withRollback<T>(
  what: string,
  options: StepOptions & { readonly explain?: Explain },
  work: (steps: Steps) => Promise<T>,
): Promise<T> {
  const steps = new Steps(options);
  try {
    return await work(steps);
  } catch (error) {
    const leftovers = await steps.rollback();
    throw operationError(what, error, leftovers, options.explain);
  }
}

function operationError(what: string, error: unknown, leftovers: string[], explain?: Explain): XenOperationError {
  const step = error instanceof StepFailure ? error.step : undefined;
  const cause = error instanceof StepFailure ? error.cause : error;
  const known = explain?.(cause) ?? (cause instanceof XenOperationError ? cause : undefined);
  const incomplete = leftovers.length > 0;
  const reason = known?.message ?? describeError(cause);
  return new XenOperationError(
    incomplete ? XenErrorCode.incomplete : (known?.code ?? XenErrorCode.stepFailed),
    `${what}: ${step === undefined ? '' : `the step "${step}" failed: `}${reason}`,
    {
      cause,
      ...(step === undefined ? {} : { step }),
      outcome: incomplete ? 'incomplete' : 'rolled-back',
      leftovers,
      next: incomplete
        ? 'Undo by hand what is listed, or destroy the domain; then try again.'
        : (known?.next ?? nextStepOf(cause) ?? 'Remove the cause and run the command again.'),
    },
  );
}
