import { constants } from 'node:os';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FakeXen } from './support/fake-xen.js';

let fake: FakeXen;
beforeEach(async () => {
  fake = await FakeXen.create();
});
afterEach(() => fake.remove());

describe('HostControl', () => {
  it('reads the command line and reserved memory, asking again when there is more', async () => {
    const results = await fake.run(({ xen }) => {
      const control = xen.HostControl.open();
      const commandLine = control.commandLine();
      const [one] = control.reservedMemory(0x0123_01ff);
      const many = control.reservedMemory(0xc800).length;
      const none = control.reservedMemory(0);
      control.close();
      return { commandLine, one: `${one?.startFrame} ${one?.frameCount}`, many, none };
    }, null);
    expect(results).toEqual({
      commandLine: 'iommu=required extra_guest_irqs=64',
      one: '4096 1',
      many: 200,
      none: [],
    });
    expect(fake.calls().filter((call) => call.includes('reserved'))).toEqual([
      'xc_reserved_device_memory_map 0 291 1 255 64',
      'xc_reserved_device_memory_map 0 0 200 0 64',
      'xc_reserved_device_memory_map 0 0 200 0 200',
      'xc_reserved_device_memory_map 0 0 0 0 64',
    ]);
  });

  it('passes on what Xen refuses, and refuses what is no address and a closed handle', async () => {
    fake.fail('xc_reserved_device_memory_map', constants.errno.EPERM);
    const errors = await fake.run(({ xen, caught }) => {
      const control = xen.HostControl.open();
      const refused = [caught(() => control.reservedMemory(1)), caught(() => control.reservedMemory(2 ** 32))];
      control.close();
      return [...refused, caught(() => control.commandLine())];
    }, null);
    expect(errors).toMatchObject([
      { call: 'xc_reserved_device_memory_map', errnoName: 'EPERM' },
      { name: 'RangeError' },
      { code: 'XEN_CLOSED' },
    ]);
  });
});
