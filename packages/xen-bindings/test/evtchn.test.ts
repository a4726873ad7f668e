import { constants } from 'node:os';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { FakeXen, until } from './support/fake-xen.js';

let fake: FakeXen;
beforeEach(async () => {
  fake = await FakeXen.create();
});
afterEach(() => fake.remove());

it('binds, notifies, unmasks and unbinds ports', async () => {
  const result = await fake.run(({ xen }) => {
    const events = xen.EventChannels.open();
    const port = events.bindInterdomain(0x7fef, 23);
    events.notify(port);
    events.unmask(port);
    events.unbind(port);
    return { port, hasDescriptor: events.fd > 2 };
  }, null);
  expect(result).toEqual({ port: 1023, hasDescriptor: true });
  expect(fake.calls()).toEqual([
    'xenevtchn_bind_interdomain 32751 23',
    'xenevtchn_notify 1023',
    'xenevtchn_unmask 1023',
    'xenevtchn_unbind 1023',
  ]);
});

it('finds nothing pending without blocking, and then the port that has an event', async () => {
  const child = fake.start(async ({ xen }) => {
    const events = xen.EventChannels.open();
    const before = events.pending();
    events.notify(1); // tells the test that we looked
    let port: number | null = null;
    while (port === null) {
      await new Promise((resolve) => setTimeout(resolve, 5));
      port = events.pending();
    }
    return { before, port };
  }, null);
  await until(() => fake.calls().includes('xenevtchn_notify 1'));
  await fake.raiseEvent(7_654_321);
  expect(await child.result).toEqual({ before: null, port: 7_654_321 });
  expect(await child.exit).toMatchObject({ code: 0 });
});

it('reports the errno of a port that cannot be bound', async () => {
  fake.fail('xenevtchn_bind_interdomain', constants.errno.EINVAL);
  const error = await fake.run(({ xen, caught }) => {
    const events = xen.EventChannels.open();
    return caught(() => events.bindInterdomain(1, 1));
  }, null);
  expect(error).toMatchObject({ call: 'xenevtchn_bind_interdomain', errnoName: 'EINVAL' });
});
