import { beforeAll, describe, expect, it } from 'vitest';
import { deviceStep, libraryMissing } from '../src/availability.js';
import { Control, DeviceModel, EventChannels, ForeignMemory, IoreqPort, Xenstore } from '../src/index.js';
import { readHypervisor } from '../src/libraries.js';
import { ensureAddon } from './support/build.js';

const xen = { major: 4, minor: 20 };

describe('the next step', () => {
  it.each([
    { library: 'xenctrl', errno: 'ENOENT', version: null, present: false, step: /^boot this machine under Xen/ },
    { library: 'xenevtchn', errno: 'ENOENT', version: xen, present: false, step: /^modprobe xen-evtchn$/ },
    { library: 'xenctrl', errno: 'ENOENT', version: xen, present: false, step: /^modprobe xen-privcmd$/ },
    { library: 'xenctrl', errno: 'EACCES', version: xen, present: true, step: /^run as root$/ },
    { library: 'xenstore', errno: 'ENOENT', version: xen, present: false, step: /^start xenstored/ },
    { library: 'xenctrl', errno: 'ENOSYS', version: xen, present: true, step: /^run in dom0/ },
  ] as const)('of $library, $errno, node present: $present', ({ library, errno, version, present, step }) => {
    expect(deviceStep(library, errno, version, present)).toMatch(step);
  });

  it('for a missing library is the package of the running release', () => {
    expect(libraryMissing('xenctrl', 'not found', xen).message).toContain('apt-get install xen-utils-4.20');
    expect(libraryMissing('xenctrl', 'not found', null).message).toContain('apt-get install xen-system-amd64');
  });
});

describe.skipIf(readHypervisor() !== null)('on a machine without Xen', () => {
  beforeAll(ensureAddon);

  it.each([
    { name: 'Control', open: () => Control.open() },
    { name: 'DeviceModel', open: () => DeviceModel.open() },
    { name: 'EventChannels', open: () => EventChannels.open() },
    { name: 'ForeignMemory', open: () => ForeignMemory.open() },
    { name: 'Xenstore', open: () => Xenstore.open() },
    { name: 'IoreqPort', open: () => IoreqPort.open({ domid: 1, serverId: 0, vcpuCount: 1, wakePort: 0 }) },
  ])('$name.open names what is missing and what to do', ({ open }) => {
    expect(open).toThrow(
      expect.objectContaining({
        name: 'XenUnavailableError',
        code: 'XEN_UNAVAILABLE',
        missing: expect.stringMatching(/^(\/dev\/xen\/\w+|libxen\w+)$/) as string,
        nextStep: expect.stringContaining('boot this machine under Xen') as string,
      }),
    );
  });
});
