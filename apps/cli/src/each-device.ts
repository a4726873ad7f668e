import type { VerbContext } from './verb.js';

/** One device failed after others were done; what was done stays done and is reported. */
export class PartlyDone extends Error {
  readonly done: readonly object[];

  constructor(done: readonly object[], cause: unknown) {
    super('only some of the devices were done', { cause });
    this.name = 'PartlyDone';
    this.done = done;
  }
}

/** Takes the devices one after another and stops at the first that fails. */
export async function eachDevice<T extends object>(
  { signal }: VerbContext,
  devices: readonly string[],
  operation: (device: string) => Promise<T>,
): Promise<T[]> {
  const done: T[] = [];
  for (const device of devices) {
    try {
      signal.throwIfAborted();
      done.push(await operation(device));
    } catch (error) {
      if (done.length === 0) throw error;
      throw new PartlyDone(done, error);
    }
  }
  return done;
}
