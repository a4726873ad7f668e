import { expect, it } from 'vitest';
import { observe, parseAnswers, type Observation } from '../../src/config-view/observe.js';
import { comparedDevices, type ComparedDevice } from '../../src/config-view/registers.js';
import { buildScript } from '../../src/config-view/script.js';
import { FakeFunction, patterned } from './fake-function.js';

function observed(device: ComparedDevice, fake: FakeFunction): Observation[] {
  const script = buildScript(device);
  return observe(device, script, parseAnswers(fake.run(script.text), script));
}

const number = (bytes: Uint8Array, offset: number, width: number) => {
  const view = new DataView(bytes.buffer);
  if (width === 1) return view.getUint8(offset);
  return width === 2 ? view.getUint16(offset, true) : view.getUint32(offset, true);
};

it.each(comparedDevices)('what is read of $kind is what its masks let through, in every access', (device) => {
  const { bytes, writable } = patterned();
  const observations = observed(device, new FakeFunction(bytes, writable));
  for (const { name, offset, width } of device.registers) {
    const [initial, mask] = [number(bytes, offset, width), number(writable, offset, width)];
    const show = (value: number) => `0x${(value >>> 0).toString(16).padStart(2 * width, '0')}`;
    const expected = {
      read: show(initial),
      '1': show(initial | mask),
      '0': show(initial & ~mask),
      restored: show(initial),
    };
    for (const one of observations.filter(({ register }) => register === name)) {
      if (one.access === '0 alone' || one.access === '1 alone') {
        // Bits that stay are seen as they are.
        const alone = one.access === '1 alone' ? initial | mask : initial & ~mask;
        expect(one.value, `${name} ${one.access}`).toBe(show(alone));
        continue;
      }
      const key = one.access.startsWith('read') ? 'read' : one.access === 'restored' ? 'restored' : one.access[0];
      expect(one.value, `${name} ${one.access}`).toBe(expected[key as keyof typeof expected]);
    }
  }
  expect(observations.filter(({ access }) => access.includes('beside') || access.includes('other'))).toEqual([]);
  expect(
    observations.filter(({ register }) => register === 'unaligned').every(({ value }) => value === 'zeros'),
  ).toBe(true);
});

it('an access that changes what it does not cover is told', () => {
  class Leaky extends FakeFunction {
    override read(offset: number, width: number): number {
      const wide = this.writes.at(-1)?.width === 1 && offset === 0x3c ? 0x0100_0000 : 0;
      return (super.read(offset, width) ^ (width === 4 ? wide : 0)) >>> 0;
    }
  }
  const [device] = comparedDevices;
  if (device === undefined) throw new Error('no device');
  const { bytes, writable } = patterned();
  const told = observed(device, new Leaky(bytes, writable)).filter(({ access }) => access.endsWith('beside'));
  expect(told).toEqual([
    { register: 'Max_Lat', offset: 0x3f, access: '1s, beside', value: 'changes 0x01' },
    { register: 'Max_Lat', offset: 0x3f, access: '0s, beside', value: 'changes 0x01' },
  ]);
});

it('answers that are cut off are an error, not an observation', () => {
  const [device] = comparedDevices;
  if (device === undefined) throw new Error('no device');
  const script = buildScript(device);
  const { bytes, writable } = patterned();
  const text = new FakeFunction(bytes, writable).run(script.text);
  expect(() => parseAnswers(text.slice(0, -1), script)).toThrow('config-probe gave');
  expect(() => parseAnswers(text.slice(8), script)).toThrow('config-probe gave');
  expect(parseAnswers(text, script)).toHaveLength(script.answerCount);
});
