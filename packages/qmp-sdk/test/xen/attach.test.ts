import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { addAssignable, attach, detach } from '../../src/xen/index.js';
import { type FakeHost, fakeDomain, fakeNetworkCard } from '../../src/xen/testing/index.js';
import { CARD, eachFailingCall, failure, hostWith, readyHost } from './hosts.js';

const request = { domain: '5', spec: '03:00.0' };

test('gives the device to the guest in the order of the cookbook', async () => {
  const host = await readyHost();
  const first = host.journal.calls.length;
  const attached = await attach(host, request);
  expect(attached).toEqual({
    domid: 5,
    domainName: 'guest5',
    sbdf: CARD,
    guestSbdf: '0000:00:05.0',
    guestDevfn: 0x28,
    model: 'xenpt',
    options: { permissive: false, rdmPolicy: 'strict', seized: false },
    running: false,
    announced: false,
    modelStarted: true,
    pirq: 16,
    hidden: [],
    setAside: [],
    vectors: 3,
    warnings: [],
  });
  const effects = host.journal.calls
    .slice(first)
    .filter((call) => /^(xc_(assign|domain_io)|reset|model|xs_write)/.test(call))
    .map((call) =>
      call.replace('/local/domain/0/backend/pci/5/0', 'BACKEND').replace(/\/local\/domain\/5\/device.*/, 'FRONTEND'),
    );
  expect(effects).toEqual([
    'xs_write /libxl/pci/0000-03-00-0/domid 5',
    'reset 0000:03:00.0',
    'xc_domain_iomem_permission 5 iomem fe840+20 true',
    'xc_domain_iomem_permission 5 iomem fe860+20 true',
    'xc_domain_ioport_permission 5 ioport c000+20 true',
    'xc_domain_iomem_permission 5 iomem fe880+4 true',
    'xc_domain_iomem_permission 5 iomem fe800+40 true',
    'xc_assign_device 5 768 0',
    'model.connect 5',
    'model.start 5',
    'model.attach 5 0000:03:00.0 40',
    'xs_write BACKEND/frontend FRONTEND',
    'xs_write BACKEND/frontend-id 5',
    'xs_write BACKEND/online 1',
    'xs_write BACKEND/state 1',
    'xs_write BACKEND/domain guest5',
    'xs_write FRONTEND',
    'xs_write FRONTEND',
    'xs_write FRONTEND',
    'xs_write BACKEND/key-0 0000:03:00.0',
    'xs_write BACKEND/dev-0 0000:03:00.0',
    'xs_write BACKEND/vdevfn-0 28',
    'xs_write BACKEND/opts-0 msitranslate=0,power_mgmt=0,permissive=0,rdm_policy=strict',
    'xs_write BACKEND/state-0 1',
    'xs_write BACKEND/num_devs 1',
  ]);
});

test('publishes what `xl pci-list` reads, with the permissions of libxl', async () => {
  const host = await readyHost();
  await attach(host, request);
  const nodes = host.store.dump().filter((node) => /\/(backend|device)\/pci|libxl\/pci/.test(node));
  expect(nodes).toMatchInlineSnapshot(`
    [
      "/libxl/pci = """,
      "/libxl/pci/0000-03-00-0 = """,
      "/libxl/pci/0000-03-00-0/domid = "5"",
      "/libxl/pci/0000-03-00-0/driver_path = "/sys/bus/pci/drivers/e1000e"",
      "/local/domain/0/backend/pci = """,
      "/local/domain/0/backend/pci/5 = """,
      "/local/domain/0/backend/pci/5/0 = ""   (n0,r5)",
      "/local/domain/0/backend/pci/5/0/dev-0 = "0000:03:00.0"",
      "/local/domain/0/backend/pci/5/0/domain = "guest5"",
      "/local/domain/0/backend/pci/5/0/frontend = "/local/domain/5/device/pci/0"",
      "/local/domain/0/backend/pci/5/0/frontend-id = "5"",
      "/local/domain/0/backend/pci/5/0/key-0 = "0000:03:00.0"",
      "/local/domain/0/backend/pci/5/0/num_devs = "1"",
      "/local/domain/0/backend/pci/5/0/online = "1"",
      "/local/domain/0/backend/pci/5/0/opts-0 = "msitranslate=0,power_mgmt=0,permissive=0,rdm_policy=strict"",
      "/local/domain/0/backend/pci/5/0/state = "1"",
      "/local/domain/0/backend/pci/5/0/state-0 = "1"",
      "/local/domain/0/backend/pci/5/0/vdevfn-0 = "28"",
      "/local/domain/5/device/pci = """,
      "/local/domain/5/device/pci/0 = ""   (n5,r0)",
      "/local/domain/5/device/pci/0/backend = "/local/domain/0/backend/pci/5/0"",
      "/local/domain/5/device/pci/0/backend-id = "0"",
      "/local/domain/5/device/pci/0/state = "1"",
    ]
  `);
});

