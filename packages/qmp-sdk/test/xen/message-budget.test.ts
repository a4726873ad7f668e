import { describe, expect, it } from 'vitest';
import { attach } from '../../src/xen/index.js';
import { extraPirqs, shortageOf } from '../../src/xen/message-budget.js';
import { fakeNetworkCard } from '../../src/xen/testing/index.js';
import { readyHost } from './hosts.js';

/** Configuration space with MSI-X: five entries at the start of BAR 3. */
function withFiveEntries(): Uint8Array {
  const view = new DataView(new ArrayBuffer(256));
  view.setUint32(0x00, 0x10d3_8086, true);
  view.setUint16(0x06, 0x0010, true);
  view.setUint8(0x34, 0xa0);
  view.setUint8(0xa0, 0x11);
  view.setUint16(0xa2, 4, true);
  view.setUint32(0xa4, 0x0003, true);
  view.setUint32(0xa8, 0x2003, true);
  return new Uint8Array(view.buffer);
}

describe('the pirqs that Xen gives a guest for messages', () => {
  it.each([
    ['', 32],
    ['console=com1 iommu=required', 32],
    ['extra_guest_irqs=64', 64],
    ['a extra_guest_irqs=128,512 b', 128],
    ['extra_guest_irqs=,512', 32],
    ['extra_guest_irqs=0', 32],
    ['extra_guest_irqs=0x40', 64],
    ['extra_guest_irqs=64 extra_guest_irqs=96', 96],
    ['no_extra_guest_irqs=64', 32],
    ['extra_guest_irqs=many', 32],
  ])('of "%s"', (commandLine, expected) => {
    expect(extraPirqs(commandLine)).toBe(expected);
  });
});

describe('a device that wants more than is left', () => {
  it.each([
    [{ wanted: 0, promised: 40, limit: 32 }, undefined],
    [{ wanted: 32, promised: 0, limit: 32 }, undefined],
    [{ wanted: 33, promised: 0, limit: 32 }, /has 33 .* domain 5 may use 32 more \(of 32\): .*extra_guest_irqs=64 /],
    [{ wanted: 10, promised: 30, limit: 32 }, /may use 2 more .*extra_guest_irqs=64 /],
    [{ wanted: 2048, promised: 64, limit: 32 }, /may use 0 more .*extra_guest_irqs=2112 /],
  ])('%o', (budget, expected) => {
    const sentence = shortageOf(budget, '0000:03:00.0', { domid: 5 });
    if (expected === undefined) expect(sentence).toBeUndefined();
    else expect(sentence).toMatch(expected);
  });

  it('is attached all the same, with a warning that names the option', async () => {
    const host = await readyHost();
    expect((await attach(host, { domain: '5', spec: '03:00.0' })).warnings.join()).not.toMatch(/extra_guest_irqs/);
    const scarce = await readyHost({ functions: [{ ...fakeNetworkCard, config: withFiveEntries() }] });
    scarce.toolstack.commandLine = 'extra_guest_irqs=2';
    const { warnings } = await attach(scarce, { domain: '5', spec: '03:00.0' });
    expect(warnings).toEqual([expect.stringMatching(/0000:03:00\.0 has 5 message interrupts.*2 more/)]);
  });
});
