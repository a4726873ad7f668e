import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { fakeHost, parse, run } from './run.js';

const PAGES = 1024;
const folder = mkdtempSync(path.join(tmpdir(), 'xenpt-dirty-rate-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Five samples of 1024 pages: 64 pages from 256 on each time, and one more each time from 512 on. */
function recording(): Uint8Array {
  const bytes = new Uint8Array((5 * PAGES) / 8);
  for (let sample = 0; sample < 5; sample++) {
    const set = (page: number) => {
      const at = (sample * PAGES) / 8 + (page >> 3);
      bytes[at] = (bytes[at] ?? 0) | (1 << (page & 7));
    };
    for (let page = 256; page < 320; page++) set(page);
    set(512 + sample);
  }
  return bytes;
}
const file = path.join(folder, 'vm.bitmap');
writeFileSync(file, recording());
const recorded = `--file ${file} --pages ${PAGES}`;

/** A guest that writes `frames` every few milliseconds. */
function busyGuest(frames: readonly number[]) {
  const host = fakeHost();
  host.dirtyLogs.pageCounts.set(5, 10_000);
  const timer = setInterval(() => {
    if (host.dirtyLogs.isOn(5)) host.dirtyLogs.write(5, frames);
  }, 5);
  return { host, [Symbol.dispose]: () => clearInterval(timer) };
}

describe('a recording', () => {
  test('as text: rate, working set, what is dirtied again, where, and the prediction', async () => {
    const { stdout, exitCode } = await run(fakeHost(), `dirty-rate ${recorded} --link 100MB/s --policy xen`);
    expect(exitCode).toBe(0);
    expect(stdout.replace(file, 'vm.bitmap')).toMatchInlineSnapshot(`
      "vm.bitmap  5 samples of 1.00 s, 4.00 MiB of memory
        Rate:        65 pages/s, 260 KiB/s (peak 65 pages/s, 260 KiB/s)
        Working set: 69 pages, 276 KiB in 5.00 s
        Again:       98 % of a sample's pages were dirty in the one before; 64 pages in every sample
        Grows:       65 in 1.00 s, 66 in 2.00 s, 68 in 4.00 s, 69 in 5.00 s

      HOTTEST FRAMES  SIZE      PAGES/S  RATE        OF ALL  DIRTY IN A SAMPLE
      0x100-0x13f     256 KiB   64       256 KiB/s   98 %    100 %
      0x200-0x204     20.0 KiB  1        4.00 KiB/s  1.5 %   20 %

      xl migrate (libxc): five rounds, or fewer than 50 dirty pages; over 800 Mbit/s, pause at most 300 ms: converges

      ROUND  PAGES  BYTES     TIME
      1      1,024  4.01 MiB  42.0 ms
      2      11     42.6 KiB  0.44 ms
      3      0.1    493 B     under 0.1 ms, paused

      Together 3 rounds, 4.05 MiB, 42.5 ms; the guest stands still for under 0.1 ms of it.
      "
    `);
  });

  test('--json: one document, documented fields', async () => {
    const { stdout } = await run(fakeHost(), `dirty-rate ${recorded} --link 10Gbit/s --json`);
    expect(parse(stdout)).toMatchObject({
      schemaVersion: 1,
      source: { kind: 'bitmap', description: file, pageCount: PAGES, memoryPages: PAGES, pageSizeBytes: 4096 },
      intervalMs: 1000,
      samples: Array.from({ length: 5 }, (_, index) => ({
        index,
        endMs: 1000 * (index + 1),
        elapsedMs: 1000,
        overrunMs: 0,
        pages: 65,
        pagesPerSecond: 65,
        newPages: index === 0 ? 65 : 1,
        repeatedPages: index === 0 ? null : 64,
      })),
      summary: {
        samples: 5,
        mean: { pagesPerSecond: 65, bytesPerSecond: 65 * 4096 },
        workingSet: { pages: 69, bytes: 69 * 4096 },
        again: { pages: 64, everySample: 64 },
        hottest: [
          { startFrame: 256, endFrame: 320, pagesPerSecond: 64, density: 1 },
          { startFrame: 512, endFrame: 517, pagesPerSecond: 1 },
        ],
      },
      prediction: {
        policy: 'qemu',
        bandwidthBytesPerSecond: 1.25e9,
        downtimeMs: 300,
        verdict: 'converges',
        remedy: null,
      },
      notes: [],
    });
  });

  test('by standard input, cut off after --samples', async () => {
    const { stdout, exitCode } = await run(fakeHost(), `dirty-rate --file - --pages ${PAGES} --samples 2 --json`, {
      stdin: recording(),
    });
    expect(exitCode).toBe(0);
    expect(parse(stdout)).toMatchObject({ source: { description: 'standard input' }, summary: { samples: 2 } });
  });

  test('that does not converge: says so, and what would make it', async () => {
    const { stdout } = await run(fakeHost(), `dirty-rate ${recorded} --link 200kB/s --downtime 1s`);
    expect(stdout).toMatch(/will not converge: each round leaves as much as it sends/);
    expect(stdout).toMatch(
      /It would converge with a link of 1\.\d+ Mbit\/s, or a pause of 1\.\d+ s, or a guest that writes \d+ % less/,
    );
    const { stdout: json } = await run(fakeHost(), `dirty-rate ${recorded} --link 200kB/s --downtime 1s --json`);
    expect(parse(json)).toMatchObject({
      prediction: { verdict: 'never-ends', pauseMs: null, remedy: { downtimeMs: expect.any(Number) as number } },
    });
  });

  test('--watch in a pipe: a line for each sample, then the summary; with --json a document on each line', async () => {
    const { stdout } = await run(fakeHost(), `dirty-rate ${recorded} --watch`);
    const lines = stdout.split('\n');
    expect(lines[0]).toBe('    1.00 s           65 pages/s   260 KiB/s  new 65');
    expect(lines[4]).toBe('    5.00 s           65 pages/s   260 KiB/s  new 1  again 98 %');
    expect(stdout).not.toContain('\x1b');
    const { stdout: json } = await run(fakeHost(), `dirty-rate ${recorded} --watch --json`);
    const documents = json.trimEnd().split('\n').map(parse);
    expect(documents).toHaveLength(6);
    expect(documents[0]).toMatchObject({ schemaVersion: 1, sample: { index: 0, heat: { regionPages: 1 } } });
    expect(documents[5]).toMatchObject({ schemaVersion: 1, summary: { samples: 5 }, prediction: null });
  });

  test('--report: one page that asks for nothing from outside, and names no file unescaped', async () => {
    const strange = path.join(folder, '<b>&.bitmap');
    writeFileSync(strange, recording());
    const line = `dirty-rate --file ${strange} --pages ${PAGES} --link 1Gbit/s --report out.html`;
    const page = (await run(fakeHost(), line)).files.get('out.html') as string;
    expect(page).toMatch(/^<!doctype html>/);
    expect(page).not.toMatch(/<script|(src|href)=|url\((?!#)|@import/);
    expect(page).not.toContain('<b>');
    expect(page).toContain('&#60;b&#62;&#38;');
    expect(page).toContain('prefers-color-scheme: dark');
    expect(page.match(/<svg /g)).toHaveLength(4);
    expect(page).toContain('var(--heat)');
    expect(page).toMatch(/A migration converges/);
    expect(page.length).toBeLessThan(150_000);
    expect(page).not.toMatch(/NaN|undefined|Infinity/);
  });
});

describe('a Xen guest', () => {
  test('is measured with its log on, which is off again afterwards', async () => {
    using guest = busyGuest([40, 41, 9000]);
    const { exitCode, stdout } = await run(guest.host, 'dirty-rate guest5 --interval 100ms --samples 3 --json');
    expect(exitCode).toBe(0);
    expect(parse(stdout)).toMatchObject({
      source: { description: 'domain 5 (guest5)', pageCount: 10_000 },
      summary: { samples: 3, workingSet: { pages: 3 }, again: { everySample: 3 } },
    });
    expect(guest.host.dirtyLogs.isOn(5)).toBe(false);
  });

  test('--watch in a terminal: draws, follows the size of the window, and Ctrl-C puts everything back', async () => {
    using guest = busyGuest([40, 41, 9000]);
    const stop = new AbortController();
    const terminal = { columns: 60, rows: 20 };
    const frames: string[] = [];
    const onStdout = (text: string) => {
      if (!text.includes('\x1b[H')) return;
      frames.push(text);
      if (frames.length === 1) Object.assign(terminal, { columns: 40, rows: 12 });
      if (frames.length === 3) stop.abort();
    };
    const line = 'dirty-rate 5 --watch --interval 50ms --link 10Gbit/s';
    const settings = { terminal, color: true, colorDepth: 24, signal: stop.signal, onStdout };
    const { exitCode, stdout } = await run(guest.host, line, settings);
    expect(exitCode).toBe(0);
    expect(guest.host.dirtyLogs.isOn(5)).toBe(false);
    expect(stdout.startsWith('\x1b[?1049h\x1b[?25l\x1b[H')).toBe(true);
    // The last escape sequences of the picture; what follows is the summary on the old screen.
    expect(stdout).toMatch(/\x1b\[\?25h\x1b\[\?1049l\x1b\[1mdomain 5/);
    expect(frames[0]?.split('\r\n').length).toBeLessThanOrEqual(20);
    expect(frames[2]?.split('\r\n').length).toBeLessThanOrEqual(12);
    expect(frames[0]).toMatch(/38;2;\d+;\d+;\d+;48;2;/);
    expect(stdout).toMatch(/Working set: +3 pages/);
  });

  test('NO_COLOR: the map is drawn with characters alone', async () => {
    using guest = busyGuest([40, 41, 9000]);
    const terminal = { columns: 60, rows: 24 };
    const { stdout } = await run(guest.host, 'dirty-rate 5 --watch --interval 50ms --samples 2', { terminal });
    expect(stdout).not.toMatch(/\x1b\[[\d;]*m/);
    expect(stdout).toMatch(/0x28 +@@ /);
  });

  test('Ctrl-C sums up what there is, and says that it is not all', async () => {
    using guest = busyGuest([1]);
    const stop = new AbortController();
    setTimeout(() => stop.abort(), 400);
    const line = 'dirty-rate 5 --interval 50ms --samples 1000';
    const { exitCode, stdout, stderr } = await run(guest.host, line, { signal: stop.signal });
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/domain 5 \(guest5\) {2}\d+ samples? of 50\.0 ms/);
    expect(stderr).toMatch(/ended after \d+ of 1000 samples/);
    expect(guest.host.dirtyLogs.isOn(5)).toBe(false);
  });

  test('that does not exist, or with a log that somebody else uses: the cause and the exit code', async () => {
    expect((await run(fakeHost(), 'dirty-rate nobody')).exitCode).toBe(3);
    expect((await run(fakeHost({ xen: false }), 'dirty-rate 5')).exitCode).toBe(10);
  });
});

describe('wrong usage', () => {
  test.each([
    ['dirty-rate', /nothing to measure/],
    [`dirty-rate 5 --file ${file}`, /more than one thing/],
    ['dirty-rate 5 --interval 49ms', /interval of 49 ms/],
    ['dirty-rate 5 --interval 61s', /interval of 61000 ms/],
    ['dirty-rate 5 --interval 1', /the unit is missing/],
    ['dirty-rate 5 --samples 0', /outside 1 to/],
    ['dirty-rate 5 --link 10Gb', /not a bandwidth/],
    ['dirty-rate 5 --link 10Gbit/s --downtime soon', /not a time/],
    ['dirty-rate 5 --policy hyperv', /xen, xen-save, qemu/],
    ['dirty-rate --qmp /x --mode guess', /page-sampling/],
    [`dirty-rate --file ${file} --pages many`, /not a whole number/],
    [`dirty-rate --file ${file} --page-size 4`, /the unit is missing/],
  ])('%s', async (line, message) => {
    const { exitCode, stderr } = await run(fakeHost(), line);
    expect(stderr).toMatch(message);
    expect(exitCode).toBe(2);
  });

  test('a file that is not there is exit code 3, a QEMU that is not there too', async () => {
    expect((await run(fakeHost(), `dirty-rate --file ${folder}/none`)).exitCode).toBe(3);
  });
});
