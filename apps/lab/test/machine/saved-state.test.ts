import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runFiles, type SavedState } from '../../src/machine/qemu-arguments.js';
import { isSaved, processorClock, saveState } from '../../src/machine/saved-state.js';
import { fakeMonitor, type Answer } from './fake-monitor.js';

let cache: string;
let runDirectory: string;
let state: SavedState;
let monitor: Awaited<ReturnType<typeof fakeMonitor>> | undefined;

beforeEach(() => {
  cache = mkdtempSync(join(tmpdir(), 'saved-state-'));
  runDirectory = join(cache, 'run');
  mkdirSync(runDirectory);
  writeFileSync(runFiles(runDirectory).disk, 'what the boot wrote');
  writeFileSync(runFiles(runDirectory).serialLog, '(XEN) hello');
  const directory = join(cache, 'xen-4.20-aaaa.state-0123456789abcdef');
  state = {
    directory,
    memory: join(directory, 'memory'),
    disk: join(directory, 'disk.qcow2'),
    serialLog: join(directory, 'serial.log'),
  };
});
afterEach(() => monitor?.close());

/** QEMU that writes its memory where it is told to, and then reports `outcome`. */
async function playQemu(outcome: Record<string, unknown>): Promise<string[]> {
  const answer = (command: string, args: Record<string, unknown>): Answer | undefined => {
    if (command === 'query-migrate') return { return: outcome };
    if (command === 'migrate') {
      const path = /^exec:exec cat > '(.*)'$/.exec(String(args['uri']))?.[1];
      if (path) writeFileSync(path, 'memory');
    }
    return undefined;
  };
  monitor = await fakeMonitor(runFiles(runDirectory).monitorSocket, answer);
  return monitor.asked;
}

describe('saveState', () => {
  it('keeps memory, disk and what was printed, and lets the machine run on', async () => {
    const asked = await playQemu({ status: 'completed' });
    await saveState(state, runDirectory);
    expect(isSaved(state)).toBe(true);
    expect([state.memory, state.disk, state.serialLog].map((path) => readFileSync(path, 'utf8'))).toEqual([
      ...['memory', 'what the boot wrote', '(XEN) hello'],
    ]);
    expect(asked.at(-1)).toBe('cont');
  });

  it('leaves nothing half made when QEMU cannot save a device, and lets the machine run on', async () => {
    const asked = await playQemu({ status: 'failed', 'error-desc': 'nvme cannot be migrated' });
    await expect(saveState(state, runDirectory)).rejects.toThrow(
      /could not save the machine: nvme cannot be migrated/,
    );
    expect(existsSync(state.directory)).toBe(false);
    expect(readdirSync(cache)).toEqual(['run']);
    expect(asked.at(-1)).toBe('cont');
  });

  it('says so when the machine does not go on', async () => {
    monitor = await fakeMonitor(runFiles(runDirectory).monitorSocket, (command) =>
      command === 'cont' ? { error: { desc: 'no' } } : { return: { status: 'failed' } },
    );
    await expect(saveState(state, runDirectory)).rejects.toMatchObject({ code: 'LAB_MACHINE_ENDED' });
    expect(existsSync(state.directory)).toBe(false);
  });

  it("removes the states of the profile's other images, and no others", async () => {
    const others = ['xen-4.20-bbbb.state-00', 'xen-4.20-aaaa.state-11', 'xen-4.17-bbbb.state-00', 'xen-4.20-bbbb'];
    for (const name of others) mkdirSync(join(cache, name));
    await playQemu({ status: 'completed' });
    await saveState(state, runDirectory);
    expect(others.filter((name) => existsSync(join(cache, name)))).toEqual(others.slice(1));
  });
});

describe('processorClock', () => {
  const cpuinfo = (model: string, bogomips: string) =>
    `processor\t: 0\nmodel name\t: ${model}\nbogomips\t: ${bogomips}\n`;

  it('is the same after a restart of the host, and another on a faster processor', () => {
    const first = processorClock(cpuinfo('EPYC', '5399.98'));
    expect(processorClock(cpuinfo('EPYC', '5400.01'))).toBe(first);
    expect(processorClock(cpuinfo('EPYC', '4899.98'))).not.toBe(first);
    expect(processorClock(cpuinfo('Xeon', '5399.98'))).not.toBe(first);
  });
});
