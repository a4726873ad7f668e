import { describe, expect, test } from 'vitest';
import { addAssignable, readJournal, recoverAssignable, removeAssignable, undo } from '../../src/xen/index.js';
import { CARD, eachFailingCall, failure, hostWith } from './hosts.js';
import { afterDeath, faultPoints, kill, NEXT_PID, operations, options, OUR_PID } from './killed.js';

describe.each(Object.entries(operations))('assignable %s, killed', (name, operation) => {
  test('at each point of each step: recovery puts the device on its driver, as it was at first', async () => {
    const points = await faultPoints(operation);
    expect(points.length).toBe(4 * 7);
    const untouched = hostWith(options).dump();
    for (const point of points) {
      const host = await operation.prepare();
      const next = await kill(host, () => operation.run(host), point);
      const [entry, ...more] = await recoverAssignable(next);
      expect(more, point).toEqual([]);
      expect(entry, point).toMatchObject({
        sbdf: CARD,
        owner: OUR_PID,
        outcome: name === 'add' ? 'rolled-back' : 'completed',
        sentence: expect.stringContaining('is on its driver e1000e') as string,
      });
      expect(next.dump(), point).toEqual(untouched);
      expect(await recoverAssignable(next), point).toEqual([]);
    }
  });

  test('while it is recovered, too: the next recovery ends it', async () => {
    const points = await faultPoints(operation);
    const untouched = hostWith(options).dump();
    for (const point of points.filter((each) => each.endsWith('performed'))) {
      const recovering = await operation
        .prepare()
        .then(async (host) => kill(host, () => operation.run(host), point))
        .then(async (next) => {
          const passed: string[] = [];
          next.faultPoint = (each) => {
            passed.push(each);
            return new Promise(() => {});
          };
          void recoverAssignable(next);
          while (passed.length === 0) await new Promise((resolve) => setImmediate(resolve));
          return next;
        });
      const last = afterDeath(recovering, NEXT_PID);
      // The record names its first owner, who is dead; the lock was the second one's.
      await recoverAssignable(last);
      expect(last.dump(), point).toEqual(untouched);
    }
  });

  test('at each step: the next addition of the same device recovers it first', async () => {
    const points = await faultPoints(operation);
    for (const point of points.filter((each) => each.endsWith('performed'))) {
      const host = await operation.prepare();
      const next = await kill(host, () => operation.run(host), point);
      expect(await addAssignable(next, CARD), point).toMatchObject({
        already: false,
        driver: '/sys/bus/pci/drivers/e1000e',
      });
      await removeAssignable(next, CARD);
      expect(next.dump(), point).toEqual(hostWith(options).dump());
    }
  });
});

test('every step × error: rolled back, and the journal says so', async () => {
  for (const { prepare, run } of Object.values(operations)) {
    const count = await eachFailingCall(prepare, run, (host, before, error, call) => {
      expect(error, call).toBeDefined();
      expect(host.dump(), call).toEqual(before);
      const last = readJournal(host).records.at(-1);
      expect(last?.state, call).not.toBe('running');
    });
    expect(count).toBeGreaterThan(8);
  }
});

test('what cannot be undone is told, kept in the journal, and recovered when the cause is gone', async () => {
  const host = hostWith();
  host.hypervisor.directIo = () => true;
  host.toolstack.iommuEnabled = false;
  host.sysfs.refusing.add('/sys/bus/pci/drivers/e1000e');
  const before = hostWith().dump();
  expect(await failure(addAssignable(host, CARD))).toMatchObject({ code: 'XENPT_INCOMPLETE', outcome: 'incomplete' });
  expect(readJournal(host).records).toMatchObject([
    { state: 'incomplete', problems: [/IOMMU/, /not undone/].map((text) => expect.stringMatching(text) as string) },
  ]);
  expect(await recoverAssignable(host)).toMatchObject([{ outcome: 'failed' }]);
  host.sysfs.refusing.clear();
  expect(await recoverAssignable(host)).toMatchObject([{ outcome: 'rolled-back' }]);
  expect(host.dump()).toEqual(before);
});

test('a driver that does not take a killed removal back: the device stays assignable, and that is told', async () => {
  const host = await operations.remove.prepare();
  const before = host.dump();
  const next = await kill(host, () => operations.remove.run(host), 'unbind-pciback:performed');
  next.sysfs.refusing.add('/sys/bus/pci/drivers/e1000e');
  expect(await recoverAssignable(next)).toMatchObject([
    { outcome: 'failed', sentence: expect.stringContaining('ENODEV') as string },
  ]);
  expect(next.dump()).toEqual(before);
});

