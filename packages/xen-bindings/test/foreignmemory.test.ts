import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { FakeXen } from './support/fake-xen.js';

let fake: FakeXen;
beforeEach(async () => {
  fake = await FakeXen.create();
});
afterEach(() => fake.remove());

it('maps a resource as a buffer that both sides write, and empties it on close', async () => {
  fake.write('resource-3-0-258-1', Buffer.alloc(8192, 0x5a));
  const result = await fake.run(({ xen }) => {
    const memory = xen.ForeignMemory.open();
    const mapping = memory.mapResource(3, xen.ResourceType.ioreqServer, 258, 1, 2);
    const { buffer } = mapping;
    const bytes = new Uint8Array(buffer);
    const first = bytes[8191];
    bytes[4096] = 0xa5;
    mapping.close();
    mapping.close();
    return { first, sizeAfter: buffer.byteLength, viewAfter: bytes.length };
  }, null);
  expect(result).toEqual({ first: 0x5a, sizeAfter: 0, viewAfter: 0 });
  expect(readFileSync(join(fake.folder, 'resource-3-0-258-1'))[4096]).toBe(0xa5);
  expect(fake.calls()).toEqual(['xenforeignmemory_map_resource 3 0 258 1 2 3 0', 'xenforeignmemory_unmap_resource']);
});

it('maps guest frames in the order asked for', async () => {
  const memory = Buffer.alloc(3 * 4096);
  for (let frame = 0; frame < 3; frame += 1) memory.fill(frame + 1, frame * 4096, (frame + 1) * 4096);
  fake.write('memory-3', memory);
  const result = await fake.run(({ xen }) => {
    const memory = xen.ForeignMemory.open();
    const mapping = memory.map(3, [2n, 0n], true);
    const bytes = new Uint8Array(mapping.buffer);
    bytes[1] = 9;
    return [bytes.length, bytes[0], bytes[4096]];
  }, null);
  expect(result).toEqual([8192, 3, 1]);
  expect(readFileSync(join(fake.folder, 'memory-3'))[2 * 4096 + 1]).toBe(9);
});

it('maps all frames or none', async () => {
  const error = await fake.run(({ xen, caught }) => {
    const memory = xen.ForeignMemory.open();
    return caught(() => memory.map(3, [1n, 2n ** 63n + 1n, 2n], false));
  }, null);
  expect(error).toMatchObject({ call: 'xenforeignmemory_map', errnoName: 'ENOENT' });
  expect(error.message).toContain('frame 1 of 3');
  expect(fake.calls()).toEqual(['xenforeignmemory_map 3 1 3 first 1', 'xenforeignmemory_unmap 3']);
});

it('refuses no frame, too many frames and frames beyond 64 bits', async () => {
  const errors = await fake.run(({ xen, caught }) => {
    const memory = xen.ForeignMemory.open();
    return [
      caught(() => memory.map(3, [], false)),
      caught(() => memory.map(3, [2n ** 64n], false)),
      caught(() => memory.map(3, new Array<bigint>(65_537).fill(0n), false)),
      caught(() => memory.mapResource(3, 0, 0, 0, 0)),
    ].map(({ name }) => name);
  }, null);
  expect(errors).toEqual(['RangeError', 'RangeError', 'RangeError', 'RangeError']);
  expect(fake.calls()).toEqual([]);
});

it('keeps a mapping when the object that made it closes, and reports a refused resource', async () => {
  fake.fail('xenforeignmemory_map_resource', constants.errno.ENOENT);
  const result = await fake.run(({ xen, caught }) => {
    const memory = xen.ForeignMemory.open();
    const error = caught(() => memory.mapResource(3, 0, 0, 1, 1));
    const mapping = memory.mapResource(3, 0, 0, 1, 1);
    memory.close();
    const bytes = new Uint8Array(mapping.buffer);
    bytes[0] = 7;
    mapping.close();
    return { error, closed: caught(() => memory.mapResource(3, 0, 0, 1, 1)) };
  }, null);
  expect(result.error).toMatchObject({ errnoName: 'ENOENT' });
  expect(result.closed).toMatchObject({ code: 'XEN_CLOSED' });
  expect(readFileSync(join(fake.folder, 'resource-3-0-0-1'))[0]).toBe(7);
  expect(fake.allCalls().slice(-2)).toEqual(['xenforeignmemory_unmap_resource', 'xenforeignmemory_close']);
});
