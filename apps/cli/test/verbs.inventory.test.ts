import { expect, test } from 'vitest';
import { HostTree, treeFlags } from '@xenpt/pci/sysfs/testing';
import { openXenHost } from '@xenpt/qmp-sdk/xen';
import { parse, runOn } from './run.js';

/** A root port with a card that a guest wants, on a host that has it in use. */
function captured(): HostTree {
  const tree = new HostTree()
    .add({
      address: '0000:00:1c.0',
      classCode: 0x060400,
      driver: 'pcieport',
      expressType: 4,
      accessControl: 0x1d,
      buses: { primary: 0, secondary: 3, subordinate: 3 },
    })
    .add({
      address: '0000:03:00.0',
      parent: '0000:00:1c.0',
      driver: 'e1000e',
      expressType: 0,
      functionLevelReset: true,
      resetMethods: 'flr',
      iommuGroup: 4,
      resources: [[0xfe00_0000n, 0xfe01_ffffn, treeFlags.memory]],
    })
    .file('etc/xen/web.cfg', 'name="web"\ntype="hvm"\nmemory=1024\npci=["0000:03:00.0"]\n')
    .file('proc/cmdline', 'quiet xen-pciback.hide=(0000:03:00.9)\n');
  return tree;
}

async function run(tree: HostTree, line: string) {
  const host = openXenHost({ sysroot: tree.sysroot });
  try {
    return await runOn(host, line);
  } finally {
    host.close();
  }
}

test('list of a captured tree', async () => {
  using tree = captured();
  expect((await run(tree, 'list')).stdout).toMatchInlineSnapshot(`
    "ADDRESS       DEVICE                            DRIVER    GROUP  RESET   OWNER  ASSIGNABLE
    0000:00:1c.0  PCI bridge: [8086:10d3]           pcieport  alone  reboot  host   no: bridge
    0000:03:00.0  Ethernet controller: [8086:10d3]  e1000e    4      safe    host   yes
    "
  `);
});

test('tree draws who is behind whom', async () => {
  using tree = captured();
  expect((await run(tree, 'tree')).stdout).toMatchInlineSnapshot(`
    "0000:00
    └─ 0000:00:1c.0 PCI bridge: [8086:10d3]  bus 03  (pcieport)
       └─ 0000:03:00.0 Ethernet controller: [8086:10d3]  (e1000e)  yes
    "
  `);
});

test('doctor: what hurts most first, each with its fix; the exit code as asked for', async () => {
  using tree = captured();
  const { stdout, exitCode } = await run(tree, 'doctor');
  expect(exitCode).toBe(0);
  const [head, first, second, , summary] = stdout.split('\n');
  expect(head).toMatch(/^SEVERITY +SUBJECT +RULE +FINDING +FIX$/);
  expect(first).toMatch(/^error +host +hide-malformed +column 13: function 9 .* +xenpt explain hide-malformed$/);
  expect(second).toMatch(
    /^warning +web +guest-device-not-held +web wants 0000:03:00\.0 \(e1000e\) +xenpt assignable add 0000:03:00\.0$/,
  );
  expect(summary).toBe('1 error, 1 warning, 2 worth knowing; looked at 2 functions and 1 guest configuration');
  expect((await run(tree, 'doctor --fail-on=error')).exitCode).toBe(1);
  expect((await run(tree, 'doctor --fail-on=nothing')).exitCode).toBe(2);
  const { counts, findings } = parse((await run(tree, 'doctor --json --all')).stdout);
  expect(counts).toEqual({ error: 1, warning: 1, info: expect.any(Number) as number });
  expect((findings as { severity: string }[]).at(-1)?.severity).toBe('info');
});

test('fit prints where everything lands, and what is needed', async () => {
  using tree = captured();
  const { stdout } = await run(tree, 'fit 03:00.0 --memory 1024 --headless');
  expect(stdout).toMatch(/0000:00:05\.0 +0 +128 KiB +0xf1000000/);
  expect(stdout).toMatch(/everything fits/);
  expect((await run(tree, 'fit 03:00.0 --memory lots')).exitCode).toBe(2);
  expect((await run(tree, 'fit 09:00.0')).exitCode).toBe(3);
});

test('explain works without a host, lists the rules and knows what was meant', async () => {
  using tree = captured();
  expect((await run(tree, 'explain group-incomplete')).stdout).toMatch(/^group-incomplete {2}[^]*\nWhat to do\n/);
  expect((await run(tree, 'explain')).stdout).toMatch(/^boot-disk +function +/m);
  const wrong = await run(tree, 'explain bot-disk');
  expect([wrong.exitCode, wrong.stderr]).toEqual([2, expect.stringContaining('boot-disk')]);
});

test('a narrow terminal: what is cut is told in full elsewhere, and no finding is cut', async () => {
  using tree = captured();
  const host = openXenHost({ sysroot: tree.sysroot });
  const columns = 60;
  try {
    const { stdout } = await runOn(host, 'list', { terminal: { columns, rows: 24 } });
    expect(stdout.split('\n').every(({ length }) => length <= columns + 20)).toBe(true);
    expect(stdout).toMatch(/^0000:03:00\.0 {2}Ethernet co… /m);
    const doctor = await runOn(host, 'doctor', { terminal: { columns, rows: 24 } });
    expect(doctor.stdout).toMatch(
      /^warning {2}web {2}guest-device-not-held\n {2}web wants 0000:03:00\.0 \(e1000e\)\n {2}fix: /m,
    );
    expect(doctor.stdout).not.toContain('…');
  } finally {
    host.close();
  }
});