test('records every grant, exact to 64 bits, in a file that only root may read', async () => {
  const memory: [bigint, bigint, bigint] = [0xffff_ffff_8000_0000n, 0xffff_ffff_ffff_ffffn, 0x14_0204n];
  const host = await readyHost({ functions: [{ ...fakeNetworkCard, resources: [memory] }] });
  await attach(host, request);
  const folder = join(host.runDir, 'domain-5');
  const record = JSON.parse(readFileSync(join(folder, 'grants.json'), 'utf8')) as unknown;
  expect(record).toEqual({
    schemaVersion: 1,
    domid: 5,
    handle: fakeDomain(5).handle,
    devices: [
      {
        sbdf: CARD,
        guestDevfn: 0x28,
        state: 'attached',
        grants: [{ kind: 'memory', mfn: '0xffffffff80000', count: '0x80000' }],
      },
    ],
  });
  expect(statSync(folder).mode & 0o777).toBe(0o700);
  expect(statSync(join(folder, 'grants.json')).mode & 0o777).toBe(0o600);
  expect(host.toolstack.dump()).toContain('domain 5 iomem ffffffff80000+80000');
});

test('finds the guest by name, takes the asked slot (hexadecimal) and says that it runs', async () => {
  const host = await readyHost({ domains: [fakeDomain(5, { flags: { paused: false } })] });
  expect(await attach(host, { domain: 'guest5', spec: `${CARD}@1f` })).toMatchObject({
    guestSbdf: '0000:00:1f.0',
    guestDevfn: 0xf8,
    running: true,
  });
});

test('a device that cannot be reset is given with a warning', async () => {
  const host = hostWith({ functions: [{ ...fakeNetworkCard, resettable: false }] });
  await addAssignable(host, CARD, { overrides: ['no-reset-ok'] });
  const { warnings } = await attach(host, request);
  expect(warnings).toEqual([expect.stringContaining('no way to reset')]);
  expect(host.journal.calls).not.toContain('reset 0000:03:00.0');
});

test('replaces the marker of a domain that is gone', async () => {
  const host = await readyHost();
  host.store.seed({ '/libxl/pci/0000-03-00-0/domid': '4' });
  await attach(host, request);
  expect(host.store.dump()).toContain('/libxl/pci/0000-03-00-0/domid = "5"');
});

test('a conflict in xenstore is not a failure', async () => {
  const host = await readyHost();
  host.store.conflicts = 2;
  await attach(host, request);
  expect(host.store.dump()).toContain('/local/domain/0/backend/pci/5/0/num_devs = "1"');
});

