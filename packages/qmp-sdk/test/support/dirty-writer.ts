import { execFileSync } from 'node:child_process';
import { copyFileSync, appendFileSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createCpio } from './cpio.js';
import type { GuestShell } from './linux-guest.js';

const source = fileURLToPath(new URL('dirty-writer.c', import.meta.url));
const compiler = '/usr/bin/gcc';

/** Static, without a C library: the guest has none. */
const compilerOptions = [
  ...['-Os', '-Wall', '-Wextra', '-Werror', '-static', '-nostdlib', '-no-pie', '-fno-pie', '-s'],
  ...['-fno-builtin', '-fno-stack-protector', '-fno-asynchronous-unwind-tables'],
  ...['-Wl,--build-id=none', '-Wl,-z,noseparate-code'],
];

export const hasCompiler = existsSync(compiler);

/** An initramfs in `folder` with all of another one and `/bin/dirty-writer`: the kernel unpacks archives in a row. */
export function addDirtyWriter(initramfs: string, folder: string): string {
  const program = join(folder, 'dirty-writer');
  execFileSync(compiler, [...compilerOptions, '-o', program, source], { stdio: 'pipe' });
  const target = join(folder, 'initramfs.cpio');
  copyFileSync(initramfs, target);
  appendFileSync(target, createCpio([{ path: 'bin/dirty-writer', content: readFileSync(program), mode: 0o755 }]));
  return target;
}

/** What the program said last. */
export interface Written {
  readonly pages: number;
  readonly ms: number;
  /** Pages whose content was not what had been written there. */
  readonly lost: number;
}

export async function startDirtyWriter(shell: GuestShell, pages: number, pagesPerSecond: number): Promise<void> {
  await shell.run(`dirty-writer ${pages} ${pagesPerSecond} >/tmp/written 2>&1 &`);
  while ((await readWritten(shell)).pages === 0) await shell.run('sleep 0.2');
}

export async function readWritten(shell: GuestShell): Promise<Written> {
  const [, total, ms, lost] = /written (\d+) (\d+) (\d+)/.exec(await shell.run('tail -n 1 /tmp/written')) ?? [];
  return { pages: Number(total ?? 0), ms: Number(ms ?? 0), lost: Number(lost ?? 0) };
}
