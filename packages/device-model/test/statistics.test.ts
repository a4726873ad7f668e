import { expect, it } from 'vitest';
import { effectTypes } from '../src/effects.js';
import { hypervisorCalls } from '../src/hypervisor.js';
import { requestIndex, requestKinds } from '../src/request-kinds.js';
import { interruptKinds, Statistics } from '../src/statistics.js';
import { runningRig } from './support/full-card.js';
import { cardName, home } from './support/rig.js';

it('what one thread counts another reads, each in a place of its own', () => {
  const writer = new Statistics();
  const reader = new Statistics(writer.buffer);
  let expected = 1;
  const times = (count: () => void) => {
    for (let n = 0; n < expected; n += 1) count();
    return expected++;
  };
  const requests = Object.fromEntries(
    requestKinds.map((kind) => [kind, times(() => writer.countRequest(requestIndex[kind]))]),
  );
  const effects = Object.fromEntries(effectTypes.map((type) => [type, times(() => writer.countEffect(type, true))]));
  const failedEffects = Object.fromEntries(
    effectTypes.map((type) => [type, times(() => writer.countEffect(type, false))]),
  );
  const interrupts = Object.fromEntries(
    interruptKinds.map((kind) => [kind, times(() => writer.countInterrupt(kind))]),
  );
  const deniedWrites = times(() => writer.countDeniedWrite());
  writer.activity = 'resetFunction';
  expect(reader.counts).toEqual({ requests, effects, failedEffects, interrupts, deniedWrites });
  expect(reader.activity).toBe('resetFunction');
  expect(reader.meter.latency()).toEqual(new Statistics().meter.latency());
});

it('every call to Xen is something to be in', () => {
  const statistics = new Statistics();
  for (const call of hypervisorCalls) {
    statistics.activity = call;
    expect(statistics.activity).toBe(call);
  }
});

it('a running card counts requests, effects, interrupts and what it was denied, also after it is gone', () => {
  const rig = runningRig();
  const { statistics } = rig;
  const before = statistics.counts;
  const guest = rig.guest();
  guest.writeConfig(0x08, 0xffff_ffff);
  guest.writeMemory(home.bar3 + 12, 0);
  const after = statistics.counts;
  expect(after.requests.config - before.requests.config).toBe(1);
  expect(after.requests.copy - before.requests.copy).toBe(1);
  expect(after.deniedWrites - before.deniedWrites).toBe(1);
  expect(after.effects.mapBar).toBeGreaterThan(0);
  expect(after.interrupts.intx).toBe(1);
  rig.model.detach(cardName);
  expect(statistics.counts).toEqual(after);
});

it('while Xen is asked or the state is written, that is what it is in; then nothing', () => {
  const seen = new Set<string>();
  const rig = runningRig();
  const { hypervisor, statistics } = rig;
  const mapMemory = hypervisor.mapMemory.bind(hypervisor);
  hypervisor.mapMemory = (...values) => {
    seen.add(statistics.activity);
    mapMemory(...values);
  };
  rig.guest().command(0);
  rig.guest().command(7);
  hypervisor.failAt('unmapMemory', 'EIO', 1);
  rig.guest().command(0);
  expect([[...seen], statistics.activity]).toEqual([['mapMemory'], 'none']);
});
