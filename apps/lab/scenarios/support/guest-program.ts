import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** One or two kilobytes without a C library: it starts in a guest that has none. */
export const compilerOptions = [
  ...['-Os', '-Wall', '-Wextra', '-Werror', '-static', '-nostdlib', '-no-pie', '-fno-pie', '-s'],
  ...['-fno-builtin', '-fno-stack-protector', '-fno-asynchronous-unwind-tables'],
  ...['-Wl,--build-id=none', '-Wl,-z,noseparate-code'],
];

/** Lines of a guest's script (`createGuest({ script })`) that put the program of `name`.c into its PATH. */
export function guestProgramScript(name: string): string[] {
  const source = fileURLToPath(new URL(`${name}.c`, import.meta.url));
  const folder = mkdtempSync(join(tmpdir(), 'xenpt-program-'));
  try {
    const program = join(folder, name);
    execFileSync('gcc', [...compilerOptions, '-o', program, source], { stdio: 'pipe' });
    const encoded = readFileSync(program).toString('base64');
    return [`echo ${encoded} | base64 -d >/bin/${name}`, `chmod +x /bin/${name}`];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
