// What runs in a worker. A build makes one text of this file and all it imports (scripts/embed-worker.mjs).
import { expose } from 'comlink';
import { BITMAP_WORKSPACE_BYTES, BitmapCore } from './bitmap-core.js';
import { DirtyBitmap } from './bitmap.js';
import type { Address } from './kernels.js';
import { ScanControl } from './worker-control.js';
import { encodeError } from './worker-errors.js';
import { WAKE, type Greeting, type ScanTask, type TaskReply, type WorkerApi } from './worker-protocol.js';
import { BatchProducer, chunkScanner, scanChunks } from './worker-scan.js';

/**
 * So long a worker keeps waiting for the consumer to give a slot back before it lets other scans have a turn. Waiting
 * costs nothing but the turn; being called again costs 50 µs (measured: one comlink call).
 */
const SLOT_PATIENCE_MS = 5;

/** A worker remembers the cores of that many memories; making one anew costs 0.1 ms. */
const REMEMBERED_MEMORIES = 4;

/** By `ScanTask.coreId`, the one used last at the end. */
const memories = new Map<number, Map<Address, BitmapCore>>();

function coreAt(task: ScanTask, start: Address): BitmapCore {
  const known = memories.get(task.coreId) ?? new Map<Address, BitmapCore>();
  memories.delete(task.coreId);
  memories.set(task.coreId, known);
  for (const oldest of memories.keys()) {
    if (memories.size <= REMEMBERED_MEMORIES) break;
    memories.delete(oldest);
  }
  let core = known.get(start);
  if (!core) {
    const { memory, build, simd } = task;
    core = new BitmapCore({ memory, build, simd, start, end: start + BITMAP_WORKSPACE_BYTES });
    known.set(start, core);
  }
  return core;
}

/** V8 compiles a kernel at its first call, and its first calls are twenty times slower (measured). */
function warmUp(): void {
  const core = new BitmapCore({ maximumBytes: 2 * BITMAP_WORKSPACE_BYTES });
  const [map, into] = [DirtyBitmap.allocate(core, 65_536), DirtyBitmap.allocate(core, 65_536)];
  for (let round = 0; round < 3; round++) {
    map.set(100, 20_000 * (round + 1));
    map.count();
    map.extract();
    map.runs();
    map.histogram(512);
    map.harvest(into);
  }
}

function run(task: ScanTask, port: MessagePort): void {
  const control = new ScanControl(task.threadCount, task.control);
  control.setAtWork(task.thread, true);
  try {
    // After setAtWork: from here on the pool waits for this thread before it lets go of the bitmap.
    if (control.cancelled) return;
    if (task.operation === 'extract' || task.operation === 'runs') produce(task, control, port);
    else scanChunks(control, task, chunkScanner(task, coreAt(task, task.workspaces[0] ?? 0)), () => true);
  } finally {
    control.setAtWork(task.thread, false);
    control.announceEnd();
  }
}

function produce(task: ScanTask, control: ScanControl, port: MessagePort): void {
  const cores = task.workspaces.map((start) => coreAt(task, start));
  const producer = new BatchProducer(task, control, cores);
  while (!control.cancelled) {
    const seen = control.slotsGivenBack(task.thread);
    const outcome = producer.step();
    if (outcome === 'exhausted') return;
    if (outcome === 'filled') {
      if (control.wakeConsumer()) port.postMessage(WAKE);
    } else if (!control.waitForFreeSlot(task.thread, seen, SLOT_PATIENCE_MS)) return;
  }
}

function answer(work: () => void): TaskReply {
  try {
    work();
    return undefined;
  } catch (error) {
    return encodeError(error);
  }
}

function greet({ data }: MessageEvent<Greeting>): void {
  const { port } = data;
  const api: WorkerApi = { warmUp: () => answer(warmUp), run: (task) => answer(() => run(task, port)) };
  expose(api, port);
}

// In Node a worker's own messages arrive at a port, in browsers at the global object.
const node = (globalThis as { process?: Partial<NodeJS.Process> }).process;
const parentPort = node?.getBuiltinModule?.('node:worker_threads').parentPort;
const inbox = (parentPort ?? globalThis) as unknown as EventTarget;
inbox.addEventListener('message', (event) => greet(event as MessageEvent<Greeting>), { once: true });
