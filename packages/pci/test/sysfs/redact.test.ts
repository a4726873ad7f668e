import { expect, it } from 'vitest';

import {
  redactCommandLine,
  redactConfig,
  redactGuestConfig,
  redactMounts,
  redactRoutes,
} from '../../src/sysfs/redact.js';
import { readConfigFacts } from '../../src/inventory/config-facts.js';
import { configImage } from '../../src/sysfs/testing/index.js';

it('keeps of a command line what has to do with devices', () => {
  expect(
    redactCommandLine(
      'root=UUID=1-2 ro xen-pciback.hide=(0000:03:00.0) ip=10.0.0.1 iommu=pt secret=x -- --token xen=y\n',
    ),
  ).toBe('ro xen-pciback.hide=(0000:03:00.0) iommu=pt\n');
});

it('keeps of mounts the numbers, of routes that there is one', () => {
  expect(redactMounts('24 1 8:2 /vol /home/alice rw,relatime shared:1 - ext4 /dev/sda2 rw\nx\n')).toBe(
    '24 1 8:2 / /home rw - ext4 none rw\n',
  );
  const route = 'Iface\tDestination\neth0\t00000000\t0100A8C0\t0003\neth0\t0000A8C0\t00000000\t0001\n';
  expect(redactRoutes(route)).toBe('Iface\tDestination\neth0\t00000000\t01000000\t0003');
});

it('keeps of a guest what placement depends on, on the same lines', () => {
  const text = [
    'name = "accounting"  # the boss’s',
    'disk = [ "phy:/dev/vg/secret,xvda,w",',
    '  "file:/secret,xvdb,w" ]',
    'memory = 1024',
    'pci = [ "03:00.0",  # the card',
    '  "04:00.0" ]',
    'vncpasswd = "hunter2"',
  ].join('\n');
  expect(redactGuestConfig(text, () => 'guest-1').split('\n')).toEqual([
    'name = "guest-1"  ',
    '',
    '',
    'memory = 1024',
    'pci = [ "03:00.0",  ',
    '  "04:00.0" ]',
    '',
  ]);
});

it('takes the serial number out of configuration space, and nothing else', () => {
  const image = configImage({ vendorId: 1, deviceId: 2, classCode: 3, serialNumber: 0x1122n, accessControl: 5 });
  const redacted = redactConfig(image);
  expect(readConfigFacts(redacted)).toEqual({ ...readConfigFacts(image), serialNumber: '0'.repeat(16) });
});
