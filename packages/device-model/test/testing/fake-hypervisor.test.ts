import { describe, expect, it } from 'vitest';
import { FakeDevice, FakeHypervisor, FakeXenError } from '../../src/testing/index.js';
import { at, networkCard } from '../support/network-card.js';

const { sbdf } = networkCard();
const gfn = 0xf0000n;
const table = 0xf004_0000n;

function setUp(): { device: FakeDevice; xen: FakeHypervisor } {
  const device = new FakeDevice(networkCard({ command: 0x0003, vpd: true }));
  return { device, xen: new FakeHypervisor({ devices: [device], messagePirqs: 3 }) };
}

const bar = (index: number) => networkCard().resources[index]?.start ?? 0n;
const message = (entry = 0) => ({ sbdf, entry, tableBase: bar(3), pirq: -1, vectorCount: 1 });
const msi = { sbdf, entry: 0, tableBase: 0n, pirq: -1, vectorCount: 1 };

/** Each is one mistake; the fake must see it, whoever catches the error. */
const mistakes: readonly (readonly [string, (xen: FakeHypervisor, device: FakeDevice) => void])[] = [
  ['claims a function twice', (xen) => [xen.claimFunction(40), xen.claimFunction(40)]],
  ['releases a function it has not', (xen) => xen.releaseFunction(40)],
  ['claims overlapping memory', (xen) => [xen.claimMemory(0xf000n, 0xffffn), xen.claimMemory(0xffffn, 0x1_0000n)]],
  ['claims backwards', (xen) => xen.claimMemory(2n, 1n)],
  ['releases half a claim', (xen) => [xen.claimMemory(0xf000n, 0xffffn), xen.releaseMemory(0xf000n, 0xf7ffn)]],
  ['releases ports it has not', (xen) => xen.releasePorts(1, 2)],
  ['maps twice', (xen) => [xen.mapMemory(gfn, bar(0) >> 12n, 32n), xen.mapMemory(gfn + 31n, bar(1) >> 12n, 32n)]],
  ['maps foreign frames', (xen) => xen.mapMemory(gfn, 0x1234n, 1n)],
  ['maps one frame too many', (xen) => xen.mapMemory(gfn, (bar(1) >> 12n) + 31n, 2n)],
  ['maps the table', (xen) => xen.mapMemory(gfn, bar(3) >> 12n, 4n)],
  ['maps over RAM', (xen) => xen.mapMemory(0x1000n, bar(0) >> 12n, 32n)],
  ['maps nothing', (xen) => xen.mapMemory(gfn, bar(0) >> 12n, 0n)],
  ['unmaps what is not mapped', (xen) => xen.unmapMemory(gfn, bar(0) >> 12n, 32n)],
  [
    'unmaps in other pieces',
    (xen) => [xen.mapMemory(gfn, bar(0) >> 12n, 32n), xen.unmapMemory(gfn, bar(0) >> 12n, 16n)],
  ],
  ['maps foreign ports', (xen) => xen.mapPorts(0xc000, 0x60, 8)],
  ['maps ports twice', (xen) => [xen.mapPorts(0xc000, 0xd100, 32), xen.mapPorts(0xc010, 0xd100, 32)]],
  ['maps ports past the end', (xen) => xen.mapPorts(0xfff0, 0xd100, 32)],
  ['unmaps ports it has not', (xen) => xen.unmapPorts(0xc000, 0xd100, 32)],
  ['maps a line twice', (xen) => [xen.mapGsi(16), xen.mapGsi(16)]],
  ['maps a message of a stranger', (xen) => xen.mapMsi({ ...message(), sbdf: { ...sbdf, bus: 9 } })],
  ['maps an entry that is not there', (xen) => xen.mapMsi(message(5))],
  ['maps an entry twice', (xen) => [xen.mapMsi(message()), xen.mapMsi(message())]],
  ['maps with the address of the table itself', (xen) => xen.mapMsi({ ...message(), tableBase: bar(3) + 0x1000n })],
  ['maps without memory decode', (xen, device) => [device.write(4, 2, 1), xen.mapMsi(message())]],
  ['maps both kinds', (xen) => [xen.mapMsi(message()), xen.mapMsi(msi)]],
  ['asks for a pirq in use', (xen) => [xen.mapGsi(16), xen.mapMsi({ ...message(), pirq: 16 })]],
  ['unmaps a pirq it has not', (xen) => xen.unmapPirq(50)],
  ['unmaps a bound message', (xen) => [xen.mapMsi(msi), xen.bindMsi(50, 1, 0, 0n), xen.unmapPirq(50)]],
  ['unmaps a bound line', (xen) => [xen.mapGsi(16), xen.bindIntx(16, 5, 0), xen.unmapPirq(16)]],
  ['binds what is not mapped', (xen) => xen.bindMsi(50, 1, 0, 0n)],
  ['binds a line as a message', (xen) => [xen.mapGsi(16), xen.bindMsi(16, 1, 0, 0n)]],
  ['binds a message as a line', (xen) => [xen.mapMsi(msi), xen.bindIntx(50, 5, 0)]],
  ['binds a vector too wide', (xen) => [xen.mapMsi(msi), xen.bindMsi(50, 256, 0, 0n)]],
  ['binds MSI with a table', (xen) => [xen.mapMsi(msi), xen.bindMsi(50, 1, 0, table)]],
  ['binds MSI-X without one', (xen) => [xen.mapMsi(message()), xen.bindMsi(50, 1, 0, 0n)]],
  ['binds with a table that is not claimed', (xen) => [xen.mapMsi(message()), xen.bindMsi(50, 1, 0, table)]],
  [
    'binds with a second table',
    (xen) => {
      xen.claimMemory(table, table + 0x1fffn);
      xen.mapMsi(message(0));
      xen.mapMsi(message(1));
      xen.bindMsi(50, 1, 0, table);
      xen.bindMsi(49, 1, 0, table + 0x1000n);
    },
  ],
  ['unbinds what is not bound', (xen) => [xen.mapMsi(msi), xen.unbindMsi(50, 1, 0)]],
  ['unbinds another message', (xen) => [xen.mapMsi(msi), xen.bindMsi(50, 1, 0, 0n), xen.unbindMsi(50, 2, 0)]],
  [
    'unbinds while on in hardware',
    (xen, device) => {
      xen.mapMsi(msi);
      xen.bindMsi(50, 1, 0, 0n);
      device.write(at.msi + 2, 2, 0x0081);
      xen.unbindMsi(50, 1, 0);
    },
  ],
  ['maps more vectors than the function has', (xen) => xen.mapMsi({ ...msi, vectorCount: 2 })],
  ['maps several entries at once', (xen) => xen.mapMsi({ ...message(), vectorCount: 2 })],
  [
    'turns MSI on beside MSI-X',
    (xen, device) => {
      device.write(at.msix + 2, 2, 0x8004);
      xen.mapMsi(msi);
      xen.bindMsi(50, 1, 0, 0n);
      device.write(at.msi + 2, 2, 0x0081);
    },
  ],
  [
    'turns MSI on with more vectors than are mapped',
    (xen, device) => {
      xen.mapMsi(msi);
      xen.bindMsi(50, 1, 0, 0n);
      device.write(at.msi + 2, 2, 0x0091);
    },
  ],
  ['writes the table', (_, device) => device.bar(3).write(16, 4, 0, 0)],
  ['writes pending bits', (_, device) => device.bar(3).write(0x2000, 8, 0, 0)],
  ['reads across pages', (_, device) => device.bar(3).read(0x1ffe, 4)],
  ['reads past a BAR', (_, device) => device.bar(3).read(0x4000, 4)],
  ['unbinds another line', (xen) => [xen.mapGsi(16), xen.bindIntx(16, 5, 0), xen.unbindIntx(16, 5, 1)]],
  ['turns MSI on before the bind', (_, device) => device.write(at.msi + 2, 2, 0x0081)],
  [
    'turns MSI-X on without memory decode',
    (_, device) => [device.write(4, 2, 1), device.write(at.msix + 2, 2, 0x8004)],
  ],
  ['writes a BAR', (_, device) => device.write(0x10, 4, 0)],
  ['writes an MSI address', (_, device) => device.write(at.msi + 4, 4, 0xfee0_0000)],
  ['writes MSI-X control with 32 bits', (_, device) => device.write(at.msix, 4, 0x8004_0011)],
  ['writes MSI-X control with 8 bits', (_, device) => device.write(at.msix + 3, 1, 0x80)],
  ['changes the table size', (_, device) => device.write(at.msix + 2, 2, 0x0005)],
  ['changes parity response', (_, device) => device.write(4, 2, 0x0043)],
  ['writes STATUS', (_, device) => device.write(6, 2, 0)],
  ['writes vital product data', (_, device) => device.write(at.vpd + 2, 2, 0x8004)],
  ['writes PMCSR', (_, device) => device.write(at.powerManagement + 4, 2, 3)],
  ['writes unaligned', (_, device) => device.write(5, 2, 0)],
  ['writes more than fits', (_, device) => device.write(4, 1, 0x107)],
  ['calls a domain that is gone', (xen) => [(xen.domainGone = true), xen.claimFunction(40)]],
];

