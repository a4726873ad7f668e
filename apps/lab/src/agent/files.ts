import { createHash } from 'node:crypto';
import { open, stat } from 'node:fs/promises';
import type { AgentClient } from './client.js';

const pieceBytes = 512 * 1024;
/** For one piece; dom0 writes some megabytes per second. */
const pieceDeadlineMs = 60_000;

/** Writes bytes to a file of dom0. */
export async function writeRemote(
  agent: AgentClient,
  path: string,
  content: Uint8Array,
  mode = 0o644,
): Promise<void> {
  let offset = 0;
  do {
    const piece = content.subarray(offset, offset + pieceBytes);
    await agent.request({ op: 'write', path, append: offset > 0, mode }, piece, pieceDeadlineMs);
    offset += pieceBytes;
  } while (offset < content.length);
}

/** Copies a file of this host, with its permissions, to dom0. */
export async function pushFile(agent: AgentClient, localPath: string, remotePath: string): Promise<void> {
  const { mode } = await stat(localPath);
  const file = await open(localPath);
  try {
    await writeRemote(agent, remotePath, await file.readFile(), mode & 0o777);
  } finally {
    await file.close();
  }
}

/** Copies a file of dom0 to this host. Resolves with its SHA-256, in hex. */
export async function pullFile(agent: AgentClient, remotePath: string, localPath: string): Promise<string> {
  const file = await open(localPath, 'w');
  const hash = createHash('sha256');
  try {
    for (let offset = 0; ; offset += pieceBytes) {
      const head = { op: 'read', path: remotePath, offset, length: pieceBytes };
      const { event, body } = await agent.request(head, undefined, pieceDeadlineMs);
      await file.write(body);
      hash.update(body);
      if (event.end) return hash.digest('hex');
    }
  } finally {
    await file.close();
  }
}
