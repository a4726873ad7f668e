import { constants } from 'node:os';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { FakeXen } from './support/fake-xen.js';

let fake: FakeXen;
beforeEach(async () => {
  fake = await FakeXen.create();
});
afterEach(() => fake.remove());

it('has a port of its own domain to itself, wakes its other end, closes twice', async () => {
  const [port, error] = await fake.run(({ xen, caught }) => {
    const wake = xen.WakeEvent.open();
    const { port } = wake;
    wake.wake();
    wake.close();
    wake.close();
    return [port, caught(() => wake.wake()).code, caught(() => wake.port).code];
  }, null);
  expect([port, error]).toEqual([500, 'XEN_CLOSED']);
  expect(fake.allCalls()).toEqual([
    'xenevtchn_open 0',
    'xenevtchn_bind_unbound_port 32752',
    'xenevtchn_notify 500',
    'xenevtchn_close',
  ]);
});

it('says what Xen refused, and leaves nothing open', async () => {
  fake.fail('xenevtchn_bind_unbound_port', constants.errno.ENOSPC);
  const error = await fake.run(({ xen, caught }) => caught(() => xen.WakeEvent.open()), null);
  expect(error).toMatchObject({ call: 'xenevtchn_bind_unbound_port', errnoName: 'ENOSPC' });
  expect(fake.allCalls().at(-1)).toBe('xenevtchn_close');
});
