import { expect, it } from 'vitest';
import { comparedDevices } from '../../src/config-view/registers.js';
import { buildScript, lanes } from '../../src/config-view/script.js';
import { FakeFunction, patterned } from './fake-function.js';

it.each(comparedDevices)('the script for $kind leaves every bit as it was', (device) => {
  const { bytes, writable } = patterned();
  const fake = new FakeFunction(bytes, writable);
  const script = buildScript(device);
  const answers = fake.run(script.text);
  expect(answers).toHaveLength(8 * script.answerCount + 1);
  expect(fake.bytes).toEqual(bytes);
});

it.each(comparedDevices)('the script for $kind moves BARs only while decode is off', (device) => {
  const { bytes } = patterned();
  const fake = new FakeFunction(bytes, new Uint8Array(256).fill(0xff));
  fake.run(buildScript(device).text);
  let command = bytes[4] ?? 0;
  let moves = 0;
  for (const { offset, width, value } of fake.writes) {
    if (offset === 4) command = value & 0xff;
    const touchesBar = (offset < 0x28 && offset + width > 0x10) || (offset < 0x34 && offset + width > 0x30);
    if (!touchesBar) continue;
    moves += 1;
    expect(command & 3).toBe(0);
  }
  expect(moves).toBeGreaterThan(7 * 64);
});

it('enables MSI only with a message for the processor', () => {
  const device = comparedDevices.find(({ kind }) => kind === 'e1000e');
  if (device === undefined) throw new Error('no e1000e');
  const fake = new FakeFunction(patterned().bytes, new Uint8Array(256).fill(0xff));
  fake.run(buildScript(device).text);
  const firstControl = fake.writes.findIndex(({ offset }) => offset === 0xd0);
  const before = fake.writes.slice(0, firstControl).filter(({ offset }) => offset >= 0xd4 && offset < 0xe0);
  expect(before).toEqual([
    { offset: 0xd4, width: 4, value: 0xfee0_0000 },
    { offset: 0xdc, width: 2, value: 0x41 },
  ]);
});

it('finds the lanes of a word', () => {
  expect(lanes(8, 2)).toEqual([
    { offset: 8, width: 2 },
    { offset: 10, width: 2 },
  ]);
});
