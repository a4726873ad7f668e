import { describe, expect, it } from 'vitest';
import { comparedDevices, isNamed } from '../../src/config-view/registers.js';
import { sceneMachine } from '../../src/story/setting.js';

describe.each(comparedDevices)('$kind', ({ kind, id, registers }) => {
  it('is a device of the scenarios’ machine', () => {
    expect(sceneMachine().devices.find((device) => device.id === id)?.kind).toBe(kind);
  });

  it('has registers in each of its 64 words, none on another, none across two words', () => {
    const taken = new Set<number>();
    for (const { offset, width, name } of registers) {
      expect((offset & 3) + width, name).toBeLessThanOrEqual(4);
      for (let byte = offset; byte < offset + width; byte += 1) {
        expect(taken.has(byte), name).toBe(false);
        taken.add(byte);
      }
    }
    expect(new Set([...taken].map((byte) => byte >>> 2)).size).toBe(64);
    expect(registers.filter(isNamed).length).toBeGreaterThanOrEqual(24);
  });
});

it('gives each device a slot of its own in the guest', () => {
  expect(new Set(comparedDevices.map(({ guestSlot }) => guestSlot)).size).toBe(comparedDevices.length);
});
