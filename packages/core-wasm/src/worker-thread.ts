// What runs in a worker. A build makes one text of this file and all it imports (scripts/embed-worker.mjs).
import { expose } from 'comlink';
import { BITMAP_WORKSPACE_BYTES, BitmapCore } from './bitmap-core.js';
import { DirtyBitmap } from './bitmap.js';
import type { Address } from './kernels.js';
import { ScanControl } from './worker-control.js';
import { Doorbell, spin } from './worker-doorbell.js';
import { encodeError } from './worker-errors.js';
import { readOrder, taskOf, type ScanTask } from './worker-order.js';
import { WAKE, type Greeting, type ScanFailure, type SharedCore, type WorkerApi } from './worker-protocol.js';
import { BatchProducer, chunkScanner, scanChunks } from './worker-scan.js';

/**
 * So long a worker keeps waiting for the consumer to give a slot back before it lets other scans have a turn. Waiting
 * costs nothing but the turn.
 */
const SLOT_PATIENCE_MS = 5;

/** After a scan, or a ring that announces one, it often follows at once; waking a thread takes 15 µs and more. */
const SPIN_MS = 0.1;

/**
 * A thread that has scanned sleeps blocked: so it is awake 50 µs sooner than by way of its event loop. Whoever sends it
 * a message rings too; the time is for a message that nobody rang for.
 */
const SLEEP_MS = 1000;

/** A memory that has been introduced. */
interface KnownCore {
  readonly shared: SharedCore;
  /** By the address of their workspace. Making one anew costs 0.1 ms. */
  readonly cores: Map<Address, BitmapCore>;
}

function coreAt({ shared, cores }: KnownCore, start: Address): BitmapCore {
  let core = cores.get(start);
  if (!core) {
    core = new BitmapCore({ ...shared, start, end: start + BITMAP_WORKSPACE_BYTES });
    cores.set(start, core);
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

/** Takes part in the scans it is called to, in turn, and knows what has been introduced. */
class ScanWorker implements WorkerApi {
  readonly #port: MessagePort;
  readonly #bell: Doorbell;
  readonly #thread: number;
  readonly #threadCount: number;
  readonly #seats: ScanControl[] = [];
  readonly #cores = new Map<number, KnownCore>();
  readonly #counts = new Map<number, SharedArrayBuffer>();
  #willBeCalled = false;

  constructor({ port, doorbell, thread, threadCount }: Greeting) {
    this.#port = port;
    this.#bell = new Doorbell(doorbell);
    this.#thread = thread;
    this.#threadCount = threadCount;
  }

  warmUp() {
    try {
      warmUp();
      this.attend();
      return undefined;
    } catch (error) {
      return encodeError(error);
    }
  }

  introduceSeat(seat: number, buffer: SharedArrayBuffer): void {
    this.#seats[seat] = new ScanControl(this.#threadCount, buffer);
    this.attend();
  }

  introduceCore(coreId: number, shared: SharedCore): void {
    this.#cores.set(coreId, { shared, cores: new Map() });
    this.attend();
  }

  forgetCore(coreId: number): void {
    this.#cores.delete(coreId);
  }

  introduceCounts(countsId: number, counts: SharedArrayBuffer): void {
    this.#counts.set(countsId, counts);
    this.attend();
  }

  forgetCounts(countsId: number): void {
    this.#counts.delete(countsId);
  }

  attend(rung = false): void {
    for (; ; rung = true) {
      const seen = this.#bell.rung;
      const found = this.#serveAll();
      // The message that brings it attends again.
      if (found === 'unknown') return;
      if (this.#bell.rung !== seen) continue;
      // A ring may announce a scan that is still being prepared, or a message.
      if ((rung || found === 'work') && spin(SPIN_MS, () => this.#bell.rung !== seen)) continue;
      if (found === 'work' && this.#bell.waitBlocked(seen, SLEEP_MS)) continue;
      if (this.#willBeCalled) return;
      const told = this.#bell.listen(seen, () => {
        this.#willBeCalled = false;
        this.attend(true);
      });
      this.#willBeCalled = told === 'call';
      if (told !== 'rung') return;
    }
  }

  /** `unknown`: a scan refers to what is still on its way. */
  #serveAll(): 'nothing' | 'unknown' | 'work' {
    let [served, unknown] = [false, false];
    for (const control of this.#seats) {
      if (!control.take(this.#thread)) continue;
      if (this.#serve(control)) served = true;
      else unknown = true;
    }
    if (unknown) return 'unknown';
    return served ? 'work' : 'nothing';
  }

  /** @returns false: what the scan refers to has not been introduced yet */
  #serve(control: ScanControl): boolean {
    const order = readOrder(control.orderWords);
    const [core, counts] = [this.#cores.get(order.coreId), this.#counts.get(order.countsId)];
    const isKnown = core !== undefined && (order.operation !== 'histogram' || counts !== undefined);
    if (isKnown) this.#run({ ...taskOf(control, order, this.#thread), counts }, control, core);
    else control.putBack(this.#thread);
    if (control.announceEnd()) this.#port.postMessage(WAKE);
    return isKnown;
  }

  #run(task: ScanTask, control: ScanControl, core: KnownCore): void {
    try {
      // At work since before this look: from here on the pool waits for this thread before it lets go of the bitmap.
      if (control.cancelled) return;
      if (task.operation === 'extract' || task.operation === 'runs') this.#produce(task, control, core);
      else scanChunks(control, task, chunkScanner(task, coreAt(core, task.workspaces[0] ?? 0)), () => true);
    } catch (error) {
      this.#port.postMessage({ scanId: task.scanId, failure: encodeError(error) } satisfies ScanFailure);
    } finally {
      control.setAtWork(this.#thread, false);
    }
  }

  #produce(task: ScanTask, control: ScanControl, core: KnownCore): void {
    const cores = task.workspaces.map((start) => coreAt(core, start));
    const producer = new BatchProducer(task, control, cores);
    while (!control.cancelled) {
      const seen = control.slotsGivenBack(task.thread);
      const outcome = producer.step();
      if (outcome === 'exhausted') return;
      if (outcome === 'filled') {
        if (control.wakeConsumer()) this.#port.postMessage(WAKE);
      } else if (!control.waitForFreeSlot(task.thread, seen, SLOT_PATIENCE_MS)) return;
    }
  }
}

// In Node a worker's own messages arrive at a port, in browsers at the global object.
const node = (globalThis as { process?: Partial<NodeJS.Process> }).process;
const parentPort = node?.getBuiltinModule?.('node:worker_threads').parentPort;
const inbox = (parentPort ?? globalThis) as unknown as EventTarget;
inbox.addEventListener(
  'message',
  (event) => {
    const greeting = (event as MessageEvent<Greeting>).data;
    expose(new ScanWorker(greeting), greeting.port);
  },
  { once: true },
);
