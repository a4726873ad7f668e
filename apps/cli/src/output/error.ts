import { describeError, nextStepOf, type Reason, RefusedByRules, XenOperationError } from '@xenpt/qmp-sdk/xen';
import { formatReason } from './overrides.js';
import type { Style } from './style.js';

export interface ErrorDescription {
  readonly code: string;
  readonly message: string;
  readonly cause: string | null;
  readonly next: string | null;
  readonly step?: string;
  readonly outcome?: string;
  readonly leftovers?: readonly string[];
  /** The rules that call a device not assignable. */
  readonly reasons?: readonly Reason[];
}

/** What a program is told about a failure; `--json` prints it as `error`. */
export function describeFailure(error: unknown): ErrorDescription {
  if (!(error instanceof Error)) return { code: 'XENPT_INTERNAL', message: String(error), cause: null, next: null };
  const { code } = error as { code?: unknown };
  const message = describeError(error);
  const cause = error.cause === undefined ? null : describeError(error.cause);
  return {
    code: typeof code === 'string' ? code : 'XENPT_INTERNAL',
    message,
    cause: cause === message ? null : cause,
    next: nextStepOf(error) ?? null,
    ...(error instanceof XenOperationError
      ? {
          ...(error.step === undefined ? {} : { step: error.step }),
          outcome: error.outcome,
          leftovers: error.leftovers,
        }
      : {}),
    ...(error instanceof RefusedByRules ? { reasons: error.reasons } : {}),
  };
}

/** What a person is told: what failed, why, what is left, what to do. */
export function formatFailure(error: unknown, style: Style, debug: boolean): string {
  const { message, cause, next, leftovers = [], outcome, reasons = [] } = describeFailure(error);
  const lines = [`${style.error('xenpt:')} ${message}`];
  if (cause !== null && !message.includes(cause)) lines.push(`  why:  ${cause}`);
  lines.push(...reasons.flatMap(formatReason));
  if (outcome === 'rolled-back') lines.push('  done: everything before it was undone');
  for (const leftover of leftovers) lines.push(`  left: ${leftover}`);
  if (next !== null && !message.includes(next)) lines.push(`  next: ${next}`);
  if (debug && error instanceof Error) lines.push('', formatStack(error));
  return `${lines.join('\n')}\n`;
}

function formatStack(error: Error): string {
  const own = error.stack ?? error.message;
  return error.cause instanceof Error ? `${own}\ncaused by: ${formatStack(error.cause)}` : own;
}
