import { parseSbdf } from '@xenpt/pci';
import { expect, test } from 'vitest';
import { deviceIn, rehearsedDevice } from '../../src/xen/journal-device.js';
import { CARD, hostWith } from './hosts.js';

const sbdf = parseSbdf(CARD);
const pciback = '/sys/bus/pci/drivers/pciback';
const device = `/sys/bus/pci/devices/${CARD}`;

test('what is written to a rehearsed function is seen in it alone', () => {
  const { sysfs } = hostWith();
  const writes: string[] = [];
  const rehearsed = rehearsedDevice(sysfs, sbdf, writes);
  rehearsed.write('/sys/bus/pci/drivers/e1000e/unbind', CARD);
  expect(rehearsed.driver()).toBeUndefined();
  rehearsed.write(`${pciback}/new_slot`, CARD);
  rehearsed.write(`${device}/driver_override`, 'pciback\n');
  rehearsed.write(`${pciback}/bind`, CARD);
  rehearsed.writeConfig(0x10, 0xfebc0000);
  const seen = [rehearsed.driver(), rehearsed.hasSlot(), rehearsed.driverOverride()];
  expect(seen).toEqual([pciback, true, 'pciback']);
  expect([...rehearsed.config().slice(0x10, 0x14)]).toEqual([0, 0, 0xbc, 0xfe]);
  expect(writes).toEqual([
    `"${CARD}" > /sys/bus/pci/drivers/e1000e/unbind`,
    `"${CARD}" > ${pciback}/new_slot`,
    `"pciback" > ${device}/driver_override`,
    `"${CARD}" > ${pciback}/bind`,
    `0xfebc0000 > ${device}/config at 0x10`,
  ]);
  rehearsed.write(`${pciback}/remove_slot`, CARD);
  rehearsed.write(`${device}/driver_override`, '\n');
  expect([rehearsed.hasSlot(), rehearsed.driverOverride()]).toEqual([false, null]);
  const real = deviceIn(sysfs, sbdf);
  expect([real.driver(), real.hasSlot(), real.driverOverride()]).toEqual([
    '/sys/bus/pci/drivers/e1000e',
    false,
    null,
  ]);
});
