import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { openDirtyLog, recoverDirtyLogs, type XenHost } from '../../src/xen/index.js';
import { dirtyMapSizeBytes } from '../../src/xen/index.js';
import { runFile } from '../../src/xen/run-dir.js';
import { type FakeHost, fakeDomain } from '../../src/xen/testing/index.js';
import { CARD, eachFailingCall, failure, hostWith } from './hosts.js';

const open = (host: XenHost, signal?: AbortSignal) =>
  openDirtyLog(host, { domain: '5', ...(signal ? { signal } : {}) });
const recordOf = (host: XenHost, domid = 5) => runFile.dirtyLog(host.runDir, domid);
const framesOf = (map: Uint8Array) =>
  Array.from({ length: map.length * 8 }, (_, frame) => frame).filter(
    (frame) => ((map[frame >> 3] ?? 0) >> (frame & 7)) & 1,
  );
const saver = ['/usr/lib/xen-4.17/bin/libxl-save-helper', '--save-domain', '8', '9', '5', '1', '63'];
/** What another process of this host sees. */
const secondProcess = (host: FakeHost): XenHost => {
  host.processList.start(4712, ['node', 'second']);
  return { ...host, processes: { pid: 4712, isAlive: (pid) => host.processes.isAlive(pid) } };
};
const thrown = (action: () => unknown): Promise<unknown> => Promise.resolve().then(action);

describe('a dirty log', () => {
  it('gives the frames that were written since the last clean, with what Xen counted', async () => {
    const host = hostWith();
    await using log = await open(host);
    expect(log).toMatchObject({ domid: 5, domainName: 'guest5', domainType: 'hvm', pageCount: 65_600 });
    expect(log.handle).toBe(fakeDomain(5).handle);
    const map = new Uint8Array(log.sizeBytes).fill(0xff);
    expect(log.clean(map)).toEqual({ pageCount: 65_600, sizeBytes: 8200, faultCount: 0, dirtyCount: 0, atMs: 0 });
    expect(framesOf(map)).toEqual([]);
    host.dirtyLogs.write(5, [0, 63, 64, 65_599]);
    await host.clock.sleep(250);
    expect(log.peek(map)).toMatchObject({ dirtyCount: 4, faultCount: 4, atMs: 250 });
    expect(framesOf(map)).toEqual([0, 63, 64, 65_599]);
    host.dirtyLogs.write(5, [7]);
    expect(log.clean(map)).toMatchObject({ dirtyCount: 5 });
    expect(framesOf(map)).toEqual([0, 7, 63, 64, 65_599]);
    log.clean(map);
    expect(framesOf(map)).toEqual([]);
  });

  it('says by a record on disk whose it is: from before it is on until it is off', async () => {
    const host = hostWith();
    const seen: string[] = [];
    const watching: XenHost = {
      ...host,
      openDirtyLogCalls: () => {
        const calls = host.dirtyLogs.open();
        const note = (what: string) => seen.push(`${what} ${existsSync(recordOf(host)) ? 'with' : 'without'} record`);
        return {
          ...calls,
          enable: (domid) => {
            note('on');
            calls.enable(domid);
          },
          disable: (domid) => {
            note('off');
            calls.disable(domid);
          },
        };
      },
    };
    const log = await open(watching);
    expect(JSON.parse(readFileSync(recordOf(host), 'utf8'))).toEqual({
      schemaVersion: 1,
      domid: 5,
      handle: fakeDomain(5).handle,
      owner: { pid: 4711, startedAt: '1000' },
    });
    expect(host.dirtyLogs.isOn(5)).toBe(true);
    await log.close();
    await log.close();
    expect(seen).toEqual(['on with record', 'off with record']);
    expect(existsSync(recordOf(host))).toBe(false);
    expect(host.dirtyLogs.isOn(5)).toBe(false);
    expect(host.dirtyLogs.openCount).toBe(0);
    expect(() => log.clean(new Uint8Array(8200))).toThrow(/is closed/);
  });

  it('loses nothing when the map is too small, or the guest grows', async () => {
    const host = hostWith();
    await using log = await open(host);
    const small = new Uint8Array(log.sizeBytes);
    host.dirtyLogs.pageCounts.set(5, 70_000);
    host.dirtyLogs.write(5, [1, 69_999]);
    expect(() => log.clean(small)).toThrow(new RangeError('the map has 8200 bytes; 70000 pages need 8752'));
    expect(log.pageCount).toBe(70_000);
    const map = new Uint8Array(log.sizeBytes);
    expect(log.clean(map)).toMatchObject({ pageCount: 70_000, sizeBytes: dirtyMapSizeBytes(70_000) });
    expect(framesOf(map)).toEqual([1, 69_999]);
  });

  it('writes into shared memory at an offset', async () => {
    const host = hostWith();
    await using log = await open(host);
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
    host.dirtyLogs.write(5, [9]);
    log.clean(new Uint8Array(memory.buffer, 1024, log.sizeBytes));
    expect(new Uint8Array(memory.buffer)[1025]).toBe(2);
  });

  it('ends with an abort: off, and the next call says so', async () => {
    const host = hostWith();
    const controller = new AbortController();
    const log = await open(host, controller.signal);
    controller.abort();
    expect(await failure(thrown(() => log.peek(new Uint8Array(8200))))).toMatchObject({ code: 'XENPT_ABORTED' });
    await log.close();
    expect(host.dirtyLogs.isOn(5)).toBe(false);
    expect(existsSync(recordOf(host))).toBe(false);
    const late = await failure(open(host, controller.signal));
    expect(late).toMatchObject({ code: 'XENPT_ABORTED' });
    expect(host.dirtyLogs.isOn(5)).toBe(false);
  });
});

