import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseSbdf } from '@xenpt/pci';
import { expect, test } from 'vitest';
import { attach, detach } from '../../src/xen/index.js';
import { sysfsPath } from '../../src/xen/paths.js';
import { releaseAfterDeath } from '../../src/xen/release-after-death.js';
import { type FakeHost, fakeDomain } from '../../src/xen/testing/index.js';
import { CARD, failure, readyHost } from './hosts.js';

const spec = { domain: '5', spec: CARD };
const device = { domain: '5', device: CARD };

const configOf = (host: FakeHost) => join(host.sysfs.root + sysfsPath.device(parseSbdf(CARD)), 'config');

/** What the reset makes of configuration space, and a way back. */
function resetMakes(host: FakeHost, change: (config: Buffer) => void): () => void {
  const before = readFileSync(configOf(host));
  before.writeUInt32LE(0xfe84_0000, 0x10);
  writeFileSync(configOf(host), before);
  const reset = host.sysfs.reset.bind(host.sysfs);
  host.sysfs.reset = (sbdf) => {
    reset(sbdf);
    const config = Buffer.from(before);
    change(config);
    writeFileSync(configOf(host), config);
  };
  return () => {
    host.sysfs.reset = reset;
    writeFileSync(configOf(host), before);
  };
}

test.each<[string, (config: Buffer) => void, RegExp]>([
  ['reads all ones', (config) => config.fill(0xff), /it reads all ones/],
  ['is another card', (config) => config.writeUInt16LE(0x1533, 2), /device 10d3 is now 1533/],
  ['has lost an address', (config) => config.writeUInt32LE(0, 0x10), /register 10 lost its address fe840000/],
])('a device that %s after its reset is not given', async (_what, change, words) => {
  const host = await readyHost();
  const before = host.dump();
  const mend = resetMakes(host, change);
  const error = await failure(attach(host, spec));
  expect(error).toMatchObject({ code: 'XENPT_DEVICE_BROKEN', step: 'reset the device', outcome: 'rolled-back' });
  expect(error.message).toMatch(words);
  mend();
  expect(host.dump()).toEqual(before);
});

test('one that answers within a second is waited for', async () => {
  const host = await readyHost();
  const mend = resetMakes(host, (config) => config.fill(0xff));
  const { clock: fake } = host;
  let slept = 0;
  const clock = {
    now: () => fake.now(),
    sleep: (ms: number) => {
      if ((slept += ms) >= 300) mend();
      return fake.sleep(ms);
    },
  };
  await attach(Object.assign(Object.create(host) as FakeHost, { clock }), spec);
  expect(slept).toBe(300);
});

test('one that does not answer after its last use stays reserved, and the next detach looks again', async () => {
  const host = await readyHost();
  const before = host.dump();
  await attach(host, spec);
  const mend = resetMakes(host, (config) => config.fill(0xff));
  const error = await failure(detach(host, device));
  expect(error).toMatchObject({ code: 'XENPT_INCOMPLETE', step: 'reset the device' });
  expect(error.leftovers).toEqual([expect.stringContaining('it reads all ones')]);
  expect(host.toolstack.dump()).toEqual(['device 300 owner 7ff1', 'device 300 quarantined']);
  mend();
  expect(await detach(host, device)).toMatchObject({ complete: true });
  expect(host.dump()).toEqual(before);
});

test('after the death of its guest it is told, and the device is in quarantine', async () => {
  const host = await readyHost();
  await attach(host, spec);
  host.toolstack.destroyDomain(5);
  resetMakes(host, (config) => config.fill(0xff));
  const { runDir, toolstack, store, sysfs, clock, processes } = host;
  const dead = { domid: 5, handle: fakeDomain(5).handle, runDir, toolstack, store, sysfs, clock, processes };
  expect(await releaseAfterDeath(dead, [parseSbdf(CARD)])).toEqual([
    expect.stringMatching(/^0000:03:00\.0: reset: .*it reads all ones/),
  ]);
  expect(host.toolstack.dump()).toEqual(['device 300 owner 7ff1', 'device 300 quarantined']);
});

/** Pulled out while the guest has it; its reset does as it is told. */
async function hostWithoutCard(reset: (host: FakeHost, before: Buffer) => void) {
  const host = await readyHost();
  const before = host.dump();
  await attach(host, spec);
  const config = readFileSync(configOf(host));
  writeFileSync(configOf(host), Buffer.alloc(config.length, 0xff));
  host.sysfs.reset = () => reset(host, config);
  const first = host.journal.calls.length;
  const quarantined = () => host.journal.calls.slice(first).filter((call) => call.startsWith('xc_assign_device'));
  return { host, before, quarantined };
}

const noReset = () => {
  throw Object.assign(new Error('ENOTTY: inappropriate ioctl for device, write'), { code: 'ENOTTY' });
};

test.each([
  ['its reset fails', noReset],
  ['stays silent after its reset', () => undefined],
])('one that was pulled out is taken from the guest all the same, when it %s', async (_what, reset) => {
  const { host, before, quarantined } = await hostWithoutCard(reset);
  const { complete, notes } = await detach(host, device);
  expect([complete, notes]).toEqual([
    true,
    [expect.stringMatching(/^0000:03:00\.0 answers all ones: it was pulled out/)],
  ]);
  // Xen would refuse it, and it is there already.
  expect(quarantined()).toEqual([]);
  expect(host.dump()).toEqual(before);
});

test('one that comes back by its reset is put into quarantine as any other', async () => {
  const { host, before, quarantined } = await hostWithoutCard((at, config) => writeFileSync(configOf(at), config));
  expect(await detach(host, device)).toMatchObject({ complete: true, notes: [] });
  expect(quarantined()).toHaveLength(1);
  expect(host.dump()).toEqual(before);
});

test('one that was pulled out before its guest died is told of once, and is in quarantine', async () => {
  const { host } = await hostWithoutCard(noReset);
  host.toolstack.destroyDomain(5);
  const { runDir, toolstack, store, sysfs, clock, processes } = host;
  const dead = { domid: 5, handle: fakeDomain(5).handle, runDir, toolstack, store, sysfs, clock, processes };
  expect(await releaseAfterDeath(dead, [parseSbdf(CARD)])).toEqual([expect.stringMatching(/it was pulled out/)]);
  expect(host.toolstack.dump()).toEqual(['device 300 owner 7ff1', 'device 300 quarantined']);
});