describe('nothing is written', () => {
  const killed = async () => {
    const host = hostWith(options);
    return kill(host, () => operations.add.run(host), 'new-slot:after');
  };

  test('after a restart of the host, which has undone all', async () => {
    const host = await killed();
    host.bootId = 'another';
    const before = host.dump();
    expect(await recoverAssignable(host)).toMatchObject([{ outcome: 'rebooted' }]);
    expect(host.dump()).toEqual(before);
  });

  test('to another card at the same address', async () => {
    const host = await killed();
    host.sysfs.replace(CARD, { deviceId: 0x1533 });
    const before = host.dump();
    const [entry] = await recoverAssignable(host);
    expect(entry).toMatchObject({ outcome: 'failed' });
    expect(entry?.sentence).toContain('deviceId was 0x10d3 and is 0x1533');
    expect(host.dump()).toEqual(before);
  });

  test('while its process lives', async () => {
    const host = await killed();
    host.processList.start(OUR_PID, ['node'], '1000');
    const before = host.dump();
    expect(await recoverAssignable(host)).toMatchObject([{ outcome: 'owner-alive', owner: OUR_PID }]);
    expect(host.dump()).toEqual(before);
  });

  test('when a guest has the device since', async () => {
    const host = await killed();
    host.store.seed({ '/libxl/pci/0000-03-00-0/domid': '5' });
    const before = host.dump();
    expect(await recoverAssignable(host)).toMatchObject([
      { outcome: 'failed', sentence: expect.stringContaining('domain 5') as string },
    ]);
    expect(host.dump()).toEqual(before);
  });

  test('by a dry run, which says what would be', async () => {
    const host = hostWith(options);
    const before = host.dump();
    const { plan, transaction } = await addAssignable(host, CARD, { dryRun: true });
    expect(transaction).toBeNull();
    expect(plan?.steps.flatMap(({ writes }) => writes)).toEqual([
      'xenstore /libxl/pci/0000-03-00-0/driver_path = "/sys/bus/pci/drivers/e1000e"',
      '"0000:03:00.0" > /sys/bus/pci/drivers/e1000e/unbind',
      '"" > /sys/bus/pci/devices/0000:03:00.0/driver_override',
      '"0000:03:00.0" > /sys/bus/pci/drivers/pciback/new_slot',
      '"0000:03:00.0" > /sys/bus/pci/drivers/pciback/bind',
      'xc_assign_device domain 32753 (quarantine) 0000:03:00.0',
    ]);
    expect([host.dump(), readJournal(host).records]).toEqual([before, []]);
  });
});

test('a base address that a reset wiped out is written back before the driver gets the device', async () => {
  const host = hostWith();
  const next = await kill(host, () => addAssignable(host, CARD), 'new-slot:after');
  const [{ before } = { before: undefined }] = readJournal(next).records;
  expect(before?.config.length).toBe(512);
  next.sysfs.writeConfig({ segment: 0, bus: 3, device: 0, function: 0 }, 0x10, 0xdead_0000);
  await recoverAssignable(next);
  expect(next.journal.calls.filter((call) => call.startsWith('writeConfig'))).toEqual([
    `writeConfig 0000:03:00.0 16 ${0xdead_0000}`,
    'writeConfig 0000:03:00.0 16 0',
  ]);
});

describe('undo', () => {
  test('gives back what was taken, takes again what was given back, and each once', async () => {
    const host = hostWith();
    const untouched = host.dump();
    await addAssignable(host, CARD);
    const assignable = host.dump();
    expect(await undo(host)).toMatchObject({ undone: '000001', kind: 'assignable-add', result: { sbdf: CARD } });
    expect(host.dump()).toEqual(untouched);
    expect(await failure(undo(host))).toMatchObject({ code: 'XENPT_NOTHING_TO_UNDO' });
    expect(await failure(undo(host, '1'))).toMatchObject({
      message: expect.stringContaining('is undone already') as string,
    });
    expect(await undo(host, '2')).toMatchObject({ undone: '000002', kind: 'assignable-remove' });
    expect(host.dump()).toEqual(assignable);
    await removeAssignable(host, CARD);
    expect(host.dump()).toEqual(untouched);
  });

  test('refuses what is not known, was rolled back, changed nothing, or is of an earlier boot', async () => {
    const host = hostWith();
    expect(await failure(undo(host, '7'))).toMatchObject({ code: 'XENPT_NO_SUCH_TRANSACTION' });
    host.sysfs.refusing.add('/sys/bus/pci/drivers/pciback');
    await failure(addAssignable(host, CARD));
    host.sysfs.refusing.clear();
    expect((await failure(undo(host, '1'))).message).toContain('was rolled back');
    await addAssignable(host, CARD);
    await addAssignable(host, CARD);
    expect((await failure(undo(host, '3'))).message).toContain('renewed a quarantine only');
    host.bootId = 'another';
    expect((await failure(undo(host, '2'))).message).toContain('earlier boot');
  });
});
