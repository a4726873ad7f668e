import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RequestHandler, type PortTarget, type RequestTarget } from '../src/ioreq.js';
import { FakeGuestMemory, request } from './support/guest.js';
import { home, makeRig, placeAll, slot } from './support/rig.js';

const allOnes = [0xffff_ffff, 0xffff_ffff];

function answer(handler: RequestHandler): number[] {
  return [handler.dataLow, handler.dataHigh];
}

/** Records what arrives; one page of it at 0x1000. */
class Recorder implements RequestTarget, PortTarget {
  readonly seen: (number | string)[][] = [];
  high = 0x89ab_cdef;

  readConfig(offset: number, width: number): number {
    this.seen.push(['read', offset, width]);
    return 0x1234_5678;
  }

  writeConfig(offset: number, width: number, value: number): void {
    this.seen.push(['write', offset, width, value >>> 0]);
  }

  /** Offset of the last address for which it was named. */
  at = 0;

  readMemory(size: number): number {
    this.seen.push(['readMemory', this.at, size]);
    return 0x0123_4567;
  }

  writeMemory(size: number, low: number, high: number): void {
    this.seen.push(['writeMemory', this.at, size, low >>> 0, high >>> 0]);
  }

  readPort(size: number): number {
    this.seen.push(['readPort', size]);
    return 0x7654_3210;
  }

  writePort(size: number, value: number): void {
    this.seen.push(['writePort', size, value >>> 0]);
  }
}

function setUp(memory?: FakeGuestMemory) {
  const target = new Recorder();
  const router = {
    bySbdf: (sbdf: number) => (sbdf === 0x28 ? target : undefined),
    byPort: (port: number) => (port === 0xae08 ? target : undefined),
    byAddress: (low: number, high: number) => {
      target.at = high * 2 ** 32 + (low >>> 0) - 0x1000;
      return target.at >= 0 && target.at < 0x1000 ? target : undefined;
    },
  };
  return { target, handler: new RequestHandler(router, memory) };
}

const register = (offset: number) => (0x28n << 32n) | BigInt(offset);

describe('a configuration request', () => {
  it('reaches the function its upper half names', () => {
    const { target, handler } = setUp();
    handler.handle(request({ type: 2, address: register(0x10), size: 4, read: true }));
    expect(answer(handler)).toEqual([0x1234_5678, 0]);
    handler.handle(request({ type: 2, address: register(0x04), size: 2, data: 0xabcdn }));
    expect(target.seen).toEqual([
      ['read', 0x10, 4],
      ['write', 4, 2, 0xabcd],
    ]);
  });

  it('is answered in its own width', () => {
    const { handler } = setUp();
    handler.handle(request({ type: 2, address: register(0), size: 1, read: true }));
    expect(answer(handler)).toEqual([0x78, 0]);
    handler.handle(request({ type: 2, address: 0x99n << 32n, size: 2, read: true }));
    expect(answer(handler)).toEqual([0xffff, 0]);
  });

  it('with a buffer repeats the same register', () => {
    const memory = new FakeGuestMemory(0x5000, 12);
    memory.bytes.set([1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0]);
    const { target, handler } = setUp(memory);
    handler.handle(request({ type: 2, address: register(0x44), size: 4, count: 3, data: 0x5000n, pointer: true }));
    expect(target.seen).toEqual([
      ['write', 0x44, 4, 1],
      ['write', 0x44, 4, 2],
      ['write', 0x44, 4, 3],
    ]);
  });
});

