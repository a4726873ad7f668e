import { describe, expect, it } from 'vitest';
import type { WorkerCall, WorkerMessage } from '../src/protocol.js';
import { serve, type RequestPort, type ServeOptions } from '../src/serve.js';
import { request, type RequestFields } from './support/guest.js';
import { cardName, home, makeRig, placeAll, slot, type Rig } from './support/rig.js';

type Event = RequestFields | WorkerCall | 'timeout' | 'channelFailed' | 'broken';

const isCall = (event: Event | undefined): event is WorkerCall => typeof event === 'object' && 'method' in event;

/** Plays a script of requests and calls; fails the test when it is read past its end. */
class Script implements RequestPort {
  request = request({ type: 0 });
  readonly log: string[] = [];
  readonly sent: WorkerMessage[] = [];
  readonly answers: number[][] = [];
  failComplete = false;
  readonly #events: Event[];
  #calls: WorkerCall[] = [];

  constructor(events: readonly Event[]) {
    this.#events = [...events];
  }

  next(timeoutMs: number): number {
    const event = this.#events.shift();
    if (event === undefined && timeoutMs === 0) return -1;
    if (event === undefined) throw new Error('the script is over');
    if (event === 'timeout') return -1;
    if (event === 'channelFailed') return -3;
    if (event === 'broken') throw new Error('poll failed');
    if (isCall(event)) {
      this.#calls = [event];
      while (isCall(this.#events[0])) this.#calls.push(this.#events.shift() as WorkerCall);
      return -2;
    }
    this.request = request(event);
    return 0;
  }

  complete(vcpu: number, low: number, high: number): void {
    if (this.failComplete) throw new Error('ESRCH');
    this.log.push('complete');
    this.answers.push([vcpu, low, high]);
  }

  close(): void {
    this.log.push('close');
  }

  receive(): WorkerCall | undefined {
    return this.#calls.shift();
  }

  send(message: WorkerMessage): void {
    this.sent.push(message);
  }

  options(rig: Rig): ServeOptions {
    return {
      port: this,
      control: { receive: () => this.receive(), send: (message) => this.send(message) },
      server: { disable: () => this.log.push('disable'), destroy: () => this.log.push('destroy') },
      handler: rig.handler,
      model: rig.model,
      report: (cause, text) => rig.reports.push(`${cause}: ${text}`),
    };
  }
}

const readId: RequestFields = { type: 2, address: BigInt(slot) << 32n, size: 4, read: true };
const attach: WorkerCall = { id: 1, method: 'attach', argument: { sbdf: cardName, guestDevfn: slot } };
const stop: WorkerCall = { id: 9, method: 'stop', argument: null };

describe('serve', () => {
  it('answers requests and calls in turn', () => {
    const rig = makeRig();
    const script = new Script([readId, attach, readId, 'timeout', stop]);
    expect(serve(script.options(rig))).toBe('stopped');
    expect(script.answers).toEqual([
      [0, 0xffff_ffff, 0],
      [0, 0x10d3_8086, 0],
    ]);
    expect(script.sent.map(({ type }) => type)).toEqual(['devices', 'result', 'result']);
    expect(script.sent[0]).toEqual({ type: 'devices', sbdfs: [cardName] });
    expect(script.sent[1]).toMatchObject({ id: 1, value: { pirq: 16, vectors: 5, hidden: [] } });
    rig.hypervisor.assertBaseline();
  });

  it('answers every call with what it gives, or the error it throws', () => {
    const rig = makeRig();
    const script = new Script([
      attach,
      { id: 2, method: 'attach', argument: { sbdf: cardName, guestDevfn: 6 << 3 } },
      { id: 3, method: 'view', argument: cardName },
      { id: 5, method: 'detach', argument: cardName },
      { id: 6, method: 'detach', argument: 'nonsense' },
      { id: 7, method: 'dance' as 'stop', argument: null },
      stop,
    ]);
    serve(script.options(rig));
    const byId = (id: number) => script.sent.find((message) => 'id' in message && message.id === id);
    expect(byId(2)).toMatchObject({ type: 'failure', error: { code: 'DEVICE_MODEL_ALREADY_ATTACHED' } });
    expect(byId(3)).toMatchObject({ type: 'result' });
    expect(byId(5)).toEqual({ type: 'result', id: 5, value: null });
    expect(byId(6)).toMatchObject({ error: { code: 'PCI_SBDF_SYNTAX' } });
    expect(byId(7)).toMatchObject({ error: { name: 'TypeError' } });
    // What crosses to another thread must be cloneable.
    for (const message of script.sent) structuredClone(message);
  });

  it('completes every request once, whatever it is, also when its function or BAR is gone', () => {
    const table = BigInt(home.bar3);
    const odd: RequestFields[] = [
      { type: 8 },
      { type: 7 },
      { type: 77, size: 8, read: true },
      { type: 0, address: 0xc000n, read: true },
      { type: 2, address: 0x99n << 32n, read: true },
      { type: 2, address: BigInt(slot) << 32n, size: 3, count: 0 },
      { type: 2, address: BigInt(slot) << 32n, count: 5, data: 0x1000n, pointer: true, read: true },
      { type: 1, address: table, count: 4096, data: 0x2000n, pointer: true, descending: true },
      { type: 1, address: table + 8n, count: 300, data: 7n },
      { type: 1, address: table, count: 4097, pointer: true },
      { type: 1, address: BigInt(home.bar0), size: 8, read: true },
      { type: 1, address: 1n << 60n, read: true },
    ];
    const rig = makeRig({ barAccess: true });
    rig.attach();
    placeAll(rig.guest());
    const detach: WorkerCall = { id: 2, method: 'detach', argument: cardName };
    const script = new Script([...odd, detach, ...odd, stop, ...odd]);
    expect(serve(script.options(rig))).toBe('stopped');
    expect(script.answers).toHaveLength(3 * odd.length);
    expect(rig.device.barAccesses.filter(({ bar }) => bar === 0)).toHaveLength(1);
    expect([rig.faults, rig.reports]).toEqual([[], []]);
    rig.hypervisor.assertBaseline();
  });

  it('stops in order: devices, disable, open requests, close, destroy', () => {
    const rig = makeRig();
    rig.attach();
    const script = new Script([stop, readId, readId]);
    serve(script.options(rig));
    expect(script.log).toEqual(['disable', 'complete', 'complete', 'close', 'destroy']);
    expect(script.answers[0]).toEqual([0, 0xffff_ffff, 0]);
    rig.hypervisor.assertBaseline();
  });

  it('stops all the same when a device cannot be released, and names what is left', () => {
    const rig = makeRig();
    rig.attach();
    rig.hypervisor.failAt('unbindIntx', 'EIO', 9);
    const script = new Script([stop]);
    expect(serve(script.options(rig))).toBe('stopped');
    expect(script.log).toEqual(['disable', 'close', 'destroy']);
    expect(script.sent[0]).toMatchObject({
      type: 'failure',
      error: { code: 'DEVICE_MODEL_RELEASE_INCOMPLETE', left: [`${cardName}: pirq 16 bound for INTx`] },
    });
  });

  it('calls nothing of a domain that died', () => {
    const rig = makeRig();
    rig.attach();
    rig.hypervisor.domainGone = true;
    const script = new Script([{ id: 1, method: 'domainDied', argument: null }]);
    expect(serve(script.options(rig))).toBe('domainDied');
    expect(script.log).toEqual(['close']);
    expect(rig.hypervisor.violations).toEqual([]);
  });

  it('goes on when an answer cannot be delivered', () => {
    const rig = makeRig();
    const script = new Script([readId, stop]);
    script.failComplete = true;
    expect(serve(script.options(rig))).toBe('stopped');
    expect(rig.reports).toEqual(['complete: ESRCH']);
  });

  it.each([
    ['channelFailed', /event channel/],
    ['broken', /poll failed/],
  ] as const)('releases everything when the wait itself fails (%s)', (event, sentence) => {
    const rig = makeRig();
    rig.attach();
    const script = new Script([event]);
    expect(() => serve(script.options(rig))).toThrow(sentence);
    expect(script.log).toEqual(['disable', 'close', 'destroy']);
    rig.hypervisor.assertBaseline();
  });
});
