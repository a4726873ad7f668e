import { existsSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { FakeError } from '../../src/testing/index.js';
import { attach, detach, guestView, listGuestDevices } from '../../src/xen/index.js';
import { readGrants } from '../../src/xen/grants.js';
import { readLibxlConfig } from '../../src/xen/libxl-config.js';
import { domainDir } from '../../src/xen/run-dir.js';
import { type FakeHost, fakeDomain } from '../../src/xen/testing/index.js';
import { Qemu } from './guest-qemu.js';
import { CARD, failure, readyHost } from './hosts.js';

const running = fakeDomain(5, { flags: { paused: false } });
const request = { domain: '5', spec: `${CARD}@6`, model: 'qemu' } as const;
const back = { domain: '5', device: CARD };
const ID = 'pci-pt-03_00.0';

async function hostWithQemu(domain = running): Promise<{ host: FakeHost; qemu: Qemu }> {
  const host = await readyHost({ domains: [domain] });
  return { host, qemu: await Qemu.listen(host) };
}

test('QEMU gets the device after Xen has, under the name that xl knows it by', async () => {
  const { host, qemu } = await hostWithQemu();
  let assignedBefore = false;
  qemu.beforeAdd = () => (assignedBefore = host.toolstack.owners.get(0x300) === 5);
  const attached = await attach(host, { ...request, permissive: true });
  expect(attached).toMatchObject({
    model: 'qemu',
    guestSbdf: '0000:00:06.0',
    vectors: null,
    announced: true,
    modelStarted: false,
    warnings: [expect.stringContaining('restarts: there is no configuration of libxl')],
  });
  expect(qemu.added).toEqual([
    { driver: 'xen-pci-passthrough', id: ID, hostaddr: CARD, addr: '6.0', permissive: true },
  ]);
  expect(assignedBefore).toBe(true);
  expect(host.store.dump()).toContain('/local/domain/0/backend/pci/5/0/vdevfn-0 = "30"');
  expect(host.journal.calls.some((call) => call.startsWith('model.'))).toBe(false);
  expect(readGrants(host.runDir, 5)?.devices).toMatchObject([{ model: 'qemu', state: 'attached' }]);
});

test('libxl remembers it for a restart, until it is detached or its attach is undone', async () => {
  const { host, qemu } = await hostWithQemu();
  const path = host.libxlConfig.file(5, running.handle);
  writeFileSync(path, '{"on_reboot":"restart"}\0');
  expect((await attach(host, request)).warnings).toEqual([]);
  expect(readLibxlConfig(path)?.pcidevs).toMatchObject([{ bus: 3, dev: 0, func: 0, vdevfn: 0x30 }]);
  await detach(host, back);
  expect(readLibxlConfig(path)).toEqual({ on_reboot: 'restart' });
  const write = host.store.transaction.bind(host.store);
  let transactions = 0;
  host.store.transaction = (work) => {
    if (++transactions === 2) throw new Error('no space');
    return write(work);
  };
  expect(await failure(attach(host, request))).toMatchObject({ outcome: 'rolled-back' });
  expect(readLibxlConfig(path)).toEqual({ on_reboot: 'restart' });
  expect([...qemu.plugged.keys()]).toEqual([]);
});

test('who serves it is told, and what only our model knows is refused by name', async () => {
  const { host } = await hostWithQemu();
  await attach(host, request);
  expect((await listGuestDevices(host, '5')).passedThrough).toMatchObject([{ sbdf: CARD, model: 'qemu' }]);
  expect(await failure(guestView(host, back))).toMatchObject({
    code: 'XENPT_MODEL_NOT_RUNNING',
    message: expect.stringContaining('served by its QEMU') as string,
  });
});

test.each([
  ['--allow', { allow: ['vendor-specific@0x90+4:0xff'] }],
  ['--rom', { rom: 'off' }],
] as const)('%s is not QEMU’s', async (name, options) => {
  const { host } = await hostWithQemu();
  const before = host.dump();
  expect(await failure(attach(host, { ...request, ...options }))).toMatchObject({
    code: 'XENPT_OPTION_REFUSED',
    message: expect.stringContaining(name) as string,
  });
  expect(host.dump()).toEqual(before);
});

test('a guest without QEMU is refused before anything is changed', async () => {
  const host = await readyHost();
  const before = host.dump();
  expect(await failure(attach(host, request))).toMatchObject({ code: 'XENPT_NO_MONITOR', outcome: 'untouched' });
  expect(host.dump()).toEqual(before);
});

test('when QEMU refuses it, everything is put back', async () => {
  const { host, qemu } = await hostWithQemu();
  const before = host.dump();
  qemu.beforeAdd = () => {
    throw new FakeError('GenericError', 'failed to open device');
  };
  expect(await failure(attach(host, request))).toMatchObject({
    outcome: 'rolled-back',
    step: "have the guest's QEMU plug it",
    message: expect.stringContaining('failed to open device') as string,
  });
  expect(host.dump()).toEqual(before);
  expect(existsSync(domainDir(host.runDir, 5))).toBe(false);
});

test('what fails after QEMU has it is taken out of QEMU without the guest', async () => {
  const { host, qemu } = await hostWithQemu();
  const before = host.dump();
  qemu.answer = 'is silent';
  const write = host.store.transaction.bind(host.store);
  let transactions = 0;
  host.store.transaction = (work) => {
    // The first is the marker; the second publishes.
    if (++transactions === 2) throw new Error('no space');
    return write(work);
  };
  expect(await failure(attach(host, request))).toMatchObject({ outcome: 'rolled-back' });
  expect([...qemu.plugged.keys()]).toEqual([]);
  expect(qemu.typed).toEqual(['o /w 0xae08 0x40']);
  expect(host.dump()).toEqual(before);
});

test('QEMU that puts it elsewhere is not believed', async () => {
  const { host, qemu } = await hostWithQemu();
  const before = host.dump();
  qemu.place = () => 9;
  qemu.answer = 'is silent';
  expect(await failure(attach(host, request))).toMatchObject({
    code: 'XENPT_STEP_FAILED',
    outcome: 'rolled-back',
    message: expect.stringContaining('at 0000:00:09.0, not at 0000:00:06.0') as string,
  });
  expect(qemu.typed).toEqual(['o /w 0xae08 0x200']);
  expect(host.dump()).toEqual(before);
});

test('detach: the guest ejects it, QEMU has let go, Xen takes it back', async () => {
  const { host, qemu } = await hostWithQemu();
  const before = host.dump();
  await attach(host, request);
  expect(await detach(host, back)).toMatchObject({ complete: true, notes: [] });
  expect([qemu.asked, qemu.typed]).toEqual([[ID], []]);
  expect(host.dump()).toEqual(before);
  expect(existsSync(domainDir(host.runDir, 5))).toBe(false);
});

test('detach: a guest that does not eject keeps it, and nothing was taken', async () => {
  const { host, qemu } = await hostWithQemu();
  await attach(host, request);
  const before = host.dump();
  qemu.answer = 'is silent';
  expect(await failure(detach(host, { ...back, timeoutMs: 50 }))).toMatchObject({ code: 'XENPT_GUEST_KEEPS_DEVICE' });
  expect(host.dump()).toEqual(before);
  // Without the guest: QEMU was asked before, and is given the eject.
  expect(await detach(host, { ...back, withoutGuest: true })).toMatchObject({ complete: true });
  expect(qemu.typed).toEqual(['o /w 0xae08 0x40']);
  expect([...qemu.plugged.keys()]).toEqual([]);
});

test('detach from a paused guest does not wait for it', async () => {
  const { host, qemu } = await hostWithQemu(fakeDomain(5));
  qemu.answer = 'is silent';
  await attach(host, request);
  expect(await detach(host, back)).toMatchObject({ complete: true, notes: [expect.stringContaining('paused')] });
  expect([...qemu.plugged.keys()]).toEqual([]);
});

test('one that xl has detached meanwhile is not ours to detach, and can be attached again', async () => {
  const { host, qemu } = await hostWithQemu();
  await attach(host, request);
  qemu.eject(ID);
  host.toolstack.deassignDevice(5, 0x300);
  for (const grant of readGrants(host.runDir, 5)?.devices[0]?.grants ?? []) {
    if (grant.kind === 'io') host.toolstack.ioportPermission(5, grant.first, grant.count, false);
    else host.toolstack.iomemPermission(5, grant.mfn, grant.count, false);
  }
  for (const path of ['/libxl/pci/0000-03-00-0/domid', '/local/domain/0/backend/pci/5']) host.store.remove(path);
  expect(await failure(detach(host, back))).toMatchObject({ code: 'XENPT_NOT_ATTACHED' });
  await attach(host, { ...request, spec: CARD, model: 'xenpt' });
  expect(readGrants(host.runDir, 5)?.devices).toMatchObject([{ sbdf: CARD, state: 'attached' }]);
  expect(readGrants(host.runDir, 5)?.devices[0]?.model).toBeUndefined();
});
