import { expect, test } from 'vitest';
import {
  addAssignable,
  attach,
  listAssignable,
  readJournal,
  RefusedByRules,
  removeAssignable,
  undo,
} from '../../src/xen/index.js';
import { type FakeHost, type FakeHostOptions, fakeDomain, fakeNetworkCard } from '../../src/xen/testing/index.js';
import { CARD, failure, hostWith } from './hosts.js';

const SIBLING = '0000:03:00.1';
const DISPLAY = 0x030000;

/** Two functions that the IOMMU cannot tell apart. */
function grouped(options: FakeHostOptions = {}): FakeHost {
  const host = hostWith({ functions: [fakeNetworkCard, { sbdf: SIBLING, driver: 'igb' }], ...options });
  for (const sbdf of [0x0300, 0x0301]) host.hypervisor.groups.set(sbdf, 1);
  return host;
}

async function refusal(promise: Promise<unknown>): Promise<RefusedByRules> {
  const error = await failure(promise);
  if (error instanceof RefusedByRules) return error;
  throw error;
}

test('what a rule calls not assignable is refused with its cause, evidence and fix; nothing is changed', async () => {
  const host = grouped();
  const before = host.dump();
  const error = await refusal(addAssignable(host, CARD));
  expect(error).toMatchObject({
    code: 'XENPT_NEEDS_OVERRIDE',
    message: `${CARD} is not assignable: its group also has ${SIBLING} (igb)`,
    next: expect.stringContaining('--accept-siblings') as string,
    outcome: 'untouched',
    reasons: [
      {
        rule: 'group-incomplete',
        cause: expect.stringContaining('cannot keep these functions apart') as string,
        evidence: [`group by Xen: ${CARD} ${SIBLING}`],
        fix: `xenpt assignable add ${CARD} ${SIBLING}`,
        override: 'accept-siblings',
      },
    ],
  });
  expect(await refusal(addAssignable(host, CARD, { dryRun: true }))).toMatchObject({ code: 'XENPT_NEEDS_OVERRIDE' });
  expect(host.dump()).toEqual(before);
  expect(readJournal(host).records).toEqual([]);
});

test('the override that names the rule sets it aside, and no other one does; the journal has it', async () => {
  const host = grouped();
  await refusal(addAssignable(host, CARD, { overrides: ['allow-critical', 'no-reset-ok'] }));
  const { setAside } = await addAssignable(host, CARD, { overrides: ['accept-siblings', 'no-reset-ok'] });
  expect(setAside.map(({ rule, override }) => [rule, override])).toEqual([['group-incomplete', 'accept-siblings']]);
  // What was not needed is no risk that anybody took.
  expect(readJournal(host).records.at(-1)?.overrides).toEqual(['accept-siblings']);
  expect(listAssignable(host)).toMatchObject([{ sbdf: CARD, overrides: ['accept-siblings'] }]);
  await addAssignable(host, CARD);
  expect(listAssignable(host)).toMatchObject([{ overrides: ['accept-siblings'] }]);
});

test('a whole card does not stand in its own way', async () => {
  const host = grouped();
  const together = [CARD, SIBLING];
  for (const sbdf of together) {
    expect(await addAssignable(host, sbdf, { together })).toMatchObject({ already: false, setAside: [] });
  }
});

test('undo of a removal sets aside what was set aside before', async () => {
  const host = grouped();
  await addAssignable(host, CARD, { overrides: ['accept-siblings'] });
  await removeAssignable(host, CARD);
  expect(await undo(host)).toMatchObject({ kind: 'assignable-remove' });
  expect(readJournal(host).records.at(-1)).toMatchObject({ undoes: '000002', overrides: ['accept-siblings'] });
});

test('attach: a member of the group that another guest has is refused; what was accepted before holds', async () => {
  const host = grouped({ domains: [fakeDomain(5), fakeDomain(6)] });
  for (const sbdf of [CARD, SIBLING]) await addAssignable(host, sbdf, { together: [CARD, SIBLING] });
  await attach(host, { domain: '6', spec: SIBLING });
  const before = host.dump();
  const request = { domain: '5', spec: CARD };
  expect(await refusal(attach(host, request))).toMatchObject({ code: 'XENPT_NEEDS_OVERRIDE' });
  expect(host.dump()).toEqual(before);
  const { setAside } = await attach(host, { ...request, overrides: ['accept-siblings'] });
  expect(setAside).toMatchObject([{ rule: 'group-incomplete', override: 'accept-siblings' }]);
  const other = grouped({ functions: [fakeNetworkCard, { sbdf: SIBLING, driver: 'pciback' }] });
  await addAssignable(other, CARD);
  await attach(other, { domain: '5', spec: SIBLING });
  expect((await attach(other, { domain: '5', spec: CARD })).setAside).toEqual([]);
});

test('no reset: neither added nor, when xl has taken it, attached without --no-reset-ok', async () => {
  const host = hostWith({ functions: [{ ...fakeNetworkCard, resettable: false }] });
  expect((await refusal(addAssignable(host, CARD))).next).toContain('--no-reset-ok');
  const taken = hostWith({ functions: [{ ...fakeNetworkCard, resettable: false, driver: 'pciback' }] });
  const request = { domain: '5', spec: CARD };
  expect((await refusal(attach(taken, request))).reasons).toMatchObject([{ rule: 'no-reset' }]);
  await attach(taken, { ...request, overrides: ['no-reset-ok'] });
});

test('the only display, and what nothing sets aside', async () => {
  const overrides = ['accept-siblings', 'allow-critical', 'no-reset-ok'] as const;
  const host = hostWith({ functions: [{ ...fakeNetworkCard, classCode: DISPLAY, driver: 'i915' }] });
  expect((await refusal(addAssignable(host, CARD))).next).toContain('--allow-critical');
  await addAssignable(host, CARD, { overrides });
  const bridge = hostWith({ functions: [{ ...fakeNetworkCard, classCode: 0x060400, driver: 'pcieport' }] });
  expect(await refusal(addAssignable(bridge, CARD, { overrides }))).toMatchObject({
    code: 'XENPT_REFUSED_BY_RULE',
    next: expect.stringContaining('xenpt explain bridge') as string,
    reasons: [{ rule: 'bridge', override: null }],
  });
  const without = hostWith();
  without.toolstack.iommuEnabled = false;
  expect(await refusal(addAssignable(without, CARD, { overrides }))).toMatchObject({ code: 'XENPT_NO_IOMMU' });
});

test('each step is told as it begins', async () => {
  const host = hostWith();
  const steps: string[] = [];
  await addAssignable(host, CARD, { onStep: (step) => steps.push(step) });
  await attach(host, { domain: '5', spec: CARD, onStep: (step) => steps.push(step) });
  expect(steps).toEqual(expect.arrayContaining(['unbind from e1000e', 'put into quarantine', 'reset the device']));
});