describe('the strict hypervisor', () => {
  it.each(mistakes)('sees who %s', (_, make) => {
    const { device, xen } = setUp();
    expect(xen.violations).toEqual([]);
    try {
      make(xen, device);
    } catch {
      // Swallowed, as a model might.
    }
    expect(xen.violations).toHaveLength(1);
    expect(() => xen.assertBaseline()).toThrow(xen.violations[0]);
  });

  it('takes everything back from a domain that dies, and refuses every call from then on', () => {
    const { xen } = setUp();
    xen.claimFunction(40);
    xen.mapGsi(16);
    xen.bindIntx(16, 5, 0);
    xen.diesBefore = 3;
    expect(() => xen.claimMemory(table, table + 0xfffn)).toThrow(/ESRCH/);
    expect(() => xen.releaseFunction(40)).toThrow(/ESRCH/);
    expect([xen.isDead, xen.held(), xen.leads()]).toEqual([true, [], []]);
    xen.assertBaseline();
  });

  it('finds nothing wrong with a life in order', () => {
    const { device, xen } = setUp();
    xen.claimFunction(40);
    xen.claimMemory(table, table + 0xfffn);
    expect(xen.mapMsi(message(2))).toBe(50);
    xen.bindMsi(50, 0x41, 0x1_0001, table);
    device.write(at.msix + 2, 2, 0x8004);
    expect(() => xen.assertBaseline()).toThrow(/pirq 50 for msi-x 2; 0000:01:00.0 signals/);
    device.write(at.msix + 2, 2, 0x0004);
    xen.unbindMsi(50, 0x41, 1);
    xen.unmapPirq(50);
    xen.releaseMemory(table, table + 0xfffn);
    xen.releaseFunction(40);
    xen.assertBaseline();
  });

  it('refuses where Xen refuses: no pirq left, too many ranges', () => {
    const { xen } = setUp();
    for (let entry = 0; entry < 3; entry += 1) xen.mapMsi(message(entry));
    expect(() => xen.mapMsi(message(3))).toThrow(FakeXenError);
    for (let range = 0n; range < 256n; range += 1n) xen.claimMemory(range * 16n, range * 16n + 7n);
    expect(() => xen.claimMemory(0x10_0000n, 0x10_0007n)).toThrow(/ENOSPC/);
    expect(xen.violations).toEqual([]);
  });

  it('fails the call it is told to, once, and then has changed nothing', () => {
    const { xen } = setUp();
    xen.failAt(1, 'EBUSY');
    xen.failAt('mapGsi', 'ENOENT', 2);
    xen.claimFunction(1);
    expect(() => xen.claimFunction(2)).toThrow(/EBUSY/);
    xen.claimFunction(2);
    expect(() => xen.mapGsi(3)).toThrow(/ENOENT/);
    expect(() => xen.mapGsi(3)).toThrow(/ENOENT/);
    expect(xen.mapGsi(3)).toBe(3);
    expect(xen.held()).toEqual(['function 0x1', 'function 0x2', 'pirq 3 for line 3']);
  });
});