describe('a memory request', () => {
  it('carries 64 bits both ways', () => {
    const { target, handler } = setUp();
    handler.handle(request({ type: 1, address: 0x1008n, size: 8, read: true }));
    expect(answer(handler)).toEqual([0x0123_4567, 0x89ab_cdef]);
    handler.handle(request({ type: 1, address: 0x1008n, size: 8, data: 0x1122_3344_5566_7788n }));
    expect(target.seen.at(-1)).toEqual(['writeMemory', 8, 8, 0x5566_7788, 0x1122_3344]);
  });

  it('walks upwards and downwards, element by element, to the end of what is served', () => {
    const memory = new FakeGuestMemory(0x5000, 64);
    memory.bytes.set(Array.from({ length: 64 }, (_, index) => index));
    const { target, handler } = setUp(memory);
    handler.handle(request({ type: 1, address: 0x1ff8n, size: 4, count: 4, data: 0x5000n, pointer: true }));
    expect(target.seen).toEqual([
      ['writeMemory', 0xff8, 4, 0x0302_0100, 0],
      ['writeMemory', 0xffc, 4, 0x0706_0504, 0],
    ]);
    target.seen.length = 0;
    handler.handle(
      request({ type: 1, address: 0x1004n, size: 4, count: 3, data: 0x5008n, pointer: true, descending: true }),
    );
    expect(target.seen).toEqual([
      ['writeMemory', 4, 4, 0x0b0a_0908, 0],
      ['writeMemory', 0, 4, 0x0706_0504, 0],
    ]);
  });

  it('fills a buffer, with all ones where nothing is served', () => {
    const memory = new FakeGuestMemory(0x5000, 16);
    const { handler } = setUp(memory);
    handler.handle(
      request({ type: 1, address: 0x1ffcn, size: 4, count: 3, data: 0x5000n, pointer: true, read: true }),
    );
    expect([...memory.bytes]).toEqual([0x67, 0x45, 0x23, 0x01, 255, 255, 255, 255, 255, 255, 255, 255, 0, 0, 0, 0]);
  });

  it('ends at the first fault of the buffer', () => {
    const memory = new FakeGuestMemory(0x5000, 8);
    const { target, handler } = setUp(memory);
    handler.handle(request({ type: 1, address: 0x1000n, size: 4, count: 4096, data: 0x5000n, pointer: true }));
    expect(target.seen).toHaveLength(2);
    expect(handler.counts.refused).toBe(1);
    expect(memory.released).toBe(1);
  });

  it('repeats one value without a buffer', () => {
    const { target, handler } = setUp();
    handler.handle(request({ type: 1, address: 0x1000n, size: 4, count: 3, data: 7n }));
    expect(target.seen.map(([, offset]) => offset)).toEqual([0, 4, 8]);
    handler.handle(request({ type: 1, address: 0x1008n, size: 4, count: 2, data: 7n, descending: true }));
    expect(target.seen.slice(3).map(([, offset]) => offset)).toEqual([8, 4]);
  });
});

describe('a port request', () => {
  it('reaches what answers there, in its own width', () => {
    const { target, handler } = setUp();
    handler.handle(request({ type: 0, address: 0xae08n, size: 2, read: true }));
    expect(answer(handler)).toEqual([0x3210, 0]);
    handler.handle(request({ type: 0, address: 0xae08n, size: 4, data: 0xffff_ffff_0000_0020n }));
    expect(target.seen).toEqual([
      ['readPort', 2],
      ['writePort', 4, 0x20],
    ]);
  });

  it('with a buffer repeats the same port', () => {
    const memory = new FakeGuestMemory(0x5000, 8);
    memory.bytes.set([1, 0, 0, 0, 2, 0, 0, 0]);
    const { target, handler } = setUp(memory);
    handler.handle(request({ type: 0, address: 0xae08n, size: 4, count: 3, data: 0x5000n, pointer: true }));
    expect(target.seen).toEqual([
      ['writePort', 4, 1],
      ['writePort', 4, 2],
    ]);
    expect(handler.counts.refused).toBe(1);
  });
});