describe('refuses to open', () => {
  it.each([
    [
      'a guest with a PCI device, and names the way out',
      'XENPT_DOMAIN_HAS_DEVICE',
      /0000:03:00\.0/,
      /xenpt detach 5/,
    ],
    ['what is on already, by somebody else', 'XENPT_DIRTY_LOG_BUSY', /no record/, /leaves it on/],
    ['what another process measures', 'XENPT_DIRTY_LOG_BUSY', /process 4711/, /kill 4711/],
    [
      'a guest that is being migrated',
      'XENPT_MIGRATION_RUNNING',
      /libxl-save-helper, process 77/,
      /when that is over/,
    ],
    ['a PV guest where Xen has no shadow paging', 'XENPT_DIRTY_LOG_UNSUPPORTED', /shadow paging/, /type="pvh"/],
    ['a guest that is being destroyed', 'XENPT_NO_SUCH_DOMAIN', /being destroyed/, /./],
  ])('%s', async (name, code, message, next) => {
    const host = hostWith();
    let asker: XenHost = host;
    if (name.includes('PCI')) {
      host.toolstack.owners.set(0x0300, 5);
      host.store.seed({ '/libxl/pci/0000-03-00-0/domid': '5', '/libxl/pci/0000-04-00-0/domid': '6' });
    }
    if (name.includes('somebody else')) host.dirtyLogs.setOn(5, true);
    if (name.includes('another process')) {
      await open(host);
      asker = secondProcess(host);
    }
    if (name.includes('migrated')) host.processList.start(77, saver);
    if (name.includes('PV guest')) {
      host.toolstack.domains.set(5, fakeDomain(5, { flags: { hvm: false } }));
      host.dirtyLogs.withoutShadowPaging = true;
    }
    if (name.includes('destroyed')) host.toolstack.domains.set(5, fakeDomain(5, { flags: { dying: true } }));
    const before = host.dump();
    const error = await failure(open(asker));
    expect(error).toMatchObject({ code, next: expect.stringMatching(next) as string });
    expect(error.message).toMatch(message);
    expect(host.dump()).toEqual(before);
    expect(existsSync(recordOf(host))).toBe(name.includes('another process'));
  });

  it('dom0, a domain that is not there, and everybody but root', async () => {
    const host = hostWith();
    expect(await failure(openDirtyLog(host, { domain: '0' }))).toMatchObject({ code: 'XENPT_NO_SUCH_DOMAIN' });
    expect(await failure(openDirtyLog(host, { domain: 'nobody' }))).toMatchObject({ code: 'XENPT_NO_SUCH_DOMAIN' });
    expect(await failure(open(hostWith({ isRoot: false })))).toMatchObject({ code: 'XENPT_NOT_ROOT' });
    expect(await failure(open(hostWith({ xen: false })))).toMatchObject({ code: 'XENPT_NO_XEN' });
    expect(host.dirtyLogs.openCount).toBe(0);
  });

  it('a domain that dies while it is switched on, of which Xen says that it worked', async () => {
    const host = hostWith();
    const asker: XenHost = {
      ...host,
      openDirtyLogCalls: () => {
        host.toolstack.domains.set(5, fakeDomain(5, { flags: { dying: true } }));
        return host.dirtyLogs.open();
      },
    };
    expect(await failure(open(asker))).toMatchObject({ code: 'XENPT_DOMAIN_GONE' });
    expect(existsSync(recordOf(host))).toBe(false);
  });
});

