import { expect, test } from 'vitest';
import { attach, detach } from '../../../src/xen/index.js';
import { fakeDomain } from '../../../src/xen/testing/index.js';
import { Qemu } from '../guest-qemu.js';
import { CARD, failure, readyHost } from '../hosts.js';

const running = fakeDomain(5, { flags: { paused: false } });

test('XSA-368: a QEMU that goes away in the middle of a command ends it, with everything put back', async () => {
  const host = await readyHost({ domains: [running] });
  const qemu = await Qemu.listen(host);
  const before = host.dump();
  qemu.beforeAdd = () => void qemu.leave();
  const error = await failure(attach(host, { domain: '5', spec: CARD, model: 'qemu' }));
  expect(error.next).not.toBe('');
  expect(host.dump()).toEqual(before);
  // The one that comes after a soft reset knows nothing of it, and neither do we.
  await Qemu.listen(host);
  await attach(host, { domain: '5', spec: CARD, model: 'qemu' });
  expect(await detach(host, { domain: '5', device: CARD })).toMatchObject({ complete: true });
  expect(host.dump()).toEqual(before);
});
