import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { attach, type AttachOptions, giveAgain, recoverRestarts, restartNotes } from '../../src/xen/index.js';
import { readRestart, recordRestart, writeRestart } from '../../src/xen/restart-record.js';
import { domainDir, runFile } from '../../src/xen/run-dir.js';
import { type FakeHost, fakeDomain } from '../../src/xen/testing/index.js';
import { CARD, hostWith, readyHost } from './hosts.js';

const { handle } = fakeDomain(5);
const ended = { domid: 5, handle, name: 'guest5' };

/** A guest with the card has shut down for a restart, and its toolstack has destroyed it. */
async function restarting(options: Partial<AttachOptions> = {}): Promise<FakeHost> {
  const host = await readyHost();
  await attach(host, { domain: '5', spec: `${CARD}@a`, ...options });
  recordRestart(host.runDir, ended);
  host.models.kill(5);
  host.toolstack.destroyDomain(5);
  host.store.remove('/local/domain/5');
  host.store.remove('/local/domain/0/backend/pci/5');
  host.store.remove('/libxl/pci/0000-03-00-0/domid');
  return host;
}

/** What its toolstack makes in its place, paused as it makes all. */
function comesBack(host: FakeHost, domid = 8): void {
  host.toolstack.domains.set(domid, fakeDomain(domid, { handle }));
  host.store.seed({
    [`/local/domain/${domid}/name`]: 'guest5',
    [`/libxl/${domid}/type`]: 'hvm',
    [`/local/domain/0/device-model/${domid}/state`]: 'running',
  });
}

function again(host: FakeHost, signal = new AbortController().signal) {
  const log: string[] = [];
  const options = { released: Promise.resolve(), signal, log: (line: string) => void log.push(line) };
  return giveAgain(host, handle, options).then((outcome) => ({ outcome, log }));
}

test('the new domain gets the device in the same slot, reset, while it is paused', async () => {
  const host = await restarting();
  comesBack(host);
  const first = host.journal.calls.length;
  expect(await again(host)).toEqual({
    outcome: 'given',
    log: [`guest5 is domain 8 now, and gets ${CARD} again`, `${CARD} is attached to domain 8 again`],
  });
  const effects = host.journal.calls.slice(first).filter((call) => /pause|reset|model\.attach|xc_assign/.test(call));
  expect(effects).toEqual([
    'xc_domain_pause 8',
    `reset ${CARD}`,
    'xc_assign_device 8 768 0',
    `model.attach 8 ${CARD} 80`,
    'xc_domain_unpause 8',
  ]);
  // The toolstack's own pause is left.
  expect(host.toolstack.domainInfo(8)?.flags.paused).toBe(true);
  expect([existsSync(runFile.restart(host.runDir, handle)), restartNotes(host)]).toEqual([false, []]);
});

test('with the options that it was given with, the ROM of the operator included', async () => {
  // The shortest ROM: one image of 512 bytes, the last.
  const rom = new Uint8Array(512);
  for (const [offset, bytes] of [
    [0, [0x55, 0xaa]],
    [0x18, [0x1c]],
    [0x1c, [0x50, 0x43, 0x49, 0x52]],
    [0x2c, [1]],
    [0x31, [0x80]],
  ] as const) {
    rom.set(bytes, offset);
  }
  const host = await restarting({ permissive: true, rom });
  const kept = runFile.restartRom(host.runDir, handle, CARD);
  expect([...readFileSync(kept)]).toEqual([...rom]);
  comesBack(host);
  expect(await again(host)).toMatchObject({ outcome: 'given' });
  expect(host.models.opened).toEqual({ permissive: true, rom: 'file' });
  expect(existsSync(kept)).toBe(false);
  expect([...readFileSync(runFile.keptRom(host.runDir, 8, CARD))]).toEqual([...rom]);
});

test('waits for the domain, and until the devices are free', async () => {
  const host = await restarting();
  let release = () => {};
  const released = new Promise<void>((resolve) => (release = resolve));
  let isGiven = false;
  const given = giveAgain(host, handle, { released, signal: new AbortController().signal, log: () => {} }).then(
    (outcome) => ((isGiven = true), outcome),
  );
  comesBack(host);
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect([isGiven, host.toolstack.domainInfo(8)?.flags.paused]).toEqual([false, true]);
  expect(restartNotes(host)).toEqual([`${CARD} is given to guest5 again when it has restarted.`]);
  expect(await recoverRestarts(host)).toMatchObject([{ outcome: 'owner-alive' }]);
  release();
  expect(await given).toBe('given');
});