describe('takes over from a process that was killed', () => {
  it('which measured the same guest', async () => {
    const host = hostWith();
    await open(host);
    const heir = secondProcess(host);
    host.processList.kill(4711);
    await using log = await open(heir);
    expect(log.clean(new Uint8Array(log.sizeBytes))).toMatchObject({ dirtyCount: 0 });
    expect(host.dirtyLogs.isOn(5)).toBe(true);
    expect(readFileSync(recordOf(host), 'utf8')).toContain('"pid":4712');
  });

  it('but not from a later process with the same id', async () => {
    const host = hostWith();
    await open(host);
    const heir = secondProcess(host);
    host.processList.start(4711, ['bash'], '2000');
    await using log = await open(heir);
    expect(log.domid).toBe(5);
  });

  it('and leaves alone what a later domain with the same id has', async () => {
    const host = hostWith();
    await open(host);
    host.processList.kill(4711);
    host.toolstack.domains.set(5, fakeDomain(5, { handle: 'other' }));
    const heir = secondProcess(host);
    const error = await failure(open(heir));
    expect(error).toMatchObject({ code: 'XENPT_DIRTY_LOG_BUSY' });
    expect(host.dirtyLogs.isOn(5)).toBe(true);
  });
});

describe('ends during the measurement', () => {
  const map = () => new Uint8Array(16_384);

  it.each([
    ['is gone', (host: FakeHost) => host.toolstack.destroyDomain(5)],
    ['is dying', (host: FakeHost) => host.toolstack.domains.set(5, fakeDomain(5, { flags: { dying: true } }))],
    ['has been replaced', (host: FakeHost) => host.toolstack.domains.set(5, fakeDomain(5, { handle: 'other' }))],
  ])('when the guest %s; closing is fine then', async (_name, happen) => {
    const host = hostWith();
    const log = await open(host);
    happen(host);
    for (let attempt = 0; attempt < 2; attempt++) {
      const error = await failure(thrown(() => log.clean(map())));
      expect(error.code).toBe(attempt === 0 ? 'XENPT_DOMAIN_GONE' : 'XENPT_DIRTY_LOG_LOST');
    }
    const calls = host.journal.calls.length;
    await log.close();
    expect(host.journal.calls).toHaveLength(calls);
    expect(existsSync(recordOf(host))).toBe(false);
    expect(host.dirtyLogs.openCount).toBe(0);
  });

  it.each([1, 2, 3])('when the guest begins to die just before call %i of a look', async (fatal) => {
    const host = hostWith();
    let count = -1; // the first one is of opening
    const dieAt = () => {
      count += 1;
      if (count === fatal) host.toolstack.domains.set(5, fakeDomain(5, { flags: { dying: true } }));
    };
    const asker: XenHost = {
      ...host,
      openDirtyLogCalls: () => {
        const calls = host.dirtyLogs.open();
        return {
          ...calls,
          enable: (domid) => (dieAt(), calls.enable(domid)),
          pageCount: (domid) => (dieAt(), calls.pageCount(domid)),
          clean: (...of) => (dieAt(), calls.clean(...of)),
        };
      },
    };
    const log = await open(asker);
    expect(await failure(thrown(() => log.clean(map())))).toMatchObject({ code: 'XENPT_DOMAIN_GONE' });
    expect(count).toBeGreaterThanOrEqual(fatal);
    expect(existsSync(recordOf(host))).toBe(false);
  });

  it('when a migration begins: nothing is cleared or switched off under it', async () => {
    const host = hostWith();
    const log = await open(host);
    host.dirtyLogs.write(5, [1]);
    host.processList.start(77, saver);
    const calls = host.journal.calls.length;
    const error = await failure(thrown(() => log.clean(map())));
    expect(error).toMatchObject({ code: 'XENPT_MIGRATION_RUNNING' });
    expect(error.message).toContain('process 77');
    await log.close();
    expect(host.journal.calls.slice(calls).filter((call) => /shadow|logdirty/.test(call))).toEqual([]);
    expect(host.dirtyLogs.isOn(5)).toBe(true);
    expect(existsSync(recordOf(host))).toBe(false);
  });

  it('when a migration begins before close()', async () => {
    const host = hostWith();
    const log = await open(host);
    host.processList.start(77, saver);
    await log.close();
    expect(host.dirtyLogs.isOn(5)).toBe(true);
    expect(existsSync(recordOf(host))).toBe(false);
  });

  it('when somebody else switched it off: it is not cleaned, and stays off', async () => {
    const host = hostWith();
    const log = await open(host);
    host.dirtyLogs.setOn(5, false);
    expect(await failure(thrown(() => log.clean(map())))).toMatchObject({ code: 'XENPT_DIRTY_LOG_LOST' });
    expect(host.dirtyLogs.isOn(5)).toBe(false);
    await log.close();
    expect(existsSync(recordOf(host))).toBe(false);
  });
});

