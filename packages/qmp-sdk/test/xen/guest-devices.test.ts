import { afterEach, expect, test } from 'vitest';
import { FakeQmp } from '../../src/testing/index.js';
import { listGuestDevices } from '../../src/xen/guest-devices.js';
import { createFakeHost, fakeDomain, type FakeHost } from '../../src/xen/testing/index.js';
import { publishDevice } from '../../src/xen/device-nodes.js';
import { parseSbdf } from '@xenpt/pci';

const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close();
});

function host(...options: Parameters<typeof createFakeHost>): FakeHost {
  const made = createFakeHost(...options);
  open.push(made);
  return made;
}

const image = { filename: '/images/one', format: 'raw', 'virtual-size': 1048576 };
const pciFunction = (slot: number, classCode: number, id: string) => ({
  bus: 0,
  slot,
  function: 0,
  class_info: { class: classCode },
  id: { device: 0x1111, vendor: 0x1234 },
  irq_pin: 0,
  qdev_id: id,
  regions: [],
});

/** What QEMU 7.2 said in a guest of the lab, shortened. */
async function listenAsQemu(path: string): Promise<FakeQmp> {
  const qemu = new FakeQmp()
    .on('query-block', () => [
      {
        device: 'ide0-hd0',
        qdev: 'ide0',
        type: 'unknown',
        removable: false,
        locked: false,
        inserted: { file: '/images/one', ro: false, drv: 'raw', image },
      },
      { device: 'ide1-cd0', type: 'unknown', removable: true, locked: false },
    ])
    .on('query-pci', () => [
      {
        bus: 0,
        devices: [
          pciFunction(2, 0x0300, ''),
          pciFunction(4, 0x0200, 'nic0'),
          pciFunction(5, 0x0200, 'pci-pt-03_00.0'),
        ],
      },
    ])
    .on('query-vnc-servers', () => [
      {
        id: 'default',
        auth: 'none',
        clients: [],
        server: [{ host: '127.0.0.1', service: '5900', family: 'ipv4', websocket: false, auth: 'none' }],
      },
    ])
    .on('qom-list', ({ path: at }) => {
      if (at === '/machine/peripheral')
        return [
          { name: 'nic0', type: 'child<e1000>' },
          { name: 'type', type: 'string' },
        ];
      return at === '/machine/peripheral/nic0'
        ? [
            { name: 'mac', type: 'str' },
            { name: 'netdev', type: 'str' },
          ]
        : [];
    })
    .on('qom-get', ({ property }) => (property === 'mac' ? '00:16:3e:00:00:01' : 'net0'));
  await qemu.listen({ unix: path });
  open.push(qemu);
  return qemu;
}

function seedParavirtual(made: FakeHost): void {
  made.store.seed({
    '/libxl/5/device/vbd/51712/backend': '/local/domain/0/backend/vbd/5/51712',
    '/libxl/5/device/vbd/51712/params': 'qcow2:/images/one.qcow2',
    '/libxl/5/device/vbd/51712/dev': 'xvda',
    '/libxl/5/device/vbd/51712/mode': 'w',
    '/local/domain/5/device/vbd/51712/state': '4',
    '/libxl/5/device/vbd/51728/backend': '/local/domain/0/backend/vbd/5/51728',
    '/local/domain/0/backend/vbd/5/51728/params': '/dev/vg/two\u001b[2J',
    '/local/domain/0/backend/vbd/5/51728/mode': 'r',
    '/local/domain/0/backend/vbd/5/51728/type': 'phy',
    '/libxl/5/device/vif/0/mac': '00:16:3e:00:00:01',
    '/libxl/5/device/vif/0/bridge': 'xenbr0',
    '/libxl/5/device/vfb/0/backend': '/local/domain/0/backend/vfb/5/0',
  });
}

const options = { permissive: false, rdmPolicy: 'strict' } as const;

