import { HostTree, treeFlags } from './host-tree.js';

const CARDS_PER_PORT = 4;
const FUNCTIONS_PER_CARD = 8;
const vendors = [0x8086, 0x10de, 0x1002, 0x15b3] as const;

/** A host with this many functions, at most 1,056: root ports with four cards of eight functions behind each. */
export function largeHost(functionCount: number): HostTree {
  const tree = new HostTree();
  const hex = (value: number): string => value.toString(16).padStart(2, '0');
  let count = 0;
  for (let slot = 0; count < functionCount && slot < 32; slot += 1) {
    const bus = slot * 7 + 1;
    const port = `0000:00:${hex(slot)}.0`;
    const buses = { primary: 0, secondary: bus, subordinate: bus };
    tree.add({ address: port, classCode: 0x060400, driver: 'pcieport', expressType: 4, accessControl: 0x1d, buses });
    count += 1;
    for (let at = 0; at < CARDS_PER_PORT * FUNCTIONS_PER_CARD && count < functionCount; at += 1) {
      addFunction(tree, `0000:${hex(bus)}:${hex(at >> 3)}.${at & 7}`, port, { number: count, at, group: slot });
      count += 1;
    }
  }
  return tree;
}

function addFunction(
  tree: HostTree,
  address: string,
  parent: string,
  { number, at, group }: { readonly number: number; readonly at: number; readonly group: number },
): void {
  const start = 0xe000_0000n + BigInt(number) * 0x2_0000n;
  tree.add({
    ...{ address, parent, driver: 'e1000e', multifunction: true, expressType: 0, functionLevelReset: true },
    vendorId: vendors[at % vendors.length] ?? 0x8086,
    deviceId: 0x1000 + at,
    resetMethods: 'flr',
    iommuGroup: group,
    serialNumber: BigInt(number),
    accessControl: 0,
    msix: { vectorCount: 8, table: { bar: 3, offset: 0 }, pending: { bar: 3, offset: 0x2000 } },
    link: { speed: 3, width: 4, maxSpeed: 3, maxWidth: 4 },
    resources: [[start, start + 0x1_ffffn, treeFlags.memory]],
    files: { power_state: 'D0\n' },
  });
}
