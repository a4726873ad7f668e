import { mkdirSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { attach, forgetDeadDomains, openDirtyLog, recoverAssignable, recoverDevices } from '../../src/xen/index.js';
import { planRecovery, type RecoveryPlan } from '../../src/xen/recover-plan.js';
import { recordRestart } from '../../src/xen/restart-record.js';
import { domainDir, runFile } from '../../src/xen/run-dir.js';
import { type FakeHost, fakeDomain } from '../../src/xen/testing/index.js';
import { Qemu } from './guest-qemu.js';
import { CARD, failure, hostWith, readyHost } from './hosts.js';
import { faultPoints, kill, operations, OUR_PID } from './killed.js';

const { handle } = fakeDomain(5);

/** What a dry run has promised, without what xenstore keeps apart in its transactions. */
function promised(plans: readonly RecoveryPlan[]): string[] {
  return plans
    .flatMap(({ steps }) => steps.flatMap(({ writes }) => writes))
    .filter((line) => !/^xenstore/.test(line));
}

/** What was done to the kernel and to Xen since, in the words of a dry run. */
function done(host: FakeHost, since: number): string[] {
  return host.journal.calls.slice(since).flatMap((call) => {
    const [name, first = '', ...rest] = call.split(' ');
    if (name === 'write') return [`"${rest.join(' ').trimEnd()}" > ${first}`];
    const own = first === '32753' ? 'domain 32753 (quarantine)' : `domain ${first}`;
    return name === 'xc_assign_device' || name === 'xc_deassign_device' ? [`${name} ${own} ${CARD}`] : [];
  });
}

test('nothing to recover: no plan', async () => {
  expect(await planRecovery(hostWith())).toEqual([]);
  expect(await failure(planRecovery(hostWith({ xen: false })))).toMatchObject({ code: 'XENPT_NO_XEN' });
});

describe.each(Object.entries(operations))('assignable %s, killed at each point of each step', (_, operation) => {
  test('what is promised is what is done then; promising changes nothing', async () => {
    let longest = 0;
    for (const point of await faultPoints(operation)) {
      const host = await operation.prepare();
      const next = await kill(host, () => operation.run(host), point);
      const before = next.dump();
      const plans = await planRecovery(next);
      expect(next.dump(), point).toEqual(before);
      expect(plans, point).toMatchObject([
        { subject: CARD, sentence: expect.stringContaining(`process ${OUR_PID}, which was killed`) as string },
      ]);
      const since = host.journal.calls.length;
      await recoverAssignable(next);
      expect(promised(plans), point).toEqual(done(host, since));
      longest = Math.max(longest, promised(plans).length);
      expect(await planRecovery(next), point).toEqual([]);
    }
    expect(longest).toBeGreaterThan(4);
  });
});

test('another card in the place: told, and nothing promised', async () => {
  const host = await operations.add.prepare();
  const next = await kill(host, () => operations.add.run(host), 'bind-pciback:performed');
  host.sysfs.replace(CARD, { deviceId: 0x1539 });
  expect(await planRecovery(next)).toMatchObject([
    {
      subject: CARD,
      sentence: expect.stringMatching(/Nothing can be done: another card answers/) as string,
      steps: [],
    },
  ]);
});

describe('dirty logging', () => {
  const record = (host: FakeHost) => runFile.dirtyLog(host.runDir, 5);

  async function measured(): Promise<FakeHost> {
    const host = hostWith();
    host.processList.start(4700, ['node', 'xenpt', 'dirty-rate', '5']);
    await openDirtyLog({ ...host, processes: { pid: 4700, isAlive: () => true } }, { domain: '5' });
    return host;
  }

  test('of a killed process: off; of one at work: nothing', async () => {
    const host = await measured();
    expect(await planRecovery(host)).toMatchObject([
      { subject: 'domain 5', sentence: 'it is being measured by process 4700.', steps: [] },
    ]);
    host.processList.kill(4700);
    const [plan] = await planRecovery(host);
    expect(plan?.steps.flatMap(({ writes }) => writes)).toEqual([
      'xc_shadow_control domain 5: OP_OFF',
      `rm ${record(host)}`,
    ]);
    expect(host.dirtyLogs.isOn(5)).toBe(true);
    writeFileSync(record(host), '{}');
    expect(await planRecovery(host)).toMatchObject([
      { subject: 'domain 5', sentence: expect.stringContaining('cannot be read') as string, steps: [] },
    ]);
  });

  test('of a domain that is gone: the record alone goes', async () => {
    const host = await measured();
    host.processList.kill(4700);
    host.toolstack.destroyDomain(5);
    const [plan] = await planRecovery(host);
    expect(plan?.steps.flatMap(({ writes }) => writes)).toEqual([`rm ${record(host)}`]);
  });
});

describe('a guest that has restarted', () => {
  async function restarting(): Promise<FakeHost> {
    const host = await readyHost();
    await attach(host, { domain: '5', spec: `${CARD}@a` });
    recordRestart(host.runDir, { domid: 5, handle, name: 'guest5' });
    host.models.kill(5);
    host.toolstack.destroyDomain(5);
    for (const path of ['/local/domain/5', '/local/domain/0/backend/pci/5', '/libxl/pci/0000-03-00-0/domid']) {
      host.store.remove(path);
    }
    return host;
  }
  const ofGuest = async (host: FakeHost) => (await planRecovery(host)).find(({ subject }) => subject === 'guest5');

  test('and is there: held, given the device in its slot, let go', async () => {
    const host = await restarting();
    host.toolstack.domains.set(8, fakeDomain(8, { handle }));
    host.store.seed({ '/local/domain/8/name': 'guest5', '/libxl/8/type': 'hvm' });
    const plan = await ofGuest(host);
    const writes = plan?.steps.flatMap((step) => step.writes) ?? [];
    expect(plan?.sentence).toBe(`it is domain 8 since its restart, and gets ${CARD} again.`);
    expect([writes[0], ...writes.slice(-2)]).toEqual([
      'xc_domain_pause domain 8',
      'xc_domain_unpause domain 8',
      `rm ${runFile.restart(host.runDir, handle)}`,
    ]);
    expect(writes.join('\n')).toMatch(/xc_assign_device .*8.* 0000:03:00\.0/);
    expect(host.toolstack.domainInfo(8)?.flags.paused).toBe(true);
  });

  test('and is not there: its claim goes', async () => {
    const host = await restarting();
    expect(await ofGuest(host)).toMatchObject({
      sentence: 'it was not started again.',
      steps: [{ writes: [`rm ${runFile.restart(host.runDir, handle)}`] }],
    });
    host.toolstack.domains.set(8, fakeDomain(8, { handle, flags: { hvm: false } }));
    expect((await ofGuest(host))?.sentence).toMatch(/0000:03:00\.0 cannot be given: /);
  });
});

test("a domain that is gone with a device of QEMU's model: what is done to Xen and xenstore", async () => {
  const host = await readyHost({ domains: [fakeDomain(5, { flags: { paused: false } })] });
  await Qemu.listen(host);
  await attach(host, { domain: '5', spec: CARD, model: 'qemu' });
  expect(await planRecovery(host)).toEqual([]);
  host.toolstack.destroyDomain(5);
  const plans = await planRecovery(host);
  expect(plans).toMatchObject([{ subject: 'domain 5', sentence: 'it is gone, and nobody has cleaned up after it.' }]);
  expect(promised(plans)).toEqual([
    `Bus Master Enable = 0 > /sys/bus/pci/devices/${CARD}/config at 0x4`,
    `"1" > /sys/bus/pci/devices/${CARD}/reset`,
    `xc_deassign_device domain 5 ${CARD}`,
    `xc_assign_device domain 32753 (quarantine) ${CARD}`,
    `rm -r ${domainDir(host.runDir, 5)}`,
  ]);
  const since = host.journal.calls.length;
  expect(await forgetDeadDomains(host)).toEqual([]);
  expect(done(host, since)).toEqual(promised(plans).filter((line) => line.startsWith('xc_')));
});

test('a record that cannot be read is told of', async () => {
  const host = hostWith();
  mkdirSync(domainDir(host.runDir, 9), { recursive: true, mode: 0o700 });
  writeFileSync(runFile.grants(host.runDir, 9), 'no JSON');
  expect(await planRecovery(host)).toMatchObject([{ subject: 'domain 9', steps: [] }]);
});

describe('an attach that was cut off', () => {
  async function cutOff(point: string): Promise<FakeHost> {
    const host = await readyHost({ domains: [fakeDomain(5, { flags: { paused: true } })] });
    return kill(host, () => attach(host, { domain: '5', spec: CARD }), point);
  }

  test.each(['assign the device to the domain:after', 'publish it in xenstore:after'])(
    'at "%s": what is promised is what is done then; promising changes nothing',
    async (point) => {
      const host = await cutOff(point);
      const before = host.dump();
      const plans = await planRecovery(host);
      expect(host.dump()).toEqual(before);
      expect(plans).toMatchObject([
        { subject: CARD, sentence: expect.stringMatching(/^its attach was cut off: .* domain 5/) as string },
      ]);
      expect(plans[0]?.steps.map(({ title }) => title)).toContain('take the device from the domain');
      const since = host.journal.calls.length;
      await recoverDevices(host);
      const promisedCalls = promised(plans).filter((line) => /^xc_(assign|deassign)_device/.test(line));
      expect(promisedCalls).toEqual(done(host, since).filter((line) => /^xc_/.test(line)));
      expect(promisedCalls.length).toBeGreaterThan(1);
      expect(await planRecovery(host)).toEqual([]);
    },
  );
});