test.each([
  ['no domain comes', () => {}],
  ['one with the same name and another UUID comes', (host: FakeHost) => host.toolstack.domains.set(8, fakeDomain(8))],
  [
    'it comes and is being destroyed',
    (host: FakeHost) => host.toolstack.domains.set(8, fakeDomain(8, { handle, flags: { dying: true } })),
  ],
])('%s: nobody gets anything, in bounded time', async (_name, prepare) => {
  const host = await restarting();
  prepare(host);
  const before = host.toolstack.dump();
  expect(await again(host)).toEqual({
    outcome: 'not-restarted',
    log: [`guest5 was not started again: ${CARD} stay without a guest`],
  });
  expect(host.toolstack.dump()).toEqual(before);
  expect(existsSync(runFile.restart(host.runDir, handle))).toBe(false);
});

test('a failure has a name, stays on record, lets the guest run, and can be tried again', async () => {
  const host = await restarting();
  comesBack(host);
  host.toolstack.assignError = 'EBUSY';
  expect(await again(host)).toMatchObject({ outcome: 'failed' });
  expect(host.journal.calls.filter((call) => /pause/.test(call))).toEqual([
    'xc_domain_pause 8',
    'xc_domain_unpause 8',
  ]);
  expect(restartNotes(host)).toEqual([
    expect.stringMatching(/^0000:03:00\.0 was not given to guest5 \(domain 8\) again .*MSI-X.*\. Detach it/),
  ]);
  expect(await recoverRestarts(host)).toMatchObject([{ outcome: 'failed' }]);
  host.toolstack.assignError = undefined;
  expect(await recoverRestarts(host)).toEqual([{ handle, outcome: 'given', sentence: `guest5 has ${CARD} again.` }]);
  expect([restartNotes(host), await recoverRestarts(host)]).toEqual([[], []]);
});

test('whoever attaches it by hand has settled the failure', async () => {
  const host = await restarting();
  comesBack(host);
  host.toolstack.assignError = 'EBUSY';
  await again(host);
  host.toolstack.assignError = undefined;
  await attach(host, { domain: '8', spec: CARD });
  expect(restartNotes(host)).toEqual([]);
});

test.each([
  ['paused by the one that was killed', 'paused', ['xc_domain_unpause 8']],
  ['nobody knows whether it was', 'pausing', []],
] as const)('a process that was killed: %s', async (_name, state, expected) => {
  const host = await restarting();
  comesBack(host);
  if (state === 'paused') host.toolstack.pause(8);
  const record = readRestart(host.runDir, handle);
  if (record) writeRestart(host.runDir, { ...record, held: { domid: 8, state } });
  writeFileSync(runFile.restartLock(host.runDir, handle), '4700');
  expect(restartNotes(host)).toEqual([expect.stringContaining('Run: xenpt recover')]);
  const first = host.journal.calls.length;
  expect(await recoverRestarts(host)).toMatchObject([{ outcome: 'given' }]);
  expect(host.journal.calls.slice(first).filter((call) => /pause/.test(call))).toEqual(expected);
});

test('a damaged record is told of, and not followed', async () => {
  const host = hostWith();
  mkdirSync(runFile.restarts(host.runDir), { recursive: true, mode: 0o700 });
  writeFileSync(runFile.restart(host.runDir, handle), '{"schemaVersion":1');
  expect(restartNotes(host)).toEqual([expect.stringMatching(/cannot be read.*Remove it/)]);
  expect(await recoverRestarts(host)).toMatchObject([{ outcome: 'failed' }]);
});

test('a domain without devices, or with another UUID, leaves no record', async () => {
  const host = await readyHost();
  expect(recordRestart(host.runDir, ended)).toBeUndefined();
  await attach(host, { domain: '5', spec: CARD });
  expect(recordRestart(host.runDir, { ...ended, handle: fakeDomain(6).handle })).toBeUndefined();
  expect(existsSync(runFile.restarts(host.runDir))).toBe(false);
  expect(existsSync(domainDir(host.runDir, 5))).toBe(true);
});
