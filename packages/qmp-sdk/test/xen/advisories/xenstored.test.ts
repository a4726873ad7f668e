import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { attach, detach, listInventory, recoverDevices } from '../../../src/xen/index.js';
import { FakeCallError, type FakeHost, Journal } from '../../../src/xen/testing/index.js';
import { CARD, readyHost } from '../hosts.js';
import { startServing } from '../properties/quiet-model.js';

const spec = { domain: '5', spec: CARD };
const device = { domain: '5', device: CARD };
const backend = '/local/domain/0/backend/pci/5/0';
const frontend = '/local/domain/5/device/pci/0';

/** Calls to xenstored fail: from the n-th on, or that one alone. Returns what ends it. */
function failStore(host: FakeHost, index: number, errno: string, forEver: boolean): () => boolean {
  const { journal } = host;
  let seen = 0;
  journal.enter = (call, ...details) => {
    Journal.prototype.enter.call(journal, call, ...details);
    if (!call.startsWith('xs_')) return;
    const number = seen++;
    if (forEver ? number >= index : number === index) throw new FakeCallError(call, errno);
  };
  return () => {
    delete (journal as Partial<FakeHost['journal']>).enter;
    return seen > index;
  };
}

/** An operation at each of whose calls to xenstored that fails. */
async function eachStoreCall(
  errno: string,
  forEver: boolean,
  prepare: () => Promise<FakeHost>,
  operation: (host: FakeHost) => Promise<unknown>,
  check: (host: FakeHost, before: string[], error: unknown, what: string) => void | Promise<void>,
): Promise<number> {
  for (let index = 0; ; index++) {
    const host = await prepare();
    const before = host.dump();
    const mend = failStore(host, index, errno, forEver);
    const error: unknown = await operation(host).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    if (!mend()) return index;
    await check(host, before, error, `${errno} at call ${index}`);
  }
}

const attached = async (): Promise<FakeHost> => {
  const host = await readyHost();
  await attach(host, spec);
  return host;
};

describe('xenstored refuses', () => {
  test.each([
    ['XSA-72: an answer that is too large', 'E2BIG'],
    ['XSA-326: memory that other guests have used up', 'ENOMEM'],
    ['XSA-419: nodes, of which guests made too many together', 'ENOSPC'],
    ['XSA-421: nodes, of which guests made too many in transactions', 'EDQUOT'],
    ['XSA-481: nodes, by a count that a dead guest has left', 'EACCES'],
  ])('%s: an attach has happened or not, and a detach can be run again', async (_title, errno) => {
    const calls = await eachStoreCall(
      errno,
      false,
      readyHost,
      (host) => attach(host, spec),
      async (host, before, error, what) => {
        if (error === undefined) await detach(host, device);
        else expect(error, what).toBeInstanceOf(Error);
        expect(host.dump(), what).toEqual(before);
      },
    );
    expect(calls).toBeGreaterThan(20);
    const baseline = (await readyHost()).dump();
    await eachStoreCall(
      errno,
      false,
      attached,
      (host) => detach(host, device),
      async (host, _before, error, what) => {
        if (error !== undefined) await detach(host, device);
        expect(host.dump(), what).toEqual(baseline);
      },
    );
  });
});

test('changes of others at every commit only make an attach longer', async () => {
  const host = await readyHost();
  const before = host.dump();
  host.store.conflicts = 50;
  await attach(host, spec);
  host.store.conflicts = 50;
  await detach(host, device);
  expect(host.store.conflicts).toBe(0);
  expect(host.dump()).toEqual(before);
});

test('XSA-115: whoever has watches fire changes nothing by it: Xen is asked about the domain', async () => {
  const host = await readyHost();
  const { calls, end } = await startServing(host, []);
  for (let event = 0; event < 100; event++) host.store.fire('@releaseDomain');
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(calls).toEqual([]);
  host.toolstack.destroyDomain(5);
  host.store.fire('@releaseDomain');
  expect(await end).toBe('domain-gone');
});

describe('nodes of an earlier domain with the same id', () => {
  const left = {
    [`${backend}/dev-0`]: '0000:09:00.0',
    [`${backend}/opts-3`]: 'permissive=1',
    [`${frontend}/backend`]: '/local/domain/0/backend/pci/6/0',
    [`${frontend}/own`]: 'left',
  };

  test('XSA-322: their permissions are not inherited', async () => {
    const host = await readyHost();
    host.store.seed(left);
    for (const path of [backend, frontend]) {
      host.store.setPermissions(path, [{ domid: 7, read: true, write: true }]);
      host.store.setPermissions(`${path}/state`, [{ domid: 7, read: true, write: true }]);
    }
    await attach(host, spec);
    const dump = host.store.dump();
    expect(dump).toContain(`${backend} = ""   (n0,r5)`);
    expect(dump).toContain(`${frontend} = ""   (n5,r0)`);
    expect(dump.filter((line) => /7\)/.test(line))).toEqual([]);
  });

  test('XSA-417: nothing of what stood in them is there for the new one', async () => {
    const host = await readyHost();
    host.store.seed(left);
    await attach(host, spec);
    const dump = host.store.dump().join('\n');
    expect(dump).not.toMatch(/09:00\.0|opts-3|backend\/pci\/6|"left"/);
  });
});

test('XSA-420: a number that is a domain’s only in its lower bits is no domain', async () => {
  for (const domid of [2 ** 31 + 5, 2 ** 32 + 5, 2 ** 53 + 5, 0x1_0005].map(String)) {
    const host = await readyHost();
    host.store.seed({ '/libxl/pci/0000-03-00-0/domid': domid });
    const entry = listInventory(host).functions.find(({ address }) => address === CARD);
    expect(inspect(entry, { depth: 9 }), domid).not.toContain('guest5');
    await attach(host, spec);
    expect(host.store.dump()).toContain('/libxl/pci/0000-03-00-0/domid = "5"');
  }
});

describe('xenstored is gone', () => {
  const titles = [
    'XSA-418: of a stack that a guest has exhausted',
    'XSA-483: of what a guest has asked it',
    'XSA-484: of what a guest has left to it',
  ];
  test.each(titles.map((title, index) => [title, ['EPIPE', 'ECONNRESET', 'EIO'][index] ?? 'EIO'] as const))(
    '%s: Xen has everything back, and what stands in xenstore goes when it is there again',
    async (_title, errno) => {
      await eachStoreCall(
        errno,
        true,
        readyHost,
        (host) => attach(host, spec),
        (host, _before, error, what) => {
          expect(error, what).toBeInstanceOf(Error);
          expect([host.toolstack.dump(), host.models.dump()], what).toEqual([
            ['device 300 owner 7ff1', 'device 300 quarantined'],
            [],
          ]);
        },
      );
      const baseline = (await readyHost()).dump();
      await eachStoreCall(
        errno,
        true,
        attached,
        (host) => detach(host, device),
        async (host, before, error, what) => {
          expect(error, what).toBeInstanceOf(Error);
          const recovered = await recoverDevices(host);
          if (recovered.length === 0) {
            expect(host.dump(), what).toEqual(before);
            await detach(host, device);
          }
          expect(host.dump(), what).toEqual(baseline);
        },
      );
    },
  );
});