describe('a fault at each call', () => {
  it('of opening leaves it off, without a record', async () => {
    const count = await eachFailingCall(
      () => Promise.resolve(hostWith()),
      (host) => open(host),
      (host, before, error, call) => {
        expect(error, call).toBeInstanceOf(Error);
        expect(host.dump(), call).toEqual(before);
        expect(existsSync(recordOf(host)), call).toBe(false);
      },
    );
    expect(count).toBeGreaterThan(3);
  });

  it('of a look does not end it: the next one gives all the same frames', async () => {
    const prepare = async () => {
      const host = hostWith();
      const log = await open(host);
      host.dirtyLogs.write(5, [3, 5]);
      logs.set(host, log);
      return host;
    };
    const logs = new Map<FakeHost, Awaited<ReturnType<typeof open>>>();
    const look = (host: FakeHost) => thrown(() => logs.get(host)?.clean(new Uint8Array(8200)));
    const count = await eachFailingCall(prepare, look, async (host, _before, error, call) => {
      expect(error, call).toMatchObject({ code: 'XENPT_STEP_FAILED' });
      const map = new Uint8Array(8200);
      const after = call.includes('clean') || !isLast(host) ? [3, 5] : [];
      logs.get(host)?.clean(map);
      expect(framesOf(map), call).toEqual(after);
      await logs.get(host)?.close();
      expect(host.dirtyLogs.isOn(5)).toBe(false);
    });
    expect(count).toBe(5);

    /** The look after the clean is the only one that comes when the frames are in the map already. */
    function isLast(host: FakeHost): boolean {
      return host.journal.calls.some((call) => call === 'xc_logdirty_control 5 clean');
    }
  });

  it('of closing keeps the record, tells what is left, and the next close() succeeds', async () => {
    const logs = new Map<FakeHost, Awaited<ReturnType<typeof open>>>();
    const prepare = async () => {
      const host = hostWith();
      logs.set(host, await open(host));
      return host;
    };
    await eachFailingCall(
      prepare,
      (host) => logs.get(host)?.close() ?? Promise.resolve(),
      async (host, _before, error, call) => {
        expect(error, call).toMatchObject({
          code: 'XENPT_STEP_FAILED',
          outcome: 'incomplete',
          next: expect.stringContaining('xenpt recover') as string,
        });
        expect(existsSync(recordOf(host))).toBe(true);
        await logs.get(host)?.close();
        expect(host.dirtyLogs.isOn(5)).toBe(false);
        expect(existsSync(recordOf(host))).toBe(false);
        expect(host.dirtyLogs.openCount).toBe(0);
      },
    );
  });

  it('EBUSY, as while an earlier call goes on in pieces, is waited out', async () => {
    const host = hostWith();
    let refusals = 3;
    const asker: XenHost = {
      ...host,
      openDirtyLogCalls: () => {
        const calls = host.dirtyLogs.open();
        return {
          ...calls,
          disable: (domid) => {
            if (refusals-- > 0) throw Object.assign(new Error('busy'), { errnoName: 'EBUSY' });
            calls.disable(domid);
          },
        };
      },
    };
    const log = await open(asker);
    await log.close();
    expect(host.dirtyLogs.isOn(5)).toBe(false);
    expect(refusals).toBe(-1);
  });
});

it('a guest that gets a device is measured again once it is detached', async () => {
  const host = hostWith();
  host.toolstack.owners.set(0x0300, 5);
  host.store.seed({ [`/libxl/pci/${CARD.replace(/[:.]/g, '-')}/domid`]: '5' });
  expect(await failure(open(host))).toMatchObject({ code: 'XENPT_DOMAIN_HAS_DEVICE' });
  host.toolstack.owners.set(0x0300, 0);
  await using log = await open(host);
  expect(log.pageCount).toBe(65_600);
  expect(await recoverDirtyLogs(host)).toMatchObject([{ outcome: 'owner-alive' }]);
});
