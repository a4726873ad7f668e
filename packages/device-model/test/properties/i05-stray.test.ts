import { expect, it } from 'vitest';
import { runningRig } from '../support/full-card.js';
import { RequestPage } from '../support/request-page.js';
import { cardName, home, slot, type Rig } from '../support/rig.js';

const reads = [
  { type: 2, address: BigInt(slot) << 32n, size: 4, read: true },
  { type: 1, address: BigInt(home.bar0), size: 4, read: true },
  { type: 1, address: BigInt(home.bar3), size: 8, read: true },
];
const writes = reads.map((fields) => ({ ...fields, read: false, data: 0x8000_0007n }));

function detachHalfway(rig: Rig): void {
  rig.hypervisor.failAt('releaseFunction', 'EIO', 1);
  expect(() => rig.model.detach(cardName)).toThrow(/left/);
}

it.each([
  ['detached', (rig: Rig) => rig.model.detach(cardName)],
  ['being detached, which Xen refused', detachHalfway],
])('I5: what arrives for a function %s is answered with all ones and reaches nobody', (_, leave) => {
  const rig = runningRig(undefined, { barAccess: true });
  leave(rig);
  const before = [rig.device.writes.length, rig.device.barAccesses.length, rig.hypervisor.calls.length];
  const page = new RequestPage(1);
  const left = [...reads, ...writes];
  page.onAnswer = () => {
    const fields = left.shift();
    if (fields !== undefined) page.ask(0, fields);
  };
  page.onAnswer(0);
  for (let asked = 0; asked < reads.length + writes.length; asked += 1) {
    const vcpu = page.next(1);
    rig.handler.handle(page.request);
    page.complete(vcpu, rig.handler.dataLow, rig.handler.dataHigh);
  }
  expect(page.answers.slice(0, 3).map(({ low }) => low)).toEqual([0xffff_ffff, 0xffff_ffff, 0xffff_ffff]);
  expect([rig.device.writes.length, rig.device.barAccesses.length, rig.hypervisor.calls.length]).toEqual(before);
  expect([page.violations, rig.faults]).toEqual([[], []]);
});

it('I5: so is what arrives for a BAR that has moved on, or is not decoded any more', () => {
  const rig = runningRig(undefined, { barAccess: true });
  const guest = rig.guest();
  guest.placeBar(0, home.bar0 + 0x10_0000);
  guest.writeMemory(home.bar0, 1);
  expect(guest.readMemory(home.bar0)).toBe(0xffff_ffffn);
  guest.command(4);
  guest.writeMemory(home.bar3, 1);
  expect(guest.readMemory(home.bar3)).toBe(0xffff_ffffn);
  expect([rig.device.barAccesses, rig.faults]).toEqual([[], []]);
  guest.command(7);
  expect(guest.readMemory(home.bar3)).toBe(0n);
});
