import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { measureDirtyRate, openQmpSource, predictPrecopy, summarise } from '../../src/dirty-rate/index.js';
import { startMigration } from '../../src/helpers/index.js';
import { addDirtyWriter, readWritten, startDirtyWriter, hasCompiler } from '../support/dirty-writer.js';
import { GuestShell, linuxGuestFiles, noLinuxGuest } from '../support/linux-guest.js';
import { hasQemu, Qemu } from '../support/qemu.js';
import { ThrottledLink } from '../support/throttle.js';

const MIB = 2 ** 20;
const PAGE = 4096;
const missing = hasQemu && hasCompiler ? noLinuxGuest() : 'no qemu-system-x86_64 or no gcc';
const args = (append: string) => [
  ...['-machine', 'pc', '-m', '256'],
  ...['-chardev', 'socket,id=serial,path={}/serial,server=on,wait=off', '-serial', 'chardev:serial'],
  ...['-append', `console=ttyS0 quiet tsc=reliable panic=-1 ${append}`],
];

describe.skipIf(missing !== undefined)(`x ${missing}`, () => {
  test('exp', async () => {
    const t0 = performance.now();
    const say = (...x: unknown[]) => console.log(((performance.now() - t0) / 1000).toFixed(2), ...x);
    const { kernel, initramfs } = await linuxGuestFiles();
    const append = process.env['APPEND'] ?? 'mitigations=off';
    await using tmp = new Qemu(['-machine', 'none']);
    const initrd = addDirtyWriter(initramfs, tmp.folder);
    const machine = [...args(append), '-kernel', kernel, '-initrd', initrd];
    await using source = new Qemu(machine);
    await using from = await source.connect();
    const shell = new GuestShell(source.path('serial'));
    await shell.ready();
    say('booted');
    const R = Number(process.env['R'] ?? 40), W = Number(process.env['W'] ?? 128);
    await startDirtyWriter(shell, W * 256, R * 256);
    say('writer', await readWritten(shell));
    const src = await openQmpSource({ greeting: from.greeting, raw: (c, a, o) => from.raw(c, a, o), close: async () => {} }, { description: 'x' });
    const samples = [];
    for await (const s of measureDirtyRate(src, { intervalMs: 1000, samples: 5 })) {
      samples.push(s);
      say(s.pagesPerSecond / 256);
    }
    const summary = summarise(samples, src);
    say('rate', summary.mean.bytesPerSecond / MIB, summary.profile.windows.map((w) => [w.windowMs, w.pages / 256]));
    say('writer', await readWritten(shell));
    const dump = source.path('mem');
    await from.raw('pmemsave', { val: 0, size: 256 * MIB, filename: dump });
    const mem = readFileSync(dump);
    let zero = 0;
    const z = Buffer.alloc(PAGE);
    for (let p = 0; p < 65536; p++) if (mem.compare(z, 0, PAGE, p * PAGE, (p + 1) * PAGE) === 0) zero++;
    say('zero', zero / 65536);
    let at = from, n = 0;
    const keep: Qemu[] = [];
    for (const [B, D] of JSON.parse(process.env['LINKS'] ?? '[[80,300],[60,300]]') as [number, number][]) {
      const dest = new Qemu([...machine, '-incoming', 'unix:{}/migration']);
      keep.push(dest);
      const to = await dest.connect();
      await using link = await ThrottledLink.open(source.path(`link${n++}`), dest.path('migration'), B * MIB);
      const p = predictPrecopy(summary.profile, { bandwidthBytesPerSecond: B * MIB, downtimeMs: D, policy: 'qemu', zeroShare: zero / 65536 });
      say('predicted', p.verdict, p.roundCount, p.totalBytes / MIB, p.totalMs, p.pauseMs, p.rounds.map((r) => [r.bytes / MIB, r.durationMs]));
      const m = await startMigration(at, { uri: `unix:${source.path(`link${n - 1}`)}` }, { pollIntervalMs: 20, parameters: { 'max-bandwidth': Number(process.env['MB'] ?? B) * MIB, 'downtime-limit': D } });
      let sync = 0;
      for await (const q of m.progress()) {
        const s = q.info.ram?.['dirty-sync-count'] ?? 0;
        if (s !== sync) say('sync', s, q.status, q.transferredBytes / MIB, q.remainingBytes / MIB, q.info.ram?.mbps);
        sync = s;
      }
      const d = await m.done;
      say('real', d.info.ram?.['dirty-sync-count'], d.transferredBytes / MIB, d.info['total-time'], d.info.downtime, d.info['setup-time'], 'dup', d.info.ram?.duplicate, 'norm', d.info.ram?.normal);
      const s2 = new GuestShell(dest.path('serial'));
      await s2.run('sleep 1');
      say('writer', await readWritten(s2));
      s2.close();
      at = to;
    }
    for (const q of keep) await q[Symbol.asyncDispose]();
    shell.close();
  }, 120_000);
});
