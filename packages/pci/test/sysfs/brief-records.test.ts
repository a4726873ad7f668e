import { expect, it } from 'vitest';

import { readFunctionRecords } from '../../src/sysfs/index.js';
import { HostTree } from '../../src/sysfs/testing/index.js';

const [card, other, lineOnly] = ['0000:01:00.0', '0000:02:00.0', '0000:03:00.0'];

/** Two cards with MSI-X, one with a line alone; all on a NUMA node and with a line. */
function hostTree(line: string): HostTree {
  const tree = new HostTree();
  const msix = { vectorCount: 8, table: { bar: 3, offset: 0 }, pending: { bar: 3, offset: 0x2000 } };
  const files = { irq: '17\n', numa_node: '1\n', power_state: 'D3hot\n' };
  tree.add({ address: card, driver: 'e1000e', expressType: 0, msix, files });
  tree.add({ address: other, driver: 'e1000e', expressType: 0, msix, files });
  tree.add({ address: lineOnly, driver: 'snd', expressType: 0, files: { ...files, irq: line } });
  return tree;
}

const irqs = (tree: HostTree, brief: boolean) =>
  readFunctionRecords({ sysroot: tree.sysroot, brief }).functions.map(({ irq }) => irq);

it('lines are read of everybody when one function has nothing else, and else of nobody', () => {
  using shared = hostTree('17\n');
  expect([irqs(shared, false), irqs(shared, true)]).toEqual([
    [17, 17, 17],
    [17, 17, 17],
  ]);
  using alone = hostTree('0\n');
  expect([irqs(alone, false), irqs(alone, true)]).toEqual([
    [17, 17, 0],
    [0, 0, 0],
  ]);
});

it('all else but the NUMA node and the power state is as in full', () => {
  using tree = hostTree('17\n');
  const { functions } = readFunctionRecords({ sysroot: tree.sysroot });
  expect(functions.map(({ numaNode, powerState }) => [numaNode, powerState])).toEqual([
    [1, 'D3hot'],
    [1, 'D3hot'],
    [1, 'D3hot'],
  ]);
  const brief = readFunctionRecords({ sysroot: tree.sysroot, brief: true }).functions;
  expect(brief.map((fn) => ({ ...fn, numaNode: 1, powerState: 'D3hot' }))).toEqual(functions);
  expect(brief.map(({ numaNode }) => numaNode)).toEqual([-1, -1, -1]);
});

it('a line that makes no sense costs no function in a brief look', () => {
  using tree = hostTree('seventeen\n');
  expect(irqs(tree, true)).toEqual([0, 0, 0]);
  const full = readFunctionRecords({ sysroot: tree.sysroot });
  expect([full.functions.length, full.notes.length]).toEqual([2, 1]);
});
