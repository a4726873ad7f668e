import { readFileSync, writeFileSync } from 'node:fs';
import { expect, test, vi } from 'vitest';
import { FakeQmp } from '@xenpt/qmp-sdk/testing';
import { fakeDomain, fakeNetworkCard } from '@xenpt/qmp-sdk/xen/testing';
import { CARD, fakeHost, parse, run } from './run.js';

const OTHER = '0000:03:00.1';

function readyHost() {
  return fakeHost({
    functions: [
      { ...fakeNetworkCard, driver: 'pciback' },
      { sbdf: OTHER, driver: 'pciback' },
    ],
  });
}

/** Long paths and the content of records are not repeated here. */
const shortened = (text: string, runDir: string): string =>
  text
    .replaceAll(`${runDir}/domain-5`, 'FOLDER')
    .replaceAll(runDir, '/run/xenpt')
    .replaceAll(/("options":).*("grants":).*(?=})/g, '$1…,$2…')
    .replaceAll(/"grants":\[.*\]/g, '"grants":[…]')
    .replaceAll('/local/domain/0/backend/pci/5/0', 'BACKEND');

test('attach -N prints every write in order, and writes nothing', async () => {
  const host = readyHost();
  const before = host.dump();
  const { exitCode, stdout } = await run(host, 'attach 5 03:00.0@a -N --rom off');
  expect(exitCode).toBe(0);
  expect(host.dump()).toEqual(before);
  expect(shortened(stdout, host.runDir)).toMatchInlineSnapshot(`
    "0000:03:00.0: nothing is written; this would be done:
      1. record what will be granted
           {"sbdf":"0000:03:00.0","guestDevfn":80,"state":"attaching","options":…,"grants":…} > FOLDER/grants.json
      2. mark the device as in use
           xenstore /libxl/pci/0000-03-00-0/domid = "5"
      3. reset the device
           "1" > /sys/bus/pci/devices/0000:03:00.0/reset
      4. allow memory fe840000-fe85ffff
           xc_domain_iomem_permission domain 5 mfn 0xfe840 count 0x20 allow
      5. allow memory fe860000-fe87ffff
           xc_domain_iomem_permission domain 5 mfn 0xfe860 count 0x20 allow
      6. allow ports c000-c01f
           xc_domain_ioport_permission domain 5 first 0xc000 count 0x20 allow
      7. allow memory fe880000-fe883fff
           xc_domain_iomem_permission domain 5 mfn 0xfe880 count 0x4 allow
      8. allow memory fe800000-fe83ffff
           xc_domain_iomem_permission domain 5 mfn 0xfe800 count 0x40 allow
      9. assign the device to the domain
           xc_assign_device domain 5 0000:03:00.0
      10. look for the device model of the guest
      11. start the device model
           a process for domain 5, which asks Xen for an ioreq server
      12. hand the device to the device model
           attach {"sbdf":"0000:03:00.0","guestDevfn":80,"rom":"off"} > FOLDER/control.sock
           the model: Xen sends it what the guest asks of 0000:00:0a.0
      13. announce it to the guest
      14. publish it in xenstore
           xenstore BACKEND = ""
           xenstore-chmod BACKEND n0 r5
           xenstore BACKEND/frontend = "/local/domain/5/device/pci/0"
           xenstore BACKEND/frontend-id = "5"
           xenstore BACKEND/online = "1"
           xenstore BACKEND/state = "1"
           xenstore BACKEND/domain = "guest5"
           xenstore /local/domain/5/device/pci/0 = ""
           xenstore-chmod /local/domain/5/device/pci/0 n5 r0
           xenstore /local/domain/5/device/pci/0/backend = "BACKEND"
           xenstore /local/domain/5/device/pci/0/backend-id = "0"
           xenstore /local/domain/5/device/pci/0/state = "1"
           xenstore BACKEND/key-0 = "0000:03:00.0"
           xenstore BACKEND/dev-0 = "0000:03:00.0"
           xenstore BACKEND/vdevfn-0 = "50"
           xenstore BACKEND/opts-0 = "msitranslate=0,power_mgmt=0,permissive=0,rdm_policy=strict"
           xenstore BACKEND/state-0 = "1"
           xenstore BACKEND/num_devs = "1"
      15. record that it is attached
           {"sbdf":"0000:03:00.0","guestDevfn":80,"state":"attached","options":…,"grants":…} > FOLDER/grants.json
    "
  `);
});

