import { Core, type CoreBuild } from '../src/index.js';

/** Every kernel test runs on both: the release build has lost its assertions and gone through an optimiser. */
export const builds: readonly CoreBuild[] = ['release', 'debug'];

/** A page of a fixed pattern on either side of what a test puts between. */
export const GUARD_BYTES = 4096;

/**
 * What `use` reserves lies between two guards. `changed()` gives the addresses of bytes outside it that are not as
 * they were when `use` returned: its own, the guards, and all the rest of linear memory.
 */
export function guarded<Result>(core: Core, use: () => Result): { result: Result; changedOutside: () => number[] } {
  const before = core.allocate(GUARD_BYTES);
  const result = use();
  const after = core.allocate(GUARD_BYTES);
  const memory = new Uint8Array(core.memory.buffer);
  memory.fill(0xa5, before, before + GUARD_BYTES);
  memory.fill(0xa5, after, after + GUARD_BYTES);
  const low = memory.slice(0, before + GUARD_BYTES);
  const high = memory.slice(after);
  return {
    result,
    changedOutside() {
      const now = Buffer.from(core.memory.buffer);
      if (now.subarray(0, low.length).equals(low) && now.subarray(after).equals(high)) return [];
      return [...now.keys()].filter((address) => {
        if (address < low.length) return now[address] !== low[address];
        return address >= after && now[address] !== high[address - after];
      });
    },
  };
}
