import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { listInventory, openXenHost } from '@xenpt/qmp-sdk/xen';
import { expect, test } from 'vitest';
import { parse, runOn } from './run.js';

/**
 * Written by `xenpt bundle` in dom0 of the lab, without pci.ids; what was done there before stands in its words:
 *
 *     storage   two NVMe disks, two teaching devices, an old network card; USB made assignable; a guest's configuration
 *               that names a disk of dom0's and a device that is not there
 *     guest     one card given to a guest, another waiting for one
 *     sr-iov    three of the four virtual functions of a disk switched on, one of them assignable
 */
const folder = fileURLToPath(new URL('fixtures', import.meta.url));
const trees = readdirSync(folder).flatMap((name) => (name.endsWith('.tar.gz') ? [name.slice(0, -7)] : []));

const tell = (tree: string, line: string) =>
  runOn(openXenHost({ sysroot: `${folder}/${tree}.tar.gz` }), `${line} --sysroot ${tree}`);

test.each(trees)('%s: what list and doctor say of it', async (tree) => {
  const list = await tell(tree, 'list');
  const doctor = await tell(tree, 'doctor');
  expect([list.stderr, doctor.stderr]).toEqual(['', '']);
  await expect(`${list.stdout}\n${doctor.stdout}`).toMatchFileSnapshot(`fixtures/${tree}.txt`);
});

test.each(trees)('%s: the verdict of each function is what its findings say', async (tree) => {
  const { functions } = parse((await tell(tree, 'list --json')).stdout) as {
    functions: { sbdf: string; verdict: string; findings: { effect: string }[] }[];
  };
  expect(functions.length).toBeGreaterThan(10);
  for (const { sbdf, verdict, findings } of functions) {
    const effects = findings.map(({ effect }) => effect);
    const expected = effects.includes('blocks')
      ? 'not-assignable'
      : effects.includes('warns')
        ? 'with-warning'
        : 'assignable';
    expect(verdict, sbdf).toBe(expected);
  }
});

test.each(trees)('%s: what list leaves out on the way to its columns changes no verdict and no finding', (tree) => {
  const host = openXenHost({ sysroot: `${folder}/${tree}.tar.gz` });
  const told = (brief: boolean) => {
    const { functions, findings, notes } = listInventory(host, { brief });
    return { functions: functions.map((fn) => [fn.address, fn.verdict, fn.findings]), findings, notes };
  };
  expect(told(true)).toEqual(told(false));
});