test('attach -N of several functions: each gets a slot of its own, one device model is started', async () => {
  const { stdout, stderr } = await run(readyHost(), 'attach 5 03:00.* --dry-run');
  expect(stdout.match(/Xen sends it what the guest asks of \S+/g)?.map((line) => line.slice(-12))).toEqual([
    '0000:00:05.0',
    '0000:00:06.0',
  ]);
  expect(stdout.match(/start the device model/g)).toHaveLength(1);
  expect(stderr).toBe('');
});

test('attach -N of several by --model qemu: a driver is left first, and no device model is started', async () => {
  const host = fakeHost({ functions: [fakeNetworkCard, { sbdf: OTHER, driver: 'pciback' }] });
  const socket = host.monitors.control(5);
  await using qemu = new FakeQmp().on('query-pci', () => []);
  await qemu.listen({ unix: socket });
  const config = host.libxlConfig.file(5, fakeDomain(5).handle);
  writeFileSync(config, '{}\0');
  const before = host.dump();
  const { exitCode, stdout } = await run(host, 'attach 5 03:00.0,seize=1,permissive=1 03:00.1 --model qemu -N');
  expect(exitCode).toBe(0);
  expect(host.dump()).toEqual(before);
  const lines = stdout.split('\n').map((line) => line.trim().replace(/^[0-9]+\. /, ''));
  const order = ['record the driver', 'unbind from e1000e', 'bind to pciback', 'record what will be granted'];
  const places = [...order, "have the guest's QEMU plug it", 'publish it in xenstore'].map((line) =>
    lines.indexOf(line),
  );
  expect(places).toEqual([...places].sort((a, b) => a - b));
  expect(places).not.toContain(-1);
  const plugged = lines.flatMap((line) => /^device_add (.*) > /.exec(line)?.[1] ?? []).map((text) => parse(text));
  expect(plugged).toEqual([
    { driver: 'xen-pci-passthrough', id: 'pci-pt-03_00.0', hostaddr: CARD, addr: '5.0', permissive: true },
    { driver: 'xen-pci-passthrough', id: 'pci-pt-03_00.1', hostaddr: OTHER, addr: '6.0' },
  ]);
  expect(stdout).not.toMatch(/start the device model|control\.sock/);
  expect(lines).toContain(
    `pcidevs: {"domain":0,"bus":3,"dev":0,"func":0,"vdevfn":40,"permissive":true,"rdm_policy":"strict"} > ${config}`,
  );
  expect(readFileSync(config, 'utf8')).toBe('{}\0');
});

test('attach -N asks nobody, and says what the overrides set aside', async () => {
  const host = fakeHost({
    functions: [
      { ...fakeNetworkCard, driver: 'pciback' },
      { sbdf: OTHER, driver: 'igb' },
    ],
  });
  for (const sbdf of [0x0300, 0x0301]) host.hypervisor.groups.set(sbdf, 1);
  const ask = vi.fn(() => Promise.resolve(false));
  expect((await run(host, 'attach 5 03:00.0 -N', { confirm: ask })).exitCode).toBe(4);
  const { exitCode, stderr } = await run(host, 'attach 5 03:00.0 -N --accept-siblings', { confirm: ask });
  expect([exitCode, ask.mock.calls.length]).toEqual([0, 0]);
  expect(stderr).toContain('group-incomplete');
});

