import { expect, it } from 'vitest';
import { runningRig } from '../support/full-card.js';
import { FakeGuestMemory } from '../support/guest.js';
import { RequestPage } from '../support/request-page.js';
import { home, slot } from '../support/rig.js';

const longest = { type: 1, size: 1, count: 4096, data: 0x5000n, pointer: true } as const;
/** Xen refuses for want of memory; of 4096 accesses the 1st, 2nd, 4th … 4096th ask it again. */
const mostTries = 13;

it('I8: the longest request makes as many accesses as it has elements, and asks Xen a dozen times at most', () => {
  const rig = runningRig(undefined, { barAccess: true, memory: new FakeGuestMemory(0x5000, 4096) });
  rig.hypervisor.failAt('mapMemory', 'ENOMEM', 100_000);
  const before = rig.hypervisor.calls.length;
  const page = new RequestPage(1);
  page.ask(0, { ...longest, address: BigInt(home.bar0) });
  const vcpu = page.next(1);
  rig.handler.handle(page.request);
  page.complete(vcpu, rig.handler.dataLow, rig.handler.dataHigh);
  expect(rig.device.barAccesses).toHaveLength(4096);
  expect(rig.hypervisor.calls.length - before).toBeLessThanOrEqual(2 * mostTries);
  expect(rig.faults).toEqual([]);
});

it('I8: processors that ask without a pause keep neither each other from an answer nor the model from ending', () => {
  const rig = runningRig();
  const page = new RequestPage(8);
  const rounds = 50;
  const ask = (vcpu: number) => page.ask(vcpu, { type: 2, address: BigInt(slot) << 32n, read: true });
  page.onAnswer = (vcpu) => {
    if (page.answers.length === rounds) page.call({ id: 1, method: 'stop', argument: null });
    // The busiest never stops, not even when told to end.
    if (page.answers.length < rounds || page.log.length < rounds) ask(vcpu);
  };
  for (let vcpu = 0; vcpu < 8; vcpu += 1) ask(vcpu);
  expect(page.serve(rig)).toBe('stopped');
  expect(page.violations).toEqual([]);
  expect(page.answers.length).toBeLessThan(2 * rounds);
  expect(new Set(page.answers.map(({ vcpu }) => vcpu)).size).toBe(8);
});
