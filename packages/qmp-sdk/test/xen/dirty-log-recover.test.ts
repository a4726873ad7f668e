import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { openDirtyLog, recoverDirtyLogs, type XenHost } from '../../src/xen/index.js';
import { runFile } from '../../src/xen/run-dir.js';
import { type FakeHost, fakeDomain } from '../../src/xen/testing/index.js';
import { eachFailingCall, failure, hostWith } from './hosts.js';

const recordOf = (host: XenHost, domid = 5) => runFile.dirtyLog(host.runDir, domid);

/** A host on which process 4700 was killed while it measured domain 5. */
async function hostAfterKill(): Promise<FakeHost> {
  const host = hostWith({ domains: [fakeDomain(5), fakeDomain(6)] });
  host.processList.start(4700, ['node', 'xenpt', 'dirty-rate', '5'], '900');
  await openDirtyLog({ ...host, processes: { pid: 4700, isAlive: () => true } }, { domain: '5' });
  host.processList.kill(4700);
  host.dirtyLogs.openCount = 0; // the kernel closes what a dead process had open
  return host;
}

test('nothing to do: nothing is opened', async () => {
  const host = hostWith();
  expect(await recoverDirtyLogs(host)).toEqual([]);
  expect(host.journal.calls).toEqual([]);
});

test('switches off what a dead process left on, and says so; the second time there is nothing', async () => {
  const host = await hostAfterKill();
  host.dirtyLogs.setOn(6, true); // somebody else's
  expect(await recoverDirtyLogs(host)).toEqual([
    {
      domid: 5,
      handle: fakeDomain(5).handle,
      owner: 4700,
      outcome: 'switched-off',
      sentence: 'Dirty logging of domain 5 is off; process 4700, which had switched it on, is dead.',
    },
  ]);
  expect([host.dirtyLogs.isOn(5), host.dirtyLogs.isOn(6)]).toEqual([false, true]);
  expect(existsSync(recordOf(host))).toBe(false);
  expect(host.dirtyLogs.openCount).toBe(0);
  expect(await recoverDirtyLogs(host)).toEqual([]);
});

test('a process that was started later with the same id is not the owner', async () => {
  const host = await hostAfterKill();
  host.processList.start(4700, ['bash'], '901');
  expect(await recoverDirtyLogs(host)).toMatchObject([{ outcome: 'switched-off' }]);
});

test('leaves a running measurement alone', async () => {
  const host = await hostAfterKill();
  host.processList.start(4700, ['node', 'xenpt', 'dirty-rate', '5'], '900');
  expect(await recoverDirtyLogs(host)).toMatchObject([{ outcome: 'owner-alive', owner: 4700 }]);
  expect(host.dirtyLogs.isOn(5)).toBe(true);
  expect(existsSync(recordOf(host))).toBe(true);
});

test.each([
  ['gone', (host: FakeHost) => host.toolstack.destroyDomain(5), false],
  ['dying', (host: FakeHost) => host.toolstack.domains.set(5, fakeDomain(5, { flags: { dying: true } })), true],
  [
    'another one with its id',
    (host: FakeHost) => host.toolstack.domains.set(5, fakeDomain(5, { handle: 'x' })),
    true,
  ],
])('a domain that is %s is not touched, and the record goes', async (_name, happen, isOn) => {
  const host = await hostAfterKill();
  happen(host);
  const calls = host.journal.calls.length;
  host.dirtyLogs.setOn(5, isOn);
  expect(await recoverDirtyLogs(host)).toMatchObject([{ outcome: 'domain-gone' }]);
  expect(host.journal.calls.slice(calls).some((call) => call.includes('shadow_control'))).toBe(false);
  expect(host.dirtyLogs.isOn(5)).toBe(isOn);
  expect(existsSync(recordOf(host))).toBe(false);
});

test('a migration keeps its log', async () => {
  const host = await hostAfterKill();
  host.processList.start(80, ['/usr/bin/libxl-save-helper', '--save-domain', '8', '9', '5', '1', '63']);
  expect(await recoverDirtyLogs(host)).toMatchObject([{ outcome: 'migration-running' }]);
  expect(host.dirtyLogs.isOn(5)).toBe(true);
});

test('a damaged record is told, kept, and no reason to leave out the others', async () => {
  const host = await hostAfterKill();
  writeFileSync(recordOf(host, 3), '{"schemaVersion":1,"domid":3,"handle":"x","owner":{"pid":0}}');
  writeFileSync(recordOf(host, 6), 'not JSON');
  const found = await recoverDirtyLogs(host);
  expect(found.map(({ domid, outcome }) => [domid, outcome])).toEqual([
    [3, 'failed'],
    [5, 'switched-off'],
    [6, 'failed'],
  ]);
  expect(found[2]?.sentence).toMatch(/domain-6\.json cannot be read .* Remove it/);
  expect(found[2]).toMatchObject({ handle: null, owner: null });
  expect(existsSync(recordOf(host, 6))).toBe(true);
});

test('a fault at each call: the record stays, and the next recovery does it', async () => {
  const count = await eachFailingCall(hostAfterKill, recoverDirtyLogs, async (host, _before, error, call) => {
    expect(error, call).toBeUndefined(); // it is told in the result
    expect(existsSync(recordOf(host)), call).toBe(true);
    expect(await recoverDirtyLogs(host)).toMatchObject([{ outcome: 'switched-off' }]);
    expect(host.dirtyLogs.isOn(5)).toBe(false);
  });
  expect(count).toBe(2);
});

test('a fault is told with the next step', async () => {
  const host = await hostAfterKill();
  host.journal.failAt(1);
  const [entry] = await recoverDirtyLogs(host);
  expect(entry).toMatchObject({ outcome: 'failed', owner: 4700 });
  expect(entry?.sentence).toContain('xc_shadow_control failed with EIO');
});

test('is for root; and refuses a folder that others may enter', async () => {
  expect(await failure(recoverDirtyLogs(hostWith({ isRoot: false })))).toMatchObject({ code: 'XENPT_NOT_ROOT' });
  const host = hostWith();
  mkdirSync(host.runDir, { recursive: true, mode: 0o700 });
  mkdirSync(runFile.dirtyLogs(host.runDir), { mode: 0o755 });
  expect(await failure(openDirtyLog(host, { domain: '5' }))).toMatchObject({
    message: expect.stringContaining('only root may enter') as string,
  });
  expect(host.dirtyLogs.isOn(5)).toBe(false);
});