test('emulated, paravirtual and passed through, from QEMU and xenstore', async () => {
  const made = host();
  await listenAsQemu(made.monitors.control(5));
  seedParavirtual(made);
  publishDevice(made.store, 5, { sbdf: parseSbdf('0000:03:00.0'), guestDevfn: 5 << 3, options });
  publishDevice(made.store, 5, { sbdf: parseSbdf('0000:04:00.0'), guestDevfn: 6 << 3, options });
  expect(await listGuestDevices(made, 'guest5')).toMatchInlineSnapshot(`
    {
      "disks": [
        {
          "cdrom": false,
          "connected": null,
          "format": "raw",
          "kind": "emulated",
          "name": "ide0-hd0",
          "readOnly": false,
          "sizeBytes": 1048576,
          "source": "/images/one",
        },
        {
          "cdrom": true,
          "connected": null,
          "format": "",
          "kind": "emulated",
          "name": "ide1-cd0",
          "readOnly": true,
          "sizeBytes": null,
          "source": "",
        },
        {
          "cdrom": false,
          "connected": true,
          "format": "qcow2",
          "kind": "paravirtual",
          "name": "xvda",
          "readOnly": false,
          "sizeBytes": null,
          "source": "/images/one.qcow2",
        },
        {
          "cdrom": false,
          "connected": false,
          "format": "phy",
          "kind": "paravirtual",
          "name": "vbd 51728",
          "readOnly": true,
          "sizeBytes": null,
          "source": "/dev/vg/two?[2J",
        },
      ],
      "displays": [
        {
          "details": "1234:1111",
          "kind": "emulated",
          "name": "0000:00:02.0",
        },
        {
          "details": "authentication none, 0 connected",
          "kind": "vnc",
          "name": "127.0.0.1:5900",
        },
        {
          "details": "not connected",
          "kind": "paravirtual",
          "name": "vfb 0",
        },
      ],
      "domainName": "guest5",
      "domainType": "hvm",
      "domid": 5,
      "nics": [
        {
          "connected": null,
          "kind": "emulated",
          "mac": "00:16:3e:00:00:01",
          "model": "e1000",
          "name": "nic0",
          "network": "net0",
        },
        {
          "connected": false,
          "kind": "paravirtual",
          "mac": "00:16:3e:00:00:01",
          "model": "netfront",
          "name": "vif 0",
          "network": "xenbr0",
        },
      ],
      "notes": [],
      "passedThrough": [
        {
          "guestSbdf": "0000:00:05.0",
          "model": "qemu",
          "options": {
            "permissive": false,
            "rdmPolicy": "strict",
          },
          "sbdf": "0000:03:00.0",
        },
        {
          "guestSbdf": "0000:00:06.0",
          "model": "xenpt",
          "options": {
            "permissive": false,
            "rdmPolicy": "strict",
          },
          "sbdf": "0000:04:00.0",
        },
      ],
    }
  `);
});

test('without a QEMU, what xenstore knows, and no note: it is not missing', async () => {
  const made = host({ domains: [fakeDomain(5, { flags: { hvm: false } })] });
  seedParavirtual(made);
  publishDevice(made.store, 5, { sbdf: parseSbdf('0000:03:00.0'), guestDevfn: 0, options });
  const devices = await listGuestDevices(made, '5');
  expect(devices).toMatchObject({ domainType: 'pv', notes: [], passedThrough: [{ model: 'pciback' }] });
  expect(devices.disks.map(({ name }) => name)).toEqual(['xvda', 'vbd 51728']);
});

test('a QEMU that talks nonsense leaves its part out, with a note', async () => {
  const made = host();
  const qemu = await listenAsQemu(made.monitors.control(5));
  qemu.on('query-pci', () => 'surprise');
  seedParavirtual(made);
  const devices = await listGuestDevices(made, '5');
  expect(devices.notes).toEqual([expect.stringContaining('query-pci returned no list')]);
  expect(devices.disks).toHaveLength(2);
});

test('no such domain, and not root', async () => {
  await expect(listGuestDevices(host(), '9')).rejects.toMatchObject({ code: 'XENPT_NO_SUCH_DOMAIN' });
  await expect(listGuestDevices(host({ isRoot: false }), '5')).rejects.toMatchObject({ code: 'XENPT_NOT_ROOT' });
});
