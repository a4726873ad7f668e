import { execFileSync } from 'node:child_process';
import { mkdtempSync, openSync, ftruncateSync, closeSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { type BitmapSource, measureDirtyRate, summarise } from '../../../src/dirty-rate/index.js';
import { openFileSource } from '../../../src/dirty-rate/node/index.js';

const folder = mkdtempSync(path.join(tmpdir(), 'xenpt-bitmaps-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let files = 0;
function write(bytes: Uint8Array): string {
  const name = path.join(folder, `bitmap-${files++}`);
  writeFileSync(name, bytes);
  return name;
}

function bitmap(sizeBytes: number, pages: Iterable<number>): Uint8Array {
  const bytes = new Uint8Array(sizeBytes);
  for (const page of pages) bytes[page >> 3] = (bytes[page >> 3] ?? 0) | (1 << (page & 7));
  return bytes;
}

async function pagesOf(source: BitmapSource): Promise<number[][]> {
  const bitmaps: number[][] = [];
  const into = new Uint8Array(8 * Math.ceil(source.pageCount / 64)).fill(0xff);
  try {
    while ((await source.collect(into)) !== null) {
      const pages = [...Array(8 * into.length).keys()];
      bitmaps.push(pages.filter((page) => ((into[page >> 3] ?? 0) >> (page & 7)) & 1));
      into.fill(0xff);
    }
  } finally {
    await source.close();
  }
  return bitmaps;
}

describe('raw bitmaps from files', () => {
  it('of every length of the tail: each byte is 8 pages', async () => {
    for (let sizeBytes = 1; sizeBytes <= 17; sizeBytes++) {
      const last = 8 * sizeBytes - 1;
      const source = await openFileSource([write(bitmap(sizeBytes, [0, last]))]);
      expect(source.pageCount).toBe(8 * sizeBytes);
      expect(await pagesOf(source)).toEqual([[0, last]]);
    }
  });

  it('of every number of pages: what lies behind the last page means nothing', async () => {
    const whole = write(bitmap(24, Array(192).keys()));
    for (let pageCount = 1; pageCount <= 64; pageCount++) {
      const source = await openFileSource([whole], { pageCount });
      expect(await pagesOf(source)).toEqual(Array(3).fill([...Array(pageCount).keys()]));
    }
  });

  it('one after the other in a file, as KVM and VFIO write them; Xen leaves the last word open', async () => {
    const samples = [[1], [69], [0, 1, 2]];
    const words = Buffer.concat(samples.map((pages) => bitmap(16, pages)));
    expect(await pagesOf(await openFileSource([write(words)], { pageCount: 70 }))).toEqual(samples);
    const open = words.subarray(0, 41);
    expect(await pagesOf(await openFileSource([write(open)], { pageCount: 70 }))).toEqual(samples);
  });

  it('in several files, a larger one after the guest got more memory', async () => {
    const source = await openFileSource([write(bitmap(1, [7])), write(bitmap(4, [31]))]);
    expect(source).toMatchObject({ pageCount: 32, description: '2 files' });
    expect(await pagesOf(source)).toEqual([[7], [31]]);
  });

  it('from standard input and pipes, cut anywhere', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uniqueArray(fc.nat(99)), { minLength: 1, maxLength: 5 }),
        fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 20 }),
        async (samples, cuts) => {
          const sorted = samples.map((pages) => pages.sort((a, b) => a - b));
          const bytes = Buffer.concat(sorted.map((pages) => bitmap(16, pages)));
          const pieces = function* () {
            for (let at = 0, cut = 0; at < bytes.length; at += cuts[cut++ % cuts.length] ?? 1) {
              yield bytes.subarray(at, at + (cuts[cut % cuts.length] ?? 1));
            }
          };
          const stdin = Readable.from(pieces(), { objectMode: true });
          expect(await pagesOf(await openFileSource(['-'], { stdin, pageCount: 100 }))).toEqual(sorted);
        },
      ),
      { numRuns: 30 },
    );
    const stdin = Readable.from([bitmap(3, [20])]);
    const unsized = await openFileSource(['-'], { stdin });
    expect(unsized.pageCount).toBe(24);
    expect(await pagesOf(unsized)).toEqual([[20]]);
  });

  it('from a named pipe', async () => {
    const pipe = path.join(folder, 'pipe');
    execFileSync('mkfifo', [pipe]);
    const opening = openFileSource([pipe]);
    await writeFile(pipe, bitmap(5, [39]));
    expect(await pagesOf(await opening)).toEqual([[39]]);
  });

  it.each([
    ['a file that is not there', () => path.join(folder, 'none'), {}, /cannot be read/],
    ['a directory', () => folder, {}, /is a directory/],
    ['an empty file', () => write(new Uint8Array()), {}, /is empty/],
    [
      'half a bitmap',
      () => write(new Uint8Array(20)),
      { pageCount: 128 },
      /ends after 4 bytes of a bitmap of 128 pages/,
    ],
    ['standard input where there is none', () => '-', {}, /no standard input/],
    ['more pages than there are', () => write(new Uint8Array(8)), { pageCount: 2 ** 33 }, /outside 1 to/],
  ])('refuses %s', async (_name, make, options, message) => {
    const work = async () => {
      await pagesOf(await openFileSource([make()], options));
    };
    await expect(work()).rejects.toThrow(message);
    await expect(work()).rejects.toMatchObject({ code: expect.stringMatching(/^DIRTY_RATE_/) as string });
  });

  it('of 1 TiB of guest, mostly holes, as easily as of 4 GiB', async () => {
    const name = path.join(folder, 'sparse');
    const file = openSync(name, 'w');
    ftruncateSync(file, 2 ** 25);
    writeSync(file, Buffer.alloc(512, 0xff), 0, 512, 2 ** 24);
    writeSync(file, Buffer.from([0x80]), 0, 1, 2 ** 25 - 1);
    closeSync(file);
    const source = await openFileSource([name, name, name, name]);
    const before = process.memoryUsage().arrayBuffers;
    const samples = [];
    for await (const sample of measureDirtyRate(source, { intervalMs: 1000, samples: 4 })) samples.push(sample);
    // Ten maps of 32 MiB for four samples are WebAssembly memory; what is read into them is not kept beside it.
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(11 * 2 ** 25);
    const { mean, workingSetPages, pageCount, hottest } = summarise(samples, source);
    expect([mean.pagesPerSecond, workingSetPages, pageCount]).toEqual([4097, 4097, 2 ** 28]);
    expect(hottest?.[0]).toMatchObject({ startFrame: 2 ** 27, endFrame: 2 ** 27 + 65_536 });
    await source.close();
  });
});
