import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { attach, detach } from '../../src/xen/index.js';
import { type FakeHost, fakeDomain, fakeNetworkCard } from '../../src/xen/testing/index.js';
import { CARD, eachFailingCall, failure, hostWith, readyHost } from './hosts.js';

const OTHER = '0000:04:00.0';
const request = { domain: '5', device: CARD };

async function attachedHost(): Promise<FakeHost> {
  const host = await readyHost();
  await attach(host, { domain: '5', spec: CARD });
  return host;
}

async function hostWithTwo(): Promise<FakeHost> {
  const host = await readyHost({ functions: [fakeNetworkCard, { sbdf: OTHER, driver: 'pciback' }] });
  await attach(host, { domain: '5', spec: CARD });
  await attach(host, { domain: '5', spec: OTHER });
  return host;
}

test('takes everything back in reverse, and the host is as before the attach', async () => {
  const host = await readyHost();
  const before = host.dump();
  await attach(host, { domain: '5', spec: CARD });
  const first = host.journal.calls.length;
  expect(await detach(host, request)).toEqual({
    domid: 5,
    domainName: 'guest5',
    sbdf: CARD,
    complete: true,
    modelStopped: true,
    notes: [],
  });
  expect(host.dump()).toEqual(before);
  expect(existsSync(join(host.runDir, 'domain-5'))).toBe(false);
  const effects = host.journal.calls
    .slice(first)
    .filter((call) => /^(xc_(de)?assign|xc_domain_io|reset|disable|model)/.test(call));
  expect(effects).toEqual([
    'model.connect 5',
    'model.detach 5 0000:03:00.0',
    'xc_domain_iomem_permission 5 iomem fe840+20 false',
    'xc_domain_iomem_permission 5 iomem fe860+20 false',
    'xc_domain_ioport_permission 5 ioport c000+20 false',
    'xc_domain_iomem_permission 5 iomem fe880+4 false',
    'xc_domain_iomem_permission 5 iomem fe800+40 false',
    'disableBusMaster 0000:03:00.0',
    'reset 0000:03:00.0',
    'xc_deassign_device 5 768',
    'xc_assign_device 32753 768 1',
    'model.shutdown 5',
  ]);
});

test('the model stays for the other device, and the gap in the list closes as with libxl', async () => {
  const host = await hostWithTwo();
  host.store.seed({ '/local/domain/0/backend/pci/5/0/vdev-1': '0000:00:01.0' });
  expect(await detach(host, request)).toMatchObject({ modelStopped: false });
  expect(host.models.dump()).toEqual([`model 5: ${OTHER}`]);
  expect(host.store.dump().filter((node) => /backend\/pci\/5\/0\/(num|dev|vdev|state|key|opts)/.test(node))).toEqual([
    '/local/domain/0/backend/pci/5/0/dev-0 = "0000:04:00.0"',
    '/local/domain/0/backend/pci/5/0/key-0 = "0000:04:00.0"',
    '/local/domain/0/backend/pci/5/0/num_devs = "1"',
    '/local/domain/0/backend/pci/5/0/opts-0 = "msitranslate=0,power_mgmt=0,permissive=0,rdm_policy=strict"',
    '/local/domain/0/backend/pci/5/0/state = "7"',
    '/local/domain/0/backend/pci/5/0/state-0 = "1"',
    '/local/domain/0/backend/pci/5/0/vdev-0 = "0000:00:01.0"',
    '/local/domain/0/backend/pci/5/0/vdevfn-0 = "30"',
  ]);
});

test('refuses what is not attached, and what another toolstack attached', async () => {
  const host = await readyHost();
  expect(await failure(detach(host, request))).toMatchObject({
    code: 'XENPT_NOT_ATTACHED',
    message: '0000:03:00.0 is not attached to domain 5 (guest5)',
  });
  host.store.seed({ '/libxl/pci/0000-03-00-0/domid': '5' });
  const before = host.dump();
  expect(await failure(detach(host, request))).toMatchObject({
    code: 'XENPT_OTHER_TOOLSTACK',
    next: 'Run: xl pci-detach 5 0000:03:00.0',
  });
  expect(host.dump()).toEqual(before);
});

test('refuses without root and without Xen', async () => {
  expect(await failure(detach(hostWith({ isRoot: false }), request))).toMatchObject({ code: 'XENPT_NOT_ROOT' });
  expect(await failure(detach(hostWith({ xen: false }), request))).toMatchObject({ code: 'XENPT_NO_XEN' });
});

test('a device whose model is gone stays reserved until the domain is destroyed, and detach says so', async () => {
  const host = await attachedHost();
  host.models.kill(5);
  for (let round = 0; round < 2; round++) {
    const result = await detach(host, request);
    expect(result.complete).toBe(false);
    expect(result.notes.join(' ')).toMatch(/model of domain 5 is not running.*xl destroy 5/);
    expect(host.toolstack.dump()).toEqual(['device 300 owner 7ff1', 'device 300 quarantined']);
    expect(host.store.dump()).toContain('/libxl/pci/0000-03-00-0/domid = "5"');
  }
});

test('a domain that got the id of a dead one is not touched', async () => {
  const host = await attachedHost();
  host.toolstack.destroyDomain(5);
  host.toolstack.domains.set(5, fakeDomain(5, { handle: '11111111-0000-4000-8000-000000000005' }));
  host.store.remove('/libxl/pci/0000-03-00-0/domid');
  host.store.remove('/local/domain/0/backend/pci');
  const calls = host.journal.calls.length;
  expect(await failure(detach(host, request))).toMatchObject({ code: 'XENPT_NOT_ATTACHED' });
  expect(host.journal.calls.slice(calls).filter((call) => /permission|assign|model/.test(call))).toEqual([]);
});

test('goes on after a failure, names what is left, keeps the device reserved, and a second run finishes', async () => {
  const baseline = (await readyHost()).dump();
  await eachFailingCall(
    attachedHost,
    (host) => detach(host, request),
    async (host, before, error, call) => {
      if (error === undefined) {
        // The device is free; only its model did not end.
        expect(call).toBe('model.shutdown 5');
        expect(host.models.dump()).toEqual(['model 5: ']);
        host.models.kill(5);
        return expect(host.dump()).toEqual(baseline);
      }
      const { outcome, leftovers = [] } = error as { outcome?: string; leftovers?: string[] };
      if (outcome === 'incomplete') expect(leftovers, call).toHaveLength(1);
      else expect(host.dump(), call).toEqual(before);
      expect(host.store.dump(), call).toContain('/libxl/pci/0000-03-00-0/domid = "5"');
      expect(await detach(host, request), call).toMatchObject({ complete: true });
      expect(host.dump(), call).toEqual(baseline);
    },
  );
});
