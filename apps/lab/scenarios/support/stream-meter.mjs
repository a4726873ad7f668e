// Runs in dom0, between xl's sending and receiving side: passes a migration stream on at a limited speed and writes
// down its rounds. `node stream-meter.mjs BYTES_PER_SECOND LOG COMMAND…`: standard input goes to the command.
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';

const [speed = '', log = '', command = '', ...args] = process.argv.slice(2);
const bytesPerSecond = Number(speed);

// docs/specs/libxc-migration-stream.pandoc: image header 24 bytes, domain header 16, then records of 8 + length bytes,
// padded to 8. PAGE_DATA (1) holds count, a reserved word, the frames with their type in the upper bits, the pages.
const IMAGE_MARKER = Buffer.from('ffffffffffffffff58454e46', 'hex');
const HEADERS_BYTES = 24 + 16;
const PAGE_BYTES = 4096;
const FRAME_MASK = (1n << 52n) - 1n;
const startedMs = performance.now();
const rounds = [];
let state = 'before';
let kept = Buffer.alloc(0);
let skip = 0;
let inPageData = false;
let lastFrame = Infinity;
let passedBytes = 0;

function look(chunk) {
  let data = kept.length > 0 ? Buffer.concat([kept, chunk]) : chunk;
  for (;;) {
    const skipped = Math.min(skip, data.length);
    data = data.subarray(skipped);
    skip -= skipped;
    if (skipped > 0 && inPageData) rounds.at(-1).endMs = performance.now() - startedMs;
    if (skip > 0 || state === 'after') break;
    if (state === 'before') {
      const at = data.indexOf(IMAGE_MARKER);
      if (at < 0) {
        data = data.subarray(Math.max(0, data.length - IMAGE_MARKER.length));
        break;
      }
      skip = at + HEADERS_BYTES;
      state = 'records';
    } else if (!lookAtRecord(data)) break;
  }
  kept = Buffer.from(data);
}

/** False: not all of its head is there yet. */
function lookAtRecord(data) {
  if (data.length < 8) return false;
  const type = data.readUInt32LE(0);
  const length = data.readUInt32LE(4);
  inPageData = type === 1;
  if (type === 1) {
    if (data.length < 24) return false;
    const count = data.readUInt32LE(8);
    if (data.length < 16 + 8 * count) return false;
    const frame = Number(data.readBigUInt64LE(16) & FRAME_MASK);
    const last = Number(data.readBigUInt64LE(8 + 8 * count) & FRAME_MASK);
    const now = performance.now() - startedMs;
    // Each round goes through the frames upwards.
    if (frame <= lastFrame) rounds.push({ startMs: now, endMs: now, frames: 0, pages: 0, bytes: 0 });
    const round = rounds.at(-1);
    round.endMs = now;
    round.frames += count;
    round.pages += (length - 8 - 8 * count) / PAGE_BYTES;
    round.bytes += 8 + length;
    lastFrame = last;
  }
  if (type === 0) state = 'after';
  skip = 8 + Math.ceil(length / 8) * 8;
  return true;
}

const child = spawn(command, args, { stdio: ['pipe', 'inherit', 'inherit'] });
// A receiver may end before its sender closes the stream.
const ended = new Promise((resolve) => child.once('exit', resolve));
child.stdin.on('error', () => undefined);
const written = (chunk) => new Promise((resolve) => child.stdin.write(chunk, resolve));
const oversleptMs = 50;
let freeAtMs = performance.now();
for await (const chunk of process.stdin) {
  look(chunk);
  passedBytes += chunk.length;
  await written(chunk);
  // Time that the sender left unused is lost, but for what a timer oversleeps.
  const nowMs = performance.now();
  freeAtMs = Math.max(freeAtMs, nowMs - oversleptMs) + (chunk.length / bytesPerSecond) * 1000;
  if (freeAtMs - nowMs > 2) await new Promise((resolve) => setTimeout(resolve, freeAtMs - nowMs));
}
child.stdin.end();
const exitCode = await ended;
const endMs = performance.now() - startedMs;
writeFileSync(log, JSON.stringify({ rounds, passedBytes, endMs, exitCode }));
process.exitCode = exitCode ?? 1;