test('detach -N prints every write in order, and writes nothing', async () => {
  const host = readyHost();
  await run(host, 'attach 5 03:00.*');
  const before = host.dump();
  const ask = vi.fn(() => Promise.resolve(false));
  const { exitCode, stdout } = await run(host, 'detach 5 03:00.0 -N --without-guest', { confirm: ask });
  expect([exitCode, ask.mock.calls.length]).toEqual([0, 0]);
  expect(host.dump()).toEqual(before);
  expect(shortened(stdout, host.runDir)).toMatchInlineSnapshot(`
    "0000:03:00.0: nothing is written; this would be done:
      1. record that it is being detached
           {"sbdf":"0000:03:00.0","guestDevfn":40,"state":"detaching","grants":[…]} > FOLDER/grants.json
      2. connect to the device model
      3. take the device from the device model
           detach {"sbdf":"0000:03:00.0"} > FOLDER/control.sock
      4. take back memory fe840000-fe85ffff
           xc_domain_iomem_permission domain 5 mfn 0xfe840 count 0x20 deny
      5. take back memory fe860000-fe87ffff
           xc_domain_iomem_permission domain 5 mfn 0xfe860 count 0x20 deny
      6. take back ports c000-c01f
           xc_domain_ioport_permission domain 5 first 0xc000 count 0x20 deny
      7. take back memory fe880000-fe883fff
           xc_domain_iomem_permission domain 5 mfn 0xfe880 count 0x4 deny
      8. take back memory fe800000-fe83ffff
           xc_domain_iomem_permission domain 5 mfn 0xfe800 count 0x40 deny
      9. stop its DMA
           Command, without Bus Master Enable > /sys/bus/pci/devices/0000:03:00.0/config at 0x4
      10. reset the device
           "1" > /sys/bus/pci/devices/0000:03:00.0/reset
      11. take the device from the domain
           xc_deassign_device domain 5 0000:03:00.0
      12. put it into quarantine
           xc_assign_device domain 32753 (quarantine) 0000:03:00.0
      13. withdraw it from xenstore
           xenstore BACKEND/state-0 = "5"
           xenstore BACKEND/state = "7"
           xenstore BACKEND/key-0 = "0000:03:00.1"
           xenstore BACKEND/dev-0 = "0000:03:00.1"
           xenstore BACKEND/vdevfn-0 = "30"
           xenstore BACKEND/opts-0 = "msitranslate=0,power_mgmt=0,permissive=0,rdm_policy=strict"
           xenstore BACKEND/state-0 = "1"
           xenstore-rm BACKEND/key-1
           xenstore-rm BACKEND/dev-1
           xenstore-rm BACKEND/vdevfn-1
           xenstore-rm BACKEND/opts-1
           xenstore-rm BACKEND/state-1
           xenstore BACKEND/num_devs = "1"
      14. remove the in-use marker
           xenstore-rm /libxl/pci/0000-03-00-0/domid
           xenstore-rm /libxl/pci/0000-03-00-0
      15. remove the record
           the other devices alone > FOLDER/grants.json
    "
  `);
  expect((await run(host, 'detach 5 03:00.* -N')).stdout.match(/end the device model/g)).toHaveLength(1);
});

test('--json: the plans, and no device that was done', async () => {
  const host = readyHost();
  const attached = parse((await run(host, 'attach 5 03:00.0 -N --json')).stdout);
  expect(attached).toMatchObject({ dryRun: true, attached: null, devices: [], plans: [{ sbdf: CARD }] });
  expect(parse((await run(host, 'attach 5 03:00.0 --json')).stdout)).toMatchObject({
    dryRun: false,
    devices: [{ sbdf: CARD }],
    plans: [],
  });
  const detached = parse((await run(host, 'detach 5 03:00.* -N --json')).stdout);
  expect(detached).toMatchObject({ dryRun: true, detached: null, devices: [], plans: [{ sbdf: CARD }] });
});
