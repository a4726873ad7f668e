import { beforeAll, expect, it } from 'vitest';
import { WakeEvent } from '../src/wake-event.js';
import { ensureAddon } from './support/build.js';

beforeAll(ensureAddon);

it('works without Xen: wakes, drains, closes twice', () => {
  const event = new WakeEvent();
  expect(event.fd).toBeGreaterThan(2);
  event.wake();
  event.wake();
  event.drain();
  event.drain();
  event.close();
  event.close();
  expect(() => event.fd).toThrow(expect.objectContaining({ code: 'XEN_CLOSED' }));
});
