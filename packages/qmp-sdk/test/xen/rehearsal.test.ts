import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Rehearsal } from '../../src/xen/index.js';
import { FakeStore } from '../../src/xen/testing/fake-store.js';
import { Journal } from '../../src/xen/testing/journal.js';
import { attach, checkAttach, checkDetach, detach } from '../../src/xen/index.js';
import { type FakeHost, fakeDomain, fakeNetworkCard } from '../../src/xen/testing/index.js';
import { CARD, failure, hostWith, readyHost } from './hosts.js';
import { replayed } from './replayed.js';

const OTHER = '0000:04:00.0';
const FIRST = { domain: '5', spec: CARD, device: CARD };
const SECOND = { domain: '5', spec: OTHER, device: OTHER };

const twoCards = (): Promise<FakeHost> =>
  readyHost({ functions: [fakeNetworkCard, { sbdf: OTHER, driver: 'pciback' }] });

/** Xen's calls of a journal, in the words of a plan. */
function xenCalls(calls: readonly string[]): string[] {
  const number = (text = ''): string => Number.parseInt(text, 16).toString(16);
  return calls.flatMap((call) => {
    const [name = '', domid = '', a = '', b = '', allow] = call.split(' ');
    if (name === 'reset') return [`"1" > /sys/bus/pci/devices/${domid}/reset`];
    if (name === 'xc_assign_device' || name === 'xc_deassign_device') {
      const sbdf = [CARD, OTHER].find((each) => Number(a) === Number.parseInt(each.slice(5, 7), 16) << 8) ?? a;
      return [`${name} domain ${domid}${domid === '32753' ? ' (quarantine)' : ''} ${sbdf}`];
    }
    if (!/^xc_domain_io(mem|port)_permission$/.test(name)) return [];
    const [first, count] = b.split('+');
    const words = `${a === 'iomem' ? 'mfn' : 'first'} 0x${number(first)} count 0x${number(count)}`;
    return [`${name} domain ${domid} ${words} ${allow === 'true' ? 'allow' : 'deny'}`];
  });
}

interface Told {
  readonly titles: string[];
  readonly writes: string[];
}

const told = (
  plans: readonly { readonly steps: readonly { title: string; writes: readonly string[] }[] }[],
): Told => {
  const steps = plans.flatMap(({ steps: each }) => each);
  return { titles: steps.map(({ title }) => title), writes: steps.flatMap(({ writes }) => writes) };
};
const ofXen = (writes: readonly string[]): string[] => writes.filter((line) => /^(xc_|"1" > .*\/reset$)/.test(line));

test('attach does what its dry run has told, also of a second device; the dry run writes nothing', async () => {
  const host = await twoCards();
  const before = host.dump();
  const rehearsal = new Rehearsal(host);
  const plans = [(await checkAttach(host, FIRST, rehearsal)).plan, (await checkAttach(host, SECOND, rehearsal)).plan];
  expect(host.dump()).toEqual(before);
  const { titles, writes } = told(plans);
  const expected = replayed(host.store, writes);
  const first = host.journal.calls.length;
  const steps: string[] = [];
  for (const request of [FIRST, SECOND]) await attach(host, { ...request, onStep: (step) => steps.push(step) });
  expect(titles).toEqual(steps);
  expect(ofXen(writes)).toEqual(xenCalls(host.journal.calls.slice(first)));
  expect(host.store.dump()).toEqual(expected);
  expect(writes).toContain(`attach {"sbdf":"${OTHER}","guestDevfn":48} > ${host.runDir}/domain-5/control.sock`);
});

test('detach does what its dry run has told, also of the last device', async () => {
  const host = await twoCards();
  for (const request of [FIRST, SECOND]) await attach(host, request);
  const before = host.dump();
  const rehearsal = new Rehearsal(host);
  const plans = [FIRST, SECOND].map((request) => checkDetach(host, request, rehearsal).plan);
  expect(host.dump()).toEqual(before);
  const { titles, writes } = told(plans);
  const expected = replayed(host.store, writes);
  const first = host.journal.calls.length;
  const steps: string[] = [];
  for (const request of [FIRST, SECOND]) await detach(host, { ...request, onStep: (step) => steps.push(step) });
  expect(titles).toEqual(steps);
  expect(ofXen(writes)).toEqual(xenCalls(host.journal.calls.slice(first)));
  expect(host.store.dump()).toEqual(expected);
  expect(writes.filter((line) => line.startsWith('shutdown'))).toHaveLength(1);
});

test('a dry run is refused as the operation is', async () => {
  const host = await twoCards();
  expect(await failure(checkAttach(hostWith({ isRoot: false, xen: false }), FIRST))).toMatchObject({
    code: 'XENPT_NOT_ROOT',
  });
  expect(() => checkDetach(host, FIRST)).toThrow(/is not attached to domain 5/);
  await attach(host, FIRST);
  expect(await failure(checkAttach(host, FIRST))).toMatchObject({ code: 'XENPT_ALREADY_ATTACHED' });
});

test('what a dead domain of the same id left is neither believed nor removed', async () => {
  const host = await readyHost();
  await attach(host, FIRST);
  host.toolstack.destroyDomain(5);
  host.models.kill(5);
  host.toolstack.domains.set(5, fakeDomain(5, { handle: '11111111-0000-4000-8000-000000000005' }));
  host.store.remove('/libxl/pci/0000-03-00-0/domid');
  host.store.remove('/local/domain/0/backend/pci');
  const { plan } = await checkAttach(host, FIRST);
  expect(plan.steps.map(({ title }) => title)).toContain('start the device model');
  expect(() => checkDetach(host, FIRST)).toThrow(/is not attached to domain 5/);
  expect(await attach(host, FIRST)).toMatchObject({ modelStarted: true });
});

const path = fc
  .array(fc.constantFrom('a', 'b'), { minLength: 1, maxLength: 3 })
  .map((names) => `/${names.join('/')}`);
const change = fc.oneof(
  fc.record({ kind: fc.constant('write' as const), path, value: fc.constantFrom('1', '2') }),
  fc.record({ kind: fc.constantFrom('mkdir' as const, 'remove' as const), path, value: fc.constant('') }),
);

/** What stands above a node stays when it goes. */
const left = [
  { kind: 'write', path: '/b/b', value: '1' },
  { kind: 'remove', path: '/b/b', value: '' },
  { kind: 'remove', path: '/b', value: '' },
] as const;

test('a rehearsed xenstore reads as a real one does after the same, and its lines make the real one so', () => {
  fc.assert(
    fc.property(fc.array(path), fc.array(change), (there, changes) => {
      const real = new FakeStore(new Journal());
      real.seed(Object.fromEntries(there.map((each) => [each, 'old'])));
      const rehearsal = new Rehearsal({ store: real });
      const lines = rehearsal.writes((store) => {
        for (const { kind, path: where, value } of changes) {
          if (kind === 'write') store.write(where, value);
          else store[kind](where);
        }
      });
      const expected = replayed(real, lines);
      for (const { kind, path: where, value } of changes) {
        if (kind === 'write') real.write(where, value);
        else real[kind](where);
      }
      expect(real.dump()).toEqual(expected);
      for (const { path: where } of changes) {
        expect(rehearsal.store.read(where), where).toBe(real.read(where));
        expect([...(rehearsal.store.list(where) ?? [])].sort(), where).toEqual([...(real.list(where) ?? [])].sort());
      }
    }),
    { numRuns: 1000, examples: [[[], [...left]]] },
  );
});
