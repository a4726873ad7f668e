import { constants } from 'node:os';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { dirtyMapSizeBytes } from '../src/dirty-log.js';
import { FakeXen } from './support/fake-xen.js';

let fake: FakeXen;
beforeEach(async () => {
  fake = await FakeXen.create();
});
afterEach(() => fake.remove());

describe('DirtyLogControl passes to libxenctrl', () => {
  it('on, a look, a clean, the final clean, off; with one buffer for all of them', async () => {
    fake.write('dirty-5', new Uint8Array(32_768).fill(0xff));
    const { pageCount } = await fake.run(({ xen }) => {
      const control = xen.DirtyLogControl.open();
      control.enable(5);
      const pageCount = control.pageCount(5);
      const into = new Uint8Array(xen.dirtyMapSizeBytes(100_000));
      control.peek(5, 1, into);
      control.clean(5, 32_768, into);
      control.clean(5, 100_000, into, { final: true });
      control.clean(5, 40_000, into, { final: false });
      control.disable(5);
      control.close();
      control.close();
      return { pageCount };
    }, null);
    expect(pageCount).toBe(2 ** 32 + 5);
    expect(fake.allCalls()).toEqual([
      'xc_interface_open 0',
      'xc_shadow_control 5 2 0 0',
      'xc_domain_nr_gpfns 5',
      'xc__hypercall_buffer_alloc_pages 1',
      'xc_logdirty_control 5 12 1 0',
      'xc_logdirty_control 5 11 32768 0',
      'xc__hypercall_buffer_free_pages 1',
      'xc__hypercall_buffer_alloc_pages 4',
      'xc_logdirty_control 5 11 100000 1',
      'xc_logdirty_control 5 11 40000 0',
      'xc_shadow_control 5 0 0 0',
      'xc__hypercall_buffer_free_pages 4',
      'xc_interface_close',
    ]);
  });

  it('nothing that its C type would cut off, and no map that would not fit', async () => {
    const errors = await fake.run(({ xen, caught }) => {
      const control = xen.DirtyLogControl.open();
      const into = new Uint8Array(16);
      return [
        caught(() => control.enable(0x8000)),
        caught(() => control.disable(-1)),
        caught(() => control.pageCount(1.5)),
        caught(() => control.peek(5, 129, into)),
        caught(() => control.clean(5, 65, into.subarray(1))),
        caught(() => control.peek(5, 0, into)),
        caught(() => control.peek(5, 2 ** 40 + 1, into)),
        caught(() => control.peek(5, 64, new Uint16Array(8) as unknown as Uint8Array)),
      ].map(({ name, message }) => `${name}: ${message}`);
    }, null);
    expect(errors.map((text) => text.split(':')[0])).toEqual([...Array<string>(7).fill('RangeError'), 'TypeError']);
    expect(errors[3]).toBe('RangeError: into has 16 bytes; a map of 129 pages needs 24');
    expect(fake.calls()).toEqual([]);
  });
});

