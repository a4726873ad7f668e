import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createProcessList } from '../../src/xen/real-processes.js';
import { temporaryFolder } from './folders.js';

const stat = (pid: number, name: string, state: string, start: number) =>
  `${pid} (${name}) ${state} 1 2 3 0 -1 4194304 5 6 7 8 9 10 11 12 20 0 1 0 ${start} 123 456\n`;

function procWith(processes: Record<string, { stat?: string; cmdline?: string }>): string {
  const proc = temporaryFolder();
  for (const [pid, files] of Object.entries(processes)) {
    mkdirSync(join(proc, pid));
    for (const [name, text] of Object.entries(files)) writeFileSync(join(proc, pid, name), text);
  }
  return proc;
}

test('start time by the field after the name, whatever the name; a zombie has ended', () => {
  const list = createProcessList(
    procWith({
      7: { stat: stat(7, 'node', 'S', 4242) },
      8: { stat: stat(8, 'a) R 1 (b', 'R', 4343) },
      9: { stat: stat(9, 'node', 'Z', 4444) },
    }),
  );
  expect([7, 8, 9, 10].map((pid) => list.startedAt(pid))).toEqual(['4242', '4343', null, null]);
});

test('command lines word by word, without kernel threads and other folders', () => {
  const list = createProcessList(
    procWith({ 7: { cmdline: 'xl\0migrate\0\0host\0' }, 8: { cmdline: '' }, 9: {}, self: { cmdline: 'x\0' } }),
  );
  expect([...list.running()]).toEqual([{ pid: 7, words: ['xl', 'migrate', '', 'host'] }]);
});

test('looks again at what had no command line only after a while, and at everything else always', () => {
  const proc = procWith({ 7: { cmdline: 'xl\0' }, 8: { cmdline: '' } });
  let nowMs = 0;
  const list = createProcessList(proc, () => nowMs);
  const pids = () => [...list.running()].map(({ pid, words }) => [pid, ...words]);
  expect(pids()).toEqual([[7, 'xl']]);
  writeFileSync(join(proc, '7/cmdline'), 'helper\0');
  writeFileSync(join(proc, '8/cmdline'), 'late\0');
  expect(pids()).toEqual([[7, 'helper']]);
  nowMs = 5_001;
  expect(pids()).toEqual([
    [7, 'helper'],
    [8, 'late'],
  ]);
});

test('finds this very process', () => {
  const list = createProcessList();
  expect(list.startedAt(process.pid)).toMatch(/^[0-9]+$/);
  const us = [...list.running()].find(({ pid }) => pid === process.pid);
  expect(us?.words.join('\0')).toBe(readFileSync('/proc/self/cmdline', 'utf8').replace(/\0$/, ''));
});
