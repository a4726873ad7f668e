import { expect, test } from 'vitest';
import { attach } from '../../../src/xen/index.js';
import { CARD, failure, readyHost } from '../hosts.js';

const assigned = (calls: readonly string[]) => calls.filter((call) => call.startsWith('xc_assign_device 5 '));

test('L8: a guest gets a device with the strict policy, never with XEN_DOMCTL_DEV_RDM_RELAXED by itself', async () => {
  const host = await readyHost();
  await attach(host, { domain: '5', spec: CARD });
  expect(assigned(host.journal.calls)).toEqual(['xc_assign_device 5 768 0']);
});

test('L8: what Xen refuses for reserved memory is not tried again, and the policy is named', async () => {
  const host = await readyHost();
  host.toolstack.assignError = 'EPERM';
  const before = host.dump();
  const error = await failure(attach(host, { domain: '5', spec: CARD }));
  expect(error).toMatchObject({ code: 'XENPT_RESERVED_MEMORY', outcome: 'rolled-back' });
  expect(error.next).toMatch(/rdm="strategy=host"/);
  expect(assigned(host.journal.calls)).toHaveLength(1);
  expect(host.dump()).toEqual(before);
});