describe('DirtyLogControl reads the map', () => {
  const map = Uint8Array.from({ length: 64 }, (_, index) => index * 37 + 11);

  it('straight into any view: an offset, WebAssembly memory, shared memory; and writes nothing beside it', async () => {
    fake.write('dirty-5', map);
    const results = await fake.run(({ xen }) => {
      const control = xen.DirtyLogControl.open();
      const memories = [
        new Uint8Array(200).buffer,
        new SharedArrayBuffer(200),
        new WebAssembly.Memory({ initial: 1 }).buffer,
        new WebAssembly.Memory({ initial: 1, maximum: 2, shared: true }).buffer,
      ];
      return memories.map((memory) => {
        const all = new Uint8Array(memory, 0, 200).fill(0xee);
        const stats = control.peek(5, 512, new Uint8Array(memory, 13, 100));
        return { stats, before: all.slice(0, 13), map: all.slice(13, 77), after: all.slice(77) };
      });
    }, null);
    expect(results).toHaveLength(4);
    for (const [index, { stats, before, map: got, after }] of results.entries()) {
      expect(got).toEqual(map);
      expect(before).toEqual(new Uint8Array(13).fill(0xee));
      expect(after).toEqual(new Uint8Array(123).fill(0xee));
      expect(stats).toMatchObject({ pageCount: 512, faultCount: index + 1 });
    }
  });

  it('of every length: the bits that were asked for, and 0 up to the end of the word', async () => {
    fake.write('dirty-5', map);
    const pageCounts = Array.from({ length: 200 }, (_, index) => index + 1);
    const maps = await fake.run(({ xen }, counts) => {
      const control = xen.DirtyLogControl.open();
      return counts.map((count) => {
        const into = new Uint8Array(40).fill(0xee);
        control.peek(5, count, into);
        return into;
      });
    }, pageCounts);
    for (const [index, got] of maps.entries()) {
      const count = pageCounts[index] ?? 0;
      const expected = new Uint8Array(40).fill(0xee).fill(0, 0, dirtyMapSizeBytes(count));
      for (let bit = 0; bit < count; bit += 1) {
        expected[bit >> 3] = (expected[bit >> 3] ?? 0) | ((map[bit >> 3] ?? 0) & (1 << (bit & 7)));
      }
      expect(got, `${count} pages`).toEqual(expected);
    }
  });

  it('clears with clean and not with peek, and gives zeros where Xen knows of no page', async () => {
    fake.write('dirty-5', Uint8Array.of(0xff, 0x0f));
    const scans = await fake.run(({ xen }) => {
      const control = xen.DirtyLogControl.open();
      const scan = (kind: 'peek' | 'clean') => {
        const into = new Uint8Array(8).fill(0xee);
        return { ...control[kind](5, 40, into), into };
      };
      return [scan('peek'), scan('clean'), scan('peek')];
    }, null);
    const full = Uint8Array.of(0xff, 0x0f, 0, 0, 0, 0, 0, 0);
    expect(scans).toEqual([
      { pageCount: 16, faultCount: 1, dirtyCount: 12, into: full },
      { pageCount: 16, faultCount: 2, dirtyCount: 12, into: full },
      { pageCount: 16, faultCount: 3, dirtyCount: 0, into: new Uint8Array(8) },
    ]);
  });

  it('dirtyMapSizeBytes: whole words that hold every page, and no word more', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 ** 40 }), (pageCount) => {
        const size = dirtyMapSizeBytes(pageCount);
        return size % 8 === 0 && size * 8 >= pageCount && size * 8 - pageCount < 64;
      }),
    );
  });
});

describe('DirtyLogControl reports', () => {
  it("Xen's refusals with what they mean here", async () => {
    const errors = await fake.run(({ xen, caught }) => {
      const control = xen.DirtyLogControl.open();
      control.enable(5);
      return [
        caught(() => control.enable(5)),
        caught(() => control.pageCount(99)),
        caught(() => control.clean(7, 64, new Uint8Array(8))),
      ];
    }, null);
    expect(errors[0]).toMatchObject({ name: 'XenCallError', call: 'xc_shadow_control', errnoName: 'EINVAL' });
    expect(errors[0]?.message).toContain('on already');
    expect(errors[1]).toMatchObject({ call: 'xc_domain_nr_gpfns', errnoName: 'ESRCH' });
    expect(errors[2]).toMatchObject({ call: 'xc_logdirty_control', errnoName: 'ENOENT' });
  });

  it('a map that could not be allocated, and goes on when it can', async () => {
    fake.fail('xc__hypercall_buffer_alloc_pages', constants.errno.ENOMEM);
    fake.write('dirty-5', new Uint8Array(8));
    const error = await fake.run(({ xen, caught }) => {
      const control = xen.DirtyLogControl.open();
      const failed = caught(() => control.peek(5, 64, new Uint8Array(8)));
      control.peek(5, 64, new Uint8Array(8));
      return failed;
    }, null);
    expect(error).toMatchObject({ call: 'xc__hypercall_buffer_alloc_pages', errnoName: 'ENOMEM' });
    expect(fake.calls().filter((call) => call.includes('hypercall_buffer'))).toEqual([
      'xc__hypercall_buffer_alloc_pages 1',
      'xc__hypercall_buffer_alloc_pages 1',
      'xc__hypercall_buffer_free_pages 1',
    ]);
  });

  it('a call on a closed handle', async () => {
    const error = await fake.run(({ xen, caught }) => {
      const control = xen.DirtyLogControl.open();
      control.close();
      return caught(() => control.enable(5));
    }, null);
    expect(error).toMatchObject({ name: 'XenError', code: 'XEN_CLOSED' });
  });
});
