import { expect, test } from 'vitest';
import { attach, detach } from '../../../src/xen/index.js';
import { type FakeHost, fakeDomain, FakeCallError } from '../../../src/xen/testing/index.js';
import { CARD, failure, readyHost } from '../hosts.js';

const assigned = (host: FakeHost) => host.journal.calls.filter((call) => /^xc_assign_device [56] /.test(call));

/** Xen keeps memory mapped for such a device, and takes it out when the device goes. */
function failDeassign(host: FakeHost, errno: string): () => void {
  const { toolstack } = host;
  const deassign = toolstack.deassignDevice.bind(toolstack);
  toolstack.deassignDevice = () => {
    throw new FakeCallError('xc_deassign_device', errno);
  };
  return () => (toolstack.deassignDevice = deassign);
}

test('XSA-378: regions that a device needs are respected unless the operator says otherwise by name', async () => {
  for (const [spec, flags] of [
    [CARD, 0],
    [`${CARD},rdm_policy=strict`, 0],
    [`${CARD},rdm_policy=relaxed`, 1],
  ] as const) {
    const host = await readyHost();
    await attach(host, { domain: '5', spec });
    expect(assigned(host)).toEqual([`xc_assign_device 5 768 ${flags}`]);
  }
});

test('XSA-386: a device that Xen does not take from its guest is nobody else’s', async () => {
  const host = await readyHost({ domains: [fakeDomain(5), fakeDomain(6)] });
  const before = host.dump();
  await attach(host, { domain: '5', spec: CARD });
  const mend = failDeassign(host, 'EIO');
  expect(await failure(detach(host, { domain: '5', device: CARD }))).toMatchObject({ code: 'XENPT_INCOMPLETE' });
  expect(await failure(attach(host, { domain: '6', spec: CARD }))).toMatchObject({ code: 'XENPT_DEVICE_IN_USE' });
  mend();
  expect(await detach(host, { domain: '5', device: CARD })).toMatchObject({ complete: true });
  expect(host.dump()).toEqual(before);
  await attach(host, { domain: '6', spec: CARD });
});

test('XSA-400: an assignment that Xen breaks off leaves the guest without a right to any of the device', async () => {
  for (const errno of ['EIO', 'ENOMEM', 'EBUSY', 'EINVAL']) {
    const host = await readyHost();
    const before = host.dump();
    host.toolstack.assignError = errno;
    expect(await failure(attach(host, { domain: '5', spec: CARD })), errno).toMatchObject({ outcome: 'rolled-back' });
    expect(host.dump(), errno).toEqual(before);
    expect(assigned(host), errno).toHaveLength(1);
  }
});

test('XSA-460: what Xen says of a deassignment is believed: a failure is told, and tried again', async () => {
  for (const errno of ['EIO', 'ENOMEM', 'EAGAIN', 'EBUSY']) {
    const host = await readyHost();
    await attach(host, { domain: '5', spec: CARD });
    const mend = failDeassign(host, errno);
    const error = await failure(detach(host, { domain: '5', device: CARD }));
    expect(error.leftovers, errno).toEqual([expect.stringContaining(errno)]);
    mend();
    const first = host.journal.calls.length;
    await detach(host, { domain: '5', device: CARD });
    expect(host.journal.calls.slice(first)).toContain('xc_deassign_device 5 768');
  }
});