describe('a request that makes no sense', () => {
  it.each([
    ['a port', { type: 0, address: 0xc000n, size: 4, read: true }, [0xffff_ffff, 0]],
    ['a port beyond 32 bits', { type: 0, address: 0x1_0000_ae08n, size: 4, read: true }, [0xffff_ffff, 0]],
    ['8 bytes of ports', { type: 0, address: 0xae08n, size: 8, read: true }, allOnes],
    ['time', { type: 7, read: true, size: 8 }, allOnes],
    ['invalidate', { type: 8, size: 0 }, allOnes],
    ['an unknown type', { type: 77, size: 8, read: true }, allOnes],
    ['size 0', { type: 2, address: register(0), size: 0, read: true }, allOnes],
    ['size 3', { type: 2, address: register(0), size: 3, read: true }, allOnes],
    ['a huge size', { type: 1, address: 0x1000n, size: 0xffff_ffff, read: true }, allOnes],
    ['8 bytes of configuration', { type: 2, address: register(0), size: 8, read: true }, allOnes],
    ['count 0', { type: 1, address: 0x1000n, size: 8, count: 0, read: true }, allOnes],
    ['count 4097', { type: 1, address: 0x1000n, size: 8, count: 4097, read: true }, allOnes],
    ['an address beyond 52 bits', { type: 1, address: 1n << 53n, size: 8, read: true }, allOnes],
    [
      'a buffer beyond 52 bits',
      { type: 1, address: 0x1000n, data: 1n << 60n, size: 8, read: true, pointer: true },
      allOnes,
    ],
  ])('%s is answered with all ones and reaches nobody', (_, fields, expected) => {
    const { target, handler } = setUp(new FakeGuestMemory(0, 64));
    handler.handle(request(fields));
    expect(answer(handler)).toEqual(expected);
    expect(target.seen).toEqual([]);
  });

  it('is counted by kind', () => {
    const { handler } = setUp();
    for (const type of [0, 1, 2, 7, 8, 9, 255]) handler.handle(request({ type }));
    expect(handler.counts).toMatchObject({ port: 1, copy: 1, config: 1, timeOffset: 1, invalidate: 1, unknown: 2 });
  });

  it('cannot make it throw, even when the target does', () => {
    const errors: unknown[] = [];
    const broken = {
      bySbdf: () => {
        throw new Error('a defect');
      },
      byAddress: () => undefined,
      byPort: () => undefined,
    };
    const handler = new RequestHandler(broken, undefined, (error) => errors.push(error));
    handler.handle(request({ type: 2, size: 4, read: true }));
    expect(answer(handler)).toEqual([0xffff_ffff, 0]);
    expect(handler.counts.faulted).toBe(1);
    expect(errors).toHaveLength(1);
  });
});

describe('any 32 bytes', () => {
  const bytes = fc.uint8Array({ minLength: 32, maxLength: 32 });
  /** Close to what is real, so that more than the first check is reached. */
  const plausible = fc
    .record({
      type: fc.constantFrom(0, 1, 2, 2, 2, 7, 8, 200),
      address: fc.oneof(
        fc.integer({ min: -8, max: 0x10c }).map((offset) => (BigInt(slot) << 32n) + BigInt(offset)),
        fc.integer({ min: -16, max: 0x1010 }).map((offset) => BigInt(home.bar3 + offset)),
        fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
      ),
      data: fc.oneof(fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }), fc.integer({ min: 0, max: 255 }).map(BigInt)),
      size: fc.constantFrom(0, 1, 2, 3, 4, 4, 5, 8, 16),
      count: fc.constantFrom(0, 1, 1, 1, 2, 300, 4096, 4097),
      read: fc.boolean(),
      pointer: fc.boolean(),
      descending: fc.boolean(),
    })
    .map(request);

  it('are answered, with u32 halves, and leave the model whole', () => {
    const rig = makeRig({ memory: new FakeGuestMemory(0, 256) });
    rig.attach();
    placeAll(rig.guest());
    fc.assert(
      fc.property(
        fc.oneof(
          bytes.map((raw) => new DataView(raw.slice().buffer)),
          plausible,
        ),
        (view) => {
          rig.handler.handle(view);
          for (const half of answer(rig.handler)) expect(half >>> 0).toBe(half);
        },
      ),
      { numRuns: 3000 },
    );
    expect(rig.faults).toEqual([]);
    expect(rig.hypervisor.violations).toEqual([]);
    rig.model.releaseAll();
    rig.hypervisor.assertBaseline();
  });
});
