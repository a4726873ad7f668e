import { spawn } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { basename } from 'node:path';
import { Duplex } from 'node:stream';
import { connect } from '../../src/node/connect.js';
import type { QmpClient } from '../../src/qmp/client.js';
import { type SchemaSnapshot, readSnapshot } from '../../src/schema/snapshot.js';
import { qemuPrograms } from '../support/programs.js';

const folder = new URL('../../schemas/', import.meta.url);

/** The snapshots of this package by name, oldest QEMU first. */
export const snapshots: ReadonlyMap<string, SchemaSnapshot> = new Map(
  readdirSync(folder)
    .filter((file) => file.endsWith('.jsonl'))
    .map((file) => basename(file, '.jsonl'))
    .sort((a, b) => a.localeCompare(b, 'en', { numeric: true }))
    .map((name) => [name, readSnapshot(readFileSync(new URL(`${name}.jsonl`, folder), 'utf8'))]),
);

/** The command that starts the QEMU a snapshot was taken from, when this machine has it. */
export function programFor({ origin }: SchemaSnapshot): readonly string[] | undefined {
  return qemuPrograms.find(({ version, binary }) => version === origin.version && binary === origin.binary)?.command;
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
