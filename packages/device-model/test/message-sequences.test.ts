import { expect, it } from 'vitest';
import { fullAt, fullCard, runningRig } from './support/full-card.js';
import * as oracle from './support/message-oracle.js';
import { controls } from './support/messages.js';
import { boundVectors, maskBits, msiControl, writeMessage } from './support/msi-card.js';
import { cardName, home, slot, type Rig } from './support/rig.js';
import { walkEverywhere } from './support/walk.js';

// Sequences of enable, mask, write, unmask, move and reset, of every length, against an oracle that knows nothing of
// how it is done: see walkEverywhere.

const elsewhere = home.bar3 + 0x10_0000;
const vectorsOf = [
  [0x30, 0x31],
  [0x40, 0x41],
] as const;

const reset = (rig: Rig) => rig.guest().writeConfig(fullAt.express + 8, 0x8000, 2);
const sorted = (numbers: readonly number[]) => [...numbers].sort((a, b) => a - b);

function performMsiX(rig: Rig, place: number, step: oracle.MsiXStep): void {
  const guest = rig.guest();
  const entryAt = (entry: number) => (place || home.bar3) + 16 * entry;
  switch (step.kind) {
    case 'control':
      return guest.writeConfig(controls.msix, (step.enabled ? 0x8000 : 0) | (step.functionMasked ? 0x4000 : 0), 2);
    case 'decode':
      return guest.command(step.on ? 7 : 5);
    case 'move':
      return guest.placeBar(3, step.place);
    case 'write':
      guest.writeMemory(entryAt(step.entry), 0xfee0_0000);
      return guest.writeMemory(entryAt(step.entry) + 8, 0x4000 | step.vector);
    case 'mask':
      return guest.writeMemory(entryAt(step.entry) + 12, step.masked ? 1 : 0);
    case 'reset':
      return reset(rig);
  }
}

function checkMsiX(rig: Rig, state: oracle.MsiXState): void {
  const { hypervisor, device } = rig;
  const latched = state.entries.map((entry) => entry.latched).filter((vector) => vector !== null);
  expect(sorted(boundVectors(rig))).toEqual(sorted(latched));
  for (const pirq of hypervisor.pirqsInUse()) {
    const bound = hypervisor.boundTo(pirq);
    if (bound !== null) expect(bound.table).toBe(BigInt(state.place));
  }
  expect(device.msixEnabled).toBe(oracle.isOn(state));
  if (oracle.isOn(state)) expect((device.config.read(controls.msix, 2) & 0x4000) !== 0).toBe(state.functionMasked);
  expect(rig.guest().readConfig(controls.msix, 2) >>> 14).toBe(
    Number(state.enabled) * 2 + Number(state.functionMasked),
  );
  for (const [index, { vector, masked }] of state.entries.entries()) {
    if (!oracle.isPlaced(state)) break;
    const word = rig.guest().readMemory(state.place + 16 * index + 8, 8);
    expect([word & 0xffn, word >> 32n]).toEqual([BigInt(vector), masked ? 1n : 0n]);
  }
  expect([rig.faults, hypervisor.violations]).toEqual([[], []]);
}

/** Two entries take no more messages than they must, or the states were a million. */
it.each([
  { entryCount: 1, places: [home.bar3, elsewhere, 0], leastDepth: 8 },
  { entryCount: 2, places: [elsewhere], leastDepth: 10 },
])('MSI-X, $entryCount entries: every sequence', { timeout: 300_000 }, ({ entryCount, places, leastDepth }) => {
  const rig = runningRig(fullCard({ msixVectorCount: entryCount }));
  const entries = Array.from({ length: entryCount }, (_, entry) => entry);
  let place: number = home.bar3;
  const report = walkEverywhere<oracle.MsiXState, oracle.MsiXStep>({
    initial: oracle.initialMsiX(entryCount, home.bar3),
    steps: [
      ...[0, 1, 2].map((value) => ({ kind: 'control' as const, enabled: value > 0, functionMasked: value > 1 })),
      ...[true, false].map((on) => ({ kind: 'decode' as const, on })),
      ...places.map((to) => ({ kind: 'move' as const, place: to })),
      ...entries.flatMap((entry) => [true, false].map((masked) => ({ kind: 'mask' as const, entry, masked }))),
      ...entries.flatMap((entry) => {
        return (vectorsOf[entry] ?? [])
          .slice(0, 3 - entryCount)
          .map((vector) => ({ kind: 'write' as const, entry, vector }));
      }),
      { kind: 'reset' },
    ],
    next: oracle.nextMsiX,
    perform: (step) => {
      performMsiX(rig, place, step);
      if (step.kind === 'move') place = step.place;
      if (step.kind === 'reset') place = 0;
      rig.hypervisor.calls.length = 0;
      rig.device.writes.length = 0;
    },
    memory: () => {
      const table = rig.model.bySbdf(slot)?.parts.guest.msix?.table;
      return entries.map((entry) => Number(table?.isChanged(entry))).join('');
    },
    check: (state) => checkMsiX(rig, state),
  });
  process.stdout.write(`MSI-X, ${entryCount} entries: ${JSON.stringify(report)}\n`);
  expect(report.depth).toBeGreaterThanOrEqual(leastDepth);
  rig.model.detach(cardName);
  rig.hypervisor.assertBaseline();
});

it('MSI, eight vectors with masks: every sequence', { timeout: 300_000 }, () => {
  const rig = runningRig(fullCard({ msiControl: msiControl.maskable }));
  const guest = rig.guest();
  const report = walkEverywhere<oracle.MsiState, oracle.MsiStep>({
    initial: oracle.initialMsi,
    steps: [
      ...[0, 1, 2, 8].map((vectorCount) => ({ kind: 'enable' as const, vectorCount })),
      ...[0x48, 0x50].map((vector) => ({ kind: 'message' as const, vector })),
      ...[0, 1, 0x86, 0xff].map((mask) => ({ kind: 'mask' as const, mask })),
      { kind: 'reset' },
    ],
    next: oracle.nextMsi,
    perform: (step) => {
      if (step.kind === 'enable') {
        const { vectorCount } = step;
        guest.writeConfig(controls.msi, vectorCount === 0 ? 0 : (Math.log2(vectorCount) << 4) | 1, 2);
      }
      if (step.kind === 'message') writeMessage(rig, 0xfee0_1000, 0x4000 | step.vector);
      if (step.kind === 'mask') guest.writeConfig(maskBits, step.mask);
      if (step.kind === 'reset') reset(rig);
      rig.hypervisor.calls.length = 0;
      rig.device.writes.length = 0;
    },
    memory: () => '',
    check: (state) => {
      expect(sorted(boundVectors(rig))).toEqual(oracle.deliveredMsi(state));
      expect(rig.device.msiEnabled).toBe(state.vectorCount > 0);
      expect([rig.faults, rig.hypervisor.violations]).toEqual([[], []]);
    },
  });
  process.stdout.write(`MSI: ${JSON.stringify(report)}\n`);
  rig.model.detach(cardName);
  rig.hypervisor.assertBaseline();
});
