import type { WorkerCall, WorkerMessage } from '../../src/protocol.js';
import { serve, type RequestPort, type ServeEnd } from '../../src/serve.js';
import { request, type RequestFields } from './guest.js';
import type { Rig } from './rig.js';

/** Result of `next` for a wake by the main thread (IoreqEvent). */
const timedOut = -1;
const woken = -2;
/** Waits in a row that bring nothing: whoever serves this page does not end when told to. */
const mostVainWaits = 100;

type SlotState = 'none' | 'ready' | 'inProcess' | 'responseReady';

/**
 * The page of requests as Xen and the guest's processors see it, with a model at the other end: any step but
 * none → ready → inProcess → responseReady is a violation (Xen crashes the guest for it).
 */
export class RequestPage implements RequestPort {
  request = request({ type: 0 });
  readonly violations: string[] = [];
  /** What the model was seen to do, in order. */
  readonly log: string[] = [];
  readonly answers: { readonly vcpu: number; readonly low: number; readonly high: number }[] = [];
  readonly sent: WorkerMessage[] = [];
  /** Called when a processor has its answer; it may ask again. */
  onAnswer: (vcpu: number) => void = () => {};
  readonly #slots: { state: SlotState; fields: RequestFields }[];
  readonly #calls: WorkerCall[] = [];
  #vainWaits = 0;

  constructor(vcpuCount: number) {
    this.#slots = Array.from({ length: vcpuCount }, () => ({ state: 'none', fields: { type: 0 } }));
  }

  ask(vcpu: number, fields: RequestFields): void {
    this.#step(vcpu, 'none', 'ready');
    const slot = this.#slots[vcpu];
    if (slot !== undefined) slot.fields = fields;
  }

  call(call: WorkerCall): void {
    this.#calls.push(call);
  }

  /** Serves until nobody asks any more, or as the calls say. */
  serve(rig: Rig): ServeEnd {
    return serve({
      port: this,
      control: { receive: () => this.#calls.shift(), send: (message) => this.sent.push(message) },
      server: { disable: () => this.log.push('disable'), destroy: () => this.log.push('destroy') },
      handler: rig.handler,
      model: rig.model,
      report: (cause, text) => rig.reports.push(`${cause}: ${text}`),
    });
  }

  next(timeoutMs: number): number {
    this.#vainWaits += 1;
    if (this.#vainWaits > mostVainWaits) throw new Error('the model does not end');
    if (timeoutMs !== 0 && this.#calls.length > 0) return woken;
    const vcpu = this.#slots.findIndex(({ state }) => state === 'ready');
    if (vcpu < 0 && timeoutMs !== 0) this.#calls.push({ id: 0, method: 'stop', argument: null });
    if (vcpu < 0) return timeoutMs === 0 ? timedOut : woken;
    this.#vainWaits = 0;
    this.#step(vcpu, 'ready', 'inProcess');
    this.request = request(this.#slots[vcpu]?.fields ?? { type: 0 });
    return vcpu;
  }

  complete(vcpu: number, low: number, high: number): void {
    this.#step(vcpu, 'inProcess', 'responseReady');
    this.log.push('complete');
    this.answers.push({ vcpu, low, high });
    this.#step(vcpu, 'responseReady', 'none');
    this.onAnswer(vcpu);
  }

  close(): void {
    const open = this.#slots.findIndex(({ state }) => state !== 'none');
    if (open >= 0) this.violations.push(`closed while processor ${open} waits`);
    this.log.push('close');
  }

  #step(vcpu: number, from: SlotState, to: SlotState): void {
    const slot = this.#slots[vcpu];
    if (slot?.state !== from) this.violations.push(`processor ${vcpu}: ${slot?.state ?? 'no such'} to ${to}`);
    if (slot !== undefined) slot.state = to;
  }
}

/** What a guest may ask of a page: sensible and not, for a function at `devfn` and memory at `address`. */
export function oddRequests(devfn: number, address: number): RequestFields[] {
  const config = BigInt(devfn) << 32n;
  const table = BigInt(address);
  return [
    { type: 8 },
    { type: 7 },
    { type: 77, size: 8, read: true },
    { type: 0, address: 0xc000n, read: true },
    { type: 2, address: config, read: true },
    { type: 2, address: 0x99n << 32n, read: true },
    { type: 2, address: config, size: 3, count: 0 },
    { type: 2, address: config, count: 5, data: 0x1000n, pointer: true, read: true },
    { type: 1, address: table, count: 4096, data: 0x2000n, pointer: true, descending: true },
    { type: 1, address: table + 8n, count: 300, data: 7n },
    { type: 1, address: table, count: 4097, pointer: true },
    { type: 1, address: table, size: 8, read: true },
    { type: 1, address: 1n << 60n, read: true },
  ];
}
