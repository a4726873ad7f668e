import { execFileSync, spawn } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { basename } from 'node:path';
import { Duplex } from 'node:stream';
import { connect } from '../../src/node/connect.js';
import type { QmpClient } from '../../src/qmp/client.js';
import { type SchemaSnapshot, readSnapshot } from '../../src/schema/snapshot.js';

const folder = new URL('../../schemas/', import.meta.url);

/** The snapshots of this package by name, oldest QEMU first. */
export const snapshots: ReadonlyMap<string, SchemaSnapshot> = new Map(
  readdirSync(folder)
    .filter((file) => file.endsWith('.jsonl'))
    .map((file) => basename(file, '.jsonl'))
    .sort((a, b) => a.localeCompare(b, 'en', { numeric: true }))
    .map((name) => [name, readSnapshot(readFileSync(new URL(`${name}.jsonl`, folder), 'utf8'))]),
);

/**
 * Programs to try beside those that Debian installs, as commands separated by `;`. A QEMU of another Debian needs a
 * root with its packages: `XENPT_TEST_QEMU='chroot /srv/trixie qemu-system-x86_64'`.
 */
const others = (process.env['XENPT_TEST_QEMU'] ?? '').split(';').map((command) => command.trim().split(/\s+/));
const candidates = [['qemu-system-x86_64'], ['/usr/libexec/xen-qemu-system-i386'], ...others];

const available = candidates.flatMap((command) => {
  const [file = '', ...args] = command;
  try {
    const output = execFileSync(file, [...args, '--version'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const [, version = ''] = /version (\d+\.\d+)/.exec(output) ?? [];
    return [{ command, version, binary: basename(command.at(-1) ?? '') }];
  } catch {
    return [];
  }
});

/** The command that starts the QEMU a snapshot was taken from, when this machine has it. */
export function programFor({ origin }: SchemaSnapshot): readonly string[] | undefined {
  return available.find(({ version, binary }) => version === origin.version && binary === origin.binary)?.command;
}

/** Starts a QEMU that runs nothing, and ends it after `use`. */
export async function withQemu(
  [file = '', ...before]: readonly string[],
  args: readonly string[],
  use: (client: QmpClient) => Promise<void>,
): Promise<void> {
  // qtest stands in where a build has no tcg: Xen's, on a machine without Xen.
  const common = ['-accel', 'tcg', '-accel', 'qtest', '-S', '-display', 'none', '-nodefaults', '-qmp', 'stdio'];
  const child = spawn(file, [...before, ...common, ...args], { stdio: ['pipe', 'pipe', 'pipe'] });
  let errors = '';
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
  const ended = new Promise((resolve) => child.once('exit', resolve));
  const socket = Duplex.from({ readable: child.stdout, writable: child.stdin });
  try {
    const client = await connect({ socket }, { connectTimeoutMs: 20_000 }).catch((cause: unknown) => {
      throw new Error(`QEMU said: ${errors}`, { cause });
    });
    await use(client);
    await client.quit();
  } finally {
    child.kill('SIGKILL');
    await ended;
  }
}
