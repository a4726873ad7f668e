import { describe, expect, test } from 'vitest';
import { Core, CoreError, CoreRangeError, CoreTypeError, MessageTable, type CoreBuild } from '../src/index.js';
import { builds } from './builds.js';

const MEBIBYTE = 1024 * 1024;

function caught(run: () => unknown): unknown {
  try {
    run();
  } catch (error) {
    return error;
  }
  return undefined;
}

describe('Core', () => {
  test('is the release build unless asked otherwise', () => {
    expect(new Core().build).toBe('release');
    expect(new Core({ build: 'debug' }).build).toBe('debug');
  });

  test.each(['Release', '', 'toString', '__proto__', 42])('build %j is refused', (build) => {
    expect(() => new Core({ build: build as CoreBuild })).toThrow(CoreTypeError);
  });

  describe.each(builds)('%s build', (build) => {
    test('storage is aligned, apart and above what the module itself uses', () => {
      const core = new Core({ build });
      const sizes = [1, 16, 17, 4096, 3];
      let end = core.kernels.heapBase();
      for (const sizeBytes of sizes) {
        const address = core.allocate(sizeBytes);
        expect(address % 16).toBe(0);
        expect(address).toBeGreaterThanOrEqual(end);
        expect(address - end).toBeLessThan(16);
        end = address + sizeBytes;
      }
    });

    test('memory grows by what is missing, keeps its contents and hands out zeros', () => {
      const core = new Core({ build });
      expect(core.memory.buffer.byteLength).toBe(65_536);
      const first = core.allocate(4);
      new Uint8Array(core.memory.buffer)[first] = 42;
      const second = core.allocate(200_000);
      const memory = new Uint8Array(core.memory.buffer);
      expect(memory.length).toBe(4 * 65_536);
      expect(memory[first]).toBe(42);
      expect(memory.subarray(second, second + 200_000).every((byte) => byte === 0)).toBe(true);
    });

    test('what was made before the memory grew goes on working', () => {
      const core = new Core({ build });
      const table = new MessageTable(core, 2);
      table.write(24, 8, 9, 0);
      core.allocate(MEBIBYTE);
      expect([table.data(1), table.isMasked(1), table.isChanged(1)]).toEqual([9, false, true]);
    });

    test('64 MiB are the limit; a refused request leaves the core usable', () => {
      const core = new Core({ build });
      const before = core.allocate(16);
      const error = caught(() => core.allocate(64 * MEBIBYTE));
      expect(error).toBeInstanceOf(CoreError);
      expect(error).toMatchObject({ code: 'CORE_MEMORY_LIMIT', name: 'CoreError' });
      expect((error as CoreError).cause).toBeInstanceOf(RangeError);
      expect((error as CoreError).message).toMatch(/limit is 1024 pages/);
      expect(core.allocate(16)).toBe(before + 16);
    });

    test.each([0, -1, 1.5, Number.NaN, 64 * MEBIBYTE + 1])('a request for %d bytes is refused', (sizeBytes) => {
      expect(() => new Core({ build }).allocate(sizeBytes)).toThrow(CoreRangeError);
    });

    test('two cores share no memory', () => {
      const [one, other] = [new Core({ build }), new Core({ build })];
      const [table, untouched] = [new MessageTable(one, 1), new MessageTable(other, 1)];
      table.write(8, 8, 1, 0);
      expect([untouched.data(0), untouched.isMasked(0), untouched.isChanged(0)]).toEqual([0, true, false]);
    });
  });
});
