import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { attach, forgetDeadDomains } from '../../src/xen/index.js';
import { domainDir, runFile } from '../../src/xen/run-dir.js';
import { type FakeHost, fakeDomain } from '../../src/xen/testing/index.js';
import { Qemu } from './guest-qemu.js';
import { CARD, readyHost } from './hosts.js';

const running = fakeDomain(5, { flags: { paused: false } });
const { handle } = running;

/** Domain 5 with a device by its QEMU. */
async function hostWithDevice(): Promise<FakeHost> {
  const host = await readyHost({ domains: [running] });
  await Qemu.listen(host);
  await attach(host, { domain: '5', spec: CARD, model: 'qemu' });
  return host;
}

test('what a dead domain left is removed, in Xen and xenstore too where the toolstack has not', async () => {
  const host = await readyHost({ domains: [running] });
  const before = host.dump().filter((line) => !line.includes('/local/domain/5'));
  await Qemu.listen(host);
  await attach(host, { domain: '5', spec: CARD, model: 'qemu' });
  expect(await forgetDeadDomains(host)).toEqual([]);
  expect(existsSync(domainDir(host.runDir, 5))).toBe(true);
  host.toolstack.destroyDomain(5);
  host.store.remove('/local/domain/5');
  expect(await forgetDeadDomains(host)).toEqual([]);
  expect(existsSync(domainDir(host.runDir, 5))).toBe(false);
  expect(host.dump().filter((line) => !line.includes('/local/domain/5'))).toEqual(before);
});

test('a device that another domain has by now is left to it; the record goes', async () => {
  const host = await hostWithDevice();
  host.toolstack.destroyDomain(5);
  host.store.seed({ '/libxl/pci/0000-03-00-0/domid': '6' });
  const calls = host.journal.calls.length;
  expect(await forgetDeadDomains(host)).toEqual([]);
  expect(host.journal.calls.slice(calls).filter((call) => /^(reset|xc_(de)?assign)/.test(call))).toEqual([]);
  expect(existsSync(domainDir(host.runDir, 5))).toBe(false);
});

test.each([
  ['a guest with a model that was killed and is started again', `state-${handle}.a`],
  ['a guest with a model at work', 'model.pid'],
])('%s is left to that', async (_name, file) => {
  const host = await hostWithDevice();
  writeFileSync(join(domainDir(host.runDir, 5), file), String(host.processes.pid));
  host.toolstack.destroyDomain(5);
  expect(await forgetDeadDomains(host)).toEqual([]);
  expect(existsSync(runFile.grants(host.runDir, 5))).toBe(true);
});

test('a record that cannot be read is told of, and hinders nobody', async () => {
  const host = await readyHost();
  mkdirSync(domainDir(host.runDir, 9), { recursive: true, mode: 0o700 });
  writeFileSync(runFile.grants(host.runDir, 9), 'no JSON');
  const { warnings } = await attach(host, { domain: '5', spec: CARD });
  expect(warnings).toEqual([expect.stringMatching(/^Of a domain that is gone: .*domain-9/)]);
});
