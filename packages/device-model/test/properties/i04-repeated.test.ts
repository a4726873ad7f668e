import { expect, it } from 'vitest';
import { runningRig } from '../support/full-card.js';
import { FakeGuestMemory, request } from '../support/guest.js';
import { memoryBar, networkCard } from '../support/network-card.js';
import { home, slot } from '../support/rig.js';

const buffer = 0x5000;
const most = 4096;

/** Whose table has as many words as a request may have elements. */
const tableCard = networkCard({
  ...{ resources: [memoryBar(3, 0xe004_0000n, 0x8000n)], msixVectorCount: most / 4 },
  ...{ msixTable: 0x0003, msixPending: 0x7003 },
});

function repeatingRig(bytes = most * 4) {
  const memory = new FakeGuestMemory(buffer, bytes);
  const rig = runningRig(tableCard, { memory });
  const words = new DataView(memory.bytes.buffer);
  const repeat = (count: number, options: { read?: boolean; descending?: boolean; type?: number } = {}) => {
    const { type = 1, descending = false } = options;
    const first = descending ? 4 * (count - 1) : 0;
    const address = type === 1 ? BigInt(home.bar3 + first) : BigInt(slot) << 32n;
    rig.handler.handle(request({ ...options, type, address, data: BigInt(buffer + first), count, pointer: true }));
  };
  return { rig, words, repeat };
}

it.each([false, true])('I4: up to 4096 elements are done one by one (downwards: %s)', (descending) => {
  for (const count of [1, 2, 255, most]) {
    const { rig, words, repeat } = repeatingRig();
    // What a table has at every fourth word is the mask, of which one bit is kept.
    const expected = Array.from({ length: count }, (_, index) => (index % 4 === 3 ? 0 : 2 * index));
    for (let index = 0; index < count; index += 1) words.setUint32(4 * index, 2 * index, true);
    repeat(count, { descending });
    for (let index = 0; index < most; index += 1) words.setUint32(4 * index, 0xffff_ffff, true);
    repeat(count, { descending, read: true });
    expect(expected.map((_, index) => words.getUint32(4 * index, true))).toEqual(expected);
    if (count < most) expect(words.getUint32(4 * count, true)).toBe(0xffff_ffff);
    expect([rig.faults, rig.hypervisor.violations]).toEqual([[], []]);
  }
});

it('I4: more than 4096 are refused, and nothing of them is done', () => {
  const { rig, words, repeat } = repeatingRig(4 * (most + 1));
  words.setUint32(0, 0x1234, true);
  for (const count of [most + 1, 0x7fff_ffff, 0xffff_ffff]) repeat(count);
  expect([rig.guest().readMemory(home.bar3), rig.handler.counts.refused]).toEqual([0n, 3]);
});

it('I4: a fault of the buffer ends it with all ones, and what came before is done', () => {
  const { rig, words, repeat } = repeatingRig(6);
  words.setUint32(0, 0x1234, true);
  repeat(most);
  expect([rig.guest().readMemory(home.bar3), rig.guest().readMemory(home.bar3 + 4)]).toEqual([0x1234n, 0n]);
  repeat(most, { read: true });
  expect([rig.handler.dataLow, rig.handler.dataHigh, rig.faults]).toEqual([0xffff_ffff, 0, []]);
});

it('I4: a register is read as often as is asked, into the buffer', () => {
  const { rig, words, repeat } = repeatingRig();
  repeat(3, { type: 2, read: true });
  expect([0, 4, 8, 12].map((at) => words.getUint32(at, true))).toEqual([0x10d3_8086, 0x10d3_8086, 0x10d3_8086, 0]);
  repeat(3, { type: 0, read: true });
  expect([rig.handler.dataLow, rig.handler.counts.port, rig.faults]).toEqual([0xffff_ffff, 1, []]);
});