test.each([
  ['EBUSY', 'XENPT_DEVICE_IN_USE'],
  ['EXDEV', 'XENPT_DOMAIN_MEMORY_BUSY'],
  ['EPERM', 'XENPT_RESERVED_MEMORY'],
  ['EBADF', 'XENPT_DEVICE_BROKEN'],
  ['ENOMEM', 'XENPT_STEP_FAILED'],
])('%s of the assignment becomes %s, rolled back', async (errno, code) => {
  const host = await readyHost();
  host.toolstack.assignError = errno;
  const before = host.dump();
  const error = await failure(attach(host, request));
  expect(error).toMatchObject({ code, step: 'assign the device to the domain', outcome: 'rolled-back' });
  expect(error.message).toMatch(/^attach 0000:03:00\.0 to domain 5 \(guest5\): the step "assign the device/);
  expect(host.dump()).toEqual(before);
});

test('a failure at any call leaves everything as it was and names step and cause', async () => {
  const count = await eachFailingCall(
    readyHost,
    (host) => attach(host, request),
    (host, before, error, call) => {
      expect(error, call).toBeDefined();
      expect(host.dump(), call).toEqual(before);
      expect(existsSync(join(host.runDir, 'domain-5')), call).toBe(false);
      expect(existsSync(join(host.runDir, 'lock')), call).toBe(false);
      if ((error as { outcome?: string }).outcome === 'rolled-back') {
        expect(error, call).toMatchObject({ code: 'XENPT_STEP_FAILED', leftovers: [] });
        expect((error as Error).message, call).toMatch(/the step ".+" failed: .+ failed with EIO$/);
      }
    },
  );
  expect(count).toBeGreaterThan(40);
});

test('a failure while a second device is attached leaves the first one alone', async () => {
  const prepare = async () => {
    const host = await readyHost({ functions: [fakeNetworkCard, { sbdf: '0000:04:00.0', driver: 'pciback' }] });
    await attach(host, { domain: '5', spec: '04:00.0' });
    return host;
  };
  await eachFailingCall(
    prepare,
    (host) => attach(host, request),
    (host, before, error, call) => {
      expect(error, call).toBeDefined();
      expect(host.dump(), call).toEqual(before);
    },
  );
});

test('what cannot be undone is listed', async () => {
  const host = await readyHost();
  host.toolstack.assignError = 'ENOMEM';
  const permission = host.toolstack.ioportPermission.bind(host.toolstack);
  host.toolstack.ioportPermission = (domid, first, count, allow) => {
    if (!allow) throw new Error('Xen does not take it back');
    permission(domid, first, count, allow);
  };
  const error = await failure(attach(host, request));
  expect(error).toMatchObject({
    code: 'XENPT_INCOMPLETE',
    outcome: 'incomplete',
    leftovers: ['not undone: allow ports c000-c01f (Xen does not take it back)'],
  });
});

test('an abort signal is honoured between the steps', async () => {
  const host = await readyHost();
  const before = host.dump();
  const controller = new AbortController();
  const reset = host.sysfs.reset.bind(host.sysfs);
  host.sysfs.reset = (sbdf) => {
    reset(sbdf);
    controller.abort();
  };
  const error = await failure(attach(host, { ...request, signal: controller.signal }));
  expect(error.code).toBe('XENPT_ABORTED');
  expect(host.dump()).toEqual(before);
});

test('the record of an attach that was cut off is cleaned up by detach', async () => {
  const host = await readyHost();
  const before = host.dump();
  const start = host.models.start.bind(host.models);
  // As a SIGKILL of the command: neither this step nor any undo returns.
  host.models.start = () => new Promise(() => {});
  void attach(host, request);
  await new Promise((resolve) => setTimeout(resolve, 10));
  host.models.start = start;
  const revived: FakeHost = Object.assign(Object.create(host) as FakeHost, {
    processes: { pid: 4712, isAlive: (pid: number) => pid === 4712 },
  });
  const refused = await failure(attach(revived, request));
  expect(refused.message).toMatch(/cut off half way/);
  expect(await detach(revived, { domain: '5', device: CARD })).toMatchObject({ complete: true });
  expect(host.dump()).toEqual(before);
  expect(existsSync(join(host.runDir, 'domain-5'))).toBe(false);
});

test('options of xl reach Xen and xenstore, and are told as they are in effect', async () => {
  const host = hostWith();
  const attached = await attach(host, { domain: '5', spec: `${CARD},permissive=1,rdm_policy=relaxed,seize=1` });
  expect(attached.options).toEqual({ permissive: true, rdmPolicy: 'relaxed', seized: true });
  expect(host.journal.calls).toContain('xc_assign_device 5 768 1');
  expect(host.models.opened).toEqual({ permissive: true });
  expect(host.store.dump()).toContain(
    '/local/domain/0/backend/pci/5/0/opts-0 = "msitranslate=0,power_mgmt=0,permissive=1,rdm_policy=relaxed"',
  );
});

test('a device that was seized for an attach that fails goes back to its driver', async () => {
  const host = hostWith();
  const before = host.dump();
  host.toolstack.assignError = 'EBUSY';
  expect(await failure(attach(host, { domain: '5', spec: `${CARD},seize=1` }))).toMatchObject({
    code: 'XENPT_DEVICE_IN_USE',
  });
  expect(host.dump()).toEqual(before);
});

test('seize=0 takes nothing from a driver', async () => {
  expect(await failure(attach(hostWith(), { domain: '5', spec: `${CARD},seize=0` }))).toMatchObject({
    code: 'XENPT_DEVICE_HAS_DRIVER',
  });
});
