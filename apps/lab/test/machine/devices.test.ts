import { describe, expect, it } from 'vitest';
import {
  defaultDevices,
  deviceArguments,
  hotPlugBus,
  placeDevices,
  type LabDevice,
} from '../../src/machine/devices.js';

const places = (devices: LabDevice[]) => placeDevices(devices).map(({ device, sbdf }) => `${device.id} ${sbdf}`);

describe('placeDevices', () => {
  it('gives each root port a bus of its own, in order', () => {
    expect(places([...defaultDevices])).toEqual(['nic0 0000:01:00.0', 'nic1 0000:02:00.0']);
  });

  it('keeps addresses on the root bus apart from root ports', () => {
    const devices: LabDevice[] = [
      { kind: 'ich9-intel-hda', id: 'sound' },
      { kind: 'nvme', id: 'disk' },
      { kind: 'rtl8139', id: 'old', network: {} },
      { kind: 'e1000e', id: 'nic', rootPort: false },
    ];
    expect(places(devices)).toEqual([
      'sound 0000:00:08.0',
      'disk 0000:01:00.0',
      'old 0000:00:09.0',
      'nic 0000:00:0a.0',
    ]);
  });

  it('refuses two devices of one name, a name that is no word, and more than there is room for', () => {
    const edu = (id: string): LabDevice => ({ kind: 'edu', id });
    expect(() => placeDevices([edu('a'), edu('a')])).toThrow('"a"');
    expect(() => placeDevices([edu('a,b')])).toThrow('"a,b"');
    expect(() => placeDevices(Array.from({ length: 9 }, (_, index) => edu(`e${index}`)))).toThrow('room');
  });
});

it('knows the bus of each root port as its ACPI hot-plug does, which counts from the last one down', () => {
  const devices: LabDevice[] = [...defaultDevices, { kind: 'edu', id: 'beside' }, { kind: 'nvme', id: 'disk' }];
  expect(['nic0', 'nic1', 'disk', 'beside'].map((id) => hotPlugBus(devices, id))).toEqual([2, 1, 0, undefined]);
});

describe('deviceArguments', () => {
  it('puts a network card on its port and its network behind it', () => {
    const args = deviceArguments([{ kind: 'e1000e', id: 'nic0', network: { tftpRoot: '/srv/a,b' } }]);
    expect(args).toEqual([
      ...['-device', 'pcie-root-port,id=port-nic0,bus=pcie.0,addr=0x10,chassis=1'],
      ...['-netdev', 'user,id=net-nic0,restrict=on,tftp=/srv/a,,b'],
      ...['-device', 'e1000e,id=nic0,bus=port-nic0,netdev=net-nic0'],
    ]);
  });

  it('never lets a network reach further than the gateway', () => {
    const networks = deviceArguments([...defaultDevices]).filter((argument) => argument.startsWith('user,'));
    expect(networks).toHaveLength(2);
    for (const network of networks) expect(network).toContain('restrict=on');
  });

  it('gives a sound card something to play on', () => {
    const args = deviceArguments([{ kind: 'ich9-intel-hda', id: 'sound' }]);
    expect(args).toEqual([
      ...['-audiodev', 'none,id=audio-sound'],
      ...['-device', 'ich9-intel-hda,id=sound,bus=pcie.0,addr=0x08'],
      ...['-device', 'hda-output,bus=sound.0,audiodev=audio-sound'],
    ]);
  });

  it('gives a disk with virtual functions the subsystem they share, and two queues and an interrupt each', () => {
    const args = deviceArguments([{ kind: 'nvme', id: 'disk', virtualFunctions: 3 }]);
    expect(args.slice(args.indexOf('nvme-subsys,id=subsystem-disk'))).toEqual([
      'nvme-subsys,id=subsystem-disk',
      '-device',
      'nvme,id=disk,bus=port-disk,serial=disk,subsys=subsystem-disk,' +
        'sriov_max_vfs=3,sriov_vq_flexible=6,sriov_vi_flexible=3',
      ...['-device', 'nvme-ns,bus=disk,drive=disk-disk'],
    ]);
    expect(deviceArguments([{ kind: 'nvme', id: 'disk' }]).join(' ')).not.toMatch(/subsys|sriov/);
  });
});
