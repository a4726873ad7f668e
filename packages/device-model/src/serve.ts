import { IoreqEvent, IOREQ_VCPU_COUNT_MAX } from '@xenpt/xen-bindings';
import { messageOf } from './errors.js';
import type { GuestModel } from './guest-model.js';
import type { RequestHandler } from './ioreq.js';
import { Failures } from './failures.js';
import { toPlainError, type WorkerCall, type WorkerMessage } from './protocol.js';
import type { Report } from './report.js';

/** Where a guest's requests come from; xen-bindings' IoreqPort. */
export interface RequestPort {
  /** A vCPU whose request is in `request`, or one of IoreqEvent. */
  next(timeoutMs: number): number;
  readonly request: DataView;
  complete(vcpu: number, dataLow: number, dataHigh: number): void;
  close(): void;
}

/** The main thread as the worker sees it. */
export interface ControlPort {
  receive(): WorkerCall | undefined;
  send(message: WorkerMessage): void;
}

/** The ioreq server in Xen. */
export interface IoreqServer {
  /** Xen sends no new requests. */
  disable(): void;
  destroy(): void;
}

export interface ServeOptions {
  readonly port: RequestPort;
  readonly control: ControlPort;
  readonly server: IoreqServer;
  readonly handler: RequestHandler;
  readonly model: GuestModel;
  readonly report: Report;
}

export type ServeEnd = 'stopped' | 'domainDied';

/** The wait ends by a wake in any case. */
const withoutEnd = -1;

/**
 * Answers requests until the main thread ends it. A processor stands still while its request is open, so nothing in
 * here waits, allocates or logs on the way of an ordinary request.
 *
 * @throws when the event channel fails; everything is released first
 */
export function serve(options: ServeOptions): ServeEnd {
  try {
    for (;;) {
      const end = serveOnce(options);
      if (end !== null) return end;
    }
  } catch (error) {
    new Failures().attempt(() => shutDown(options));
    throw error;
  }
}

function serveOnce(options: ServeOptions): ServeEnd | null {
  const { port, handler, model } = options;
  const vcpu = port.next(withoutEnd);
  if (vcpu >= 0) {
    handler.handle(port.request);
    model.commit();
    complete(options, vcpu);
    return null;
  }
  if (vcpu === IoreqEvent.channelFailed) throw new Error('the event channel of the ioreq server failed');
  return answerCalls(options);
}

function complete({ port, handler, report }: ServeOptions, vcpu: number): void {
  try {
    port.complete(vcpu, handler.dataLow, handler.dataHigh);
  } catch (error) {
    // The domain is on its way out; the main thread will hear of it from xenstore.
    report('complete', messageOf(error));
  }
}

function answerCalls(options: ServeOptions): ServeEnd | null {
  for (;;) {
    const call = options.control.receive();
    if (call === undefined) return null;
    const end = call.method === 'stop' ? 'stopped' : call.method === 'domainDied' ? 'domainDied' : null;
    const answer = answerOf(options, call);
    if (call.method === 'attach' || call.method === 'detach') sendDevices(options);
    options.control.send(answer);
    if (end !== null) return end;
  }
}

function answerOf(options: ServeOptions, call: WorkerCall): WorkerMessage {
  try {
    return { type: 'result', id: call.id, value: perform(options, call) };
  } catch (error) {
    return { type: 'failure', id: call.id, error: toPlainError(error) };
  }
}

/** The main thread tells of them while this one hangs. */
export function sendDevices({ control, model }: Pick<ServeOptions, 'control' | 'model'>): void {
  control.send({ type: 'devices', sbdfs: model.devices });
}

function perform(options: ServeOptions, call: WorkerCall): unknown {
  const { model } = options;
  if (isCall(call, 'attach')) return model.attach(call.argument);
  if (isCall(call, 'detach')) return model.detach(call.argument) ?? null;
  if (isCall(call, 'view')) return model.view(call.argument);
  if (isCall(call, 'expectEjects')) return model.expectEjects(call.argument);
  if (isCall(call, 'ignoreEjects')) return model.ignoreEjects() ?? null;
  if (isCall(call, 'domainDied')) return leaveDeadDomain(options);
  if (isCall(call, 'stop')) return shutDown(options);
  throw new TypeError(`the worker knows no call "${String((call as { method: unknown }).method)}"`);
}

function isCall<M extends WorkerCall['method']>(call: WorkerCall, method: M): call is WorkerCall<M> {
  return call.method === method;
}

/** Nothing of the domain is called any more; what is mapped of it is let go, or it could not be taken down. */
function leaveDeadDomain({ model, port }: ServeOptions): null {
  try {
    model.abandon();
  } finally {
    port.close();
  }
  return null;
}

/**
 * Devices first, then the server: disabled, open requests answered, channel and page given up, destroyed. Answering
 * comes before closing, because a processor whose request is open when its server goes may never be woken (see the
 * fixes f7039ee41b and b7e0d89788 in xen.git).
 */
function shutDown(options: ServeOptions): null {
  const { model, server, report } = options;
  let failure: { readonly error: unknown } | null = null;
  try {
    model.releaseAll();
  } catch (error) {
    failure = { error };
  }
  for (const [name, step] of [
    ['disable', () => server.disable()],
    ['drain', () => answerOpenRequests(options)],
    ['close', () => options.port.close()],
    ['destroy', () => server.destroy()],
  ] as const) {
    try {
      step();
    } catch (error) {
      failure ??= { error };
      report(`shut down: ${name}`, messageOf(error));
    }
  }
  if (failure !== null) throw failure.error;
  return null;
}

function answerOpenRequests(options: ServeOptions): void {
  for (let answered = 0; answered < IOREQ_VCPU_COUNT_MAX; answered += 1) {
    const vcpu = options.port.next(0);
    if (vcpu < 0) return;
    options.handler.handle(options.port.request);
    complete(options, vcpu);
  }
}
