import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ScanControl } from '../src/worker-control.js';
import { readOrder, taskOf, writeOrder, type ScanOrder } from '../src/worker-order.js';

const u32 = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const orders: fc.Arbitrary<ScanOrder> = fc.record({
  operation: fc.constantFrom('count', 'extract', 'harvest', 'harvestAtomic', 'histogram', 'runs'),
  scanId: u32,
  coreId: u32,
  address: u32,
  pageCount: u32,
  pages: fc.record({ start: u32, end: u32 }),
  workerSlots: fc.constant(3),
  ownSlots: fc.constant(2),
  into: u32,
  regionPages: u32,
  countsId: u32,
});

test('an order comes out of the shared words as it went in', () => {
  const property = (order: ScanOrder): void => {
    const here = ScanControl.create(3, 8);
    writeOrder(here.orderWords, order);
    expect(readOrder(new ScanControl(3, here.buffer).orderWords)).toEqual(order);
    expect([here.cancelled, here.claimed, here.result, here.anyoneAtWork]).toEqual([false, 0, 0, false]);
  };
  fc.assert(fc.property(orders, property));
});

test('each thread finds its own workspaces', () => {
  const control = ScanControl.create(3, 8);
  const addresses = Array.from({ length: 8 }, (_, index) => 2 ** 32 - 64 * (index + 1));
  control.setWorkspaces(addresses);
  const [order] = fc.sample(orders, 1);
  if (!order) throw new Error('one was asked for');
  expect(taskOf(control, order, 1)).toMatchObject({ thread: 1, firstSlot: 3, workspaces: addresses.slice(3, 6) });
  expect(taskOf(control, order, 2, true)).toMatchObject({ firstSlot: 6, workspaces: addresses.slice(6) });
});
