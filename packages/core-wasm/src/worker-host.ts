// Threads of the two worlds behind one interface: Node's worker_threads and the Web Workers of browsers.
import type { Greeting } from './worker-protocol.js';

/** Why a thread is no more. */
export interface ThreadEnd {
  /** For a sentence: "it exited with code 3". */
  readonly what: string;
  readonly cause?: unknown;
}

export interface HostedThread {
  /** Our end of the thread's port. */
  readonly port: MessagePort;
  /** Resolves when the thread is gone. Browsers do not say when that is: there, when its end is asked for. */
  terminate(): Promise<void>;
}

type WorkerThreads = typeof import('node:worker_threads');

/**
 * `process.getBuiltinModule` needs no import that a browser's bundler would have to resolve, and works in ES modules
 * and CommonJS alike (Node 20.16 and later).
 */
function nodeBuiltin<Name extends 'node:os' | 'node:worker_threads'>(name: Name) {
  const node = (globalThis as { process?: Partial<NodeJS.Process> }).process;
  return node?.getBuiltinModule?.(name);
}

/** Whether this thread may be blocked by Atomics.wait: all but a browser's main thread. */
export function mayBlock(): boolean {
  return typeof document === 'undefined';
}

/** The processors this process may use. */
export function processorCount(): number {
  return nodeBuiltin('node:os')?.availableParallelism() ?? navigator.hardwareConcurrency;
}

/**
 * @param code a classic script, run in the new thread
 * @param greeting its first message
 * @param onEnd called once, when the thread ends without having been asked to
 */
export function startThread(
  code: string,
  name: string,
  greeting: Omit<Greeting, 'port'>,
  onEnd: (end: ThreadEnd) => void,
): HostedThread {
  const { port1, port2 } = new MessageChannel();
  const whole = { ...greeting, port: port2 };
  let over = false;
  const endOnce = (end: ThreadEnd): void => {
    if (over) return;
    over = true;
    onEnd(end);
  };
  port1.addEventListener('messageerror', () => endOnce({ what: 'it sent what cannot be read' }));
  const threads = nodeBuiltin('node:worker_threads');
  const stop = threads
    ? startNodeThread(threads, code, name, whole, endOnce)
    : startWebWorker(code, name, whole, endOnce);
  return {
    port: port1,
    async terminate() {
      over = true;
      port1.close();
      await stop();
    },
  };
}

function startNodeThread(
  { Worker: NodeWorker }: WorkerThreads,
  code: string,
  name: string,
  greeting: Greeting,
  onEnd: (end: ThreadEnd) => void,
): () => Promise<unknown> {
  // execArgv: what loads or watches the program's own files has no business in this thread.
  const worker = new NodeWorker(code, { eval: true, name, execArgv: [] });
  let failure: unknown;
  worker.on('error', (error) => (failure = error));
  worker.on('exit', (exitCode) => {
    if (failure === undefined) onEnd({ what: `it exited with code ${exitCode}` });
    else onEnd({ what: `it failed: ${messageOf(failure)}`, cause: failure });
  });
  type NodePort = InstanceType<WorkerThreads['MessagePort']>;
  worker.postMessage(greeting, [greeting.port as unknown as NodePort]);
  return () => worker.terminate();
}

function startWebWorker(
  code: string,
  name: string,
  greeting: Greeting,
  onEnd: (end: ThreadEnd) => void,
): () => Promise<void> {
  const url = URL.createObjectURL(new Blob([code], { type: 'text/javascript' }));
  const worker = new Worker(url, { name });
  // A browser's worker survives an error that nobody caught, in a state that nobody knows: that is its end.
  worker.addEventListener('error', (event) => {
    event.preventDefault();
    worker.terminate();
    const what = event.message ? `it failed: ${event.message}` : 'it could not be started from a blob: URL';
    onEnd({ what, cause: (event as Partial<ErrorEvent>).error });
  });
  worker.postMessage(greeting, [greeting.port]);
  return () => {
    worker.terminate();
    URL.revokeObjectURL(url);
    return Promise.resolve();
  };
}

function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
