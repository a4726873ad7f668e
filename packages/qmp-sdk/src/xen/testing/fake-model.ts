import { XenErrorCode, XenOperationError } from '../errors.js';
import type { AttachedFunction, FunctionView, ModelClient, ModelStatus } from '../model-client.js';
import type { OpenedFields } from '../model-protocol.js';
import type { Journal } from './journal.js';

interface FakeModel {
  readonly handle: string;
  readonly devices: Map<string, number>;
  /** Those who expect the guest to eject. */
  readonly watchers: Set<object>;
  /** Ejected, and not given to QEMU. */
  slots: number;
}

/** The device models of all guests of a fake host. */
export class FakeModels {
  readonly #running = new Map<number, FakeModel>();
  readonly #journal: Journal;
  /** What `view` answers. */
  functionView: FunctionView = { guest: new Uint8Array(256), host: new Uint8Array(256), bars: [], vectors: [] };
  /** What the last `attach` asked for besides device and place. */
  opened: OpenedFields = {};
  attached: AttachedFunction = { pirq: 16, hidden: [], vectors: 3 };
  /** What `status` answers beside domain and devices. */
  status: Omit<ModelStatus, 'handle' | 'devices'> = { requests: {}, deniedWrites: 0, effects: {} };
  /** What differs in it after `replace`. */
  nextStatus: Partial<ModelStatus> = {};

  constructor(journal: Journal) {
    this.#journal = journal;
  }

  connect(domid: number): Promise<ModelClient | null> {
    return this.#do('model.connect', [domid], () => (this.#running.has(domid) ? this.#client(domid) : null));
  }

  start(domid: number, handle: string): Promise<ModelClient> {
    return this.#do('model.start', [domid], () => {
      this.#running.set(domid, { handle, devices: new Map(), watchers: new Set(), slots: 0 });
      return this.#client(domid);
    });
  }

  /** Another process with the same devices; `status` may be told anew by then. */
  replace(domid: number): Promise<{ model: ModelClient; pauseMs: number }> {
    return this.#do('model.replace', [domid], () => {
      this.status = { ...this.status, ...this.nextStatus };
      return { model: this.#client(domid), pauseMs: 87 };
    });
  }

  /** As a SIGKILL does. */
  kill(domid: number): void {
    this.#running.delete(domid);
  }

  /** The guest's `_EJ0`. Returns whether it came here; if not, it goes to QEMU. */
  guestEjects(domid: number, slots: number): boolean {
    const model = this.#running.get(domid);
    if (!model || model.watchers.size === 0) return false;
    model.slots = (model.slots | slots) >>> 0;
    return true;
  }

  /** While a guest's ejects come to the model, and while some of them have not been given to QEMU. */
  dump(): string[] {
    return [...this.#running].map(([domid, { devices, watchers, slots }]) => {
      const expects = watchers.size > 0 ? ' expects ejects' : '';
      const ejected = slots > 0 ? ` ejected 0x${slots.toString(16)}` : '';
      return `model ${domid}: ${[...devices.keys()].join(' ')}${expects}${ejected}`;
    });
  }

  #client(domid: number): ModelClient {
    const connection = {};
    return {
      attach: ({ sbdf, guestDevfn, ...opened }) =>
        this.#do('model.attach', [domid, sbdf, guestDevfn], () => {
          this.#devices(domid).set(sbdf, guestDevfn);
          this.opened = opened;
          return this.attached;
        }),
      detach: (sbdf) =>
        this.#do('model.detach', [domid, sbdf], () => {
          if (!this.#devices(domid).delete(sbdf))
            throw refused('DEVICE_MODEL_NOT_ATTACHED', `${sbdf} is not attached`);
        }),
      view: () => this.#do('model.view', [domid], () => this.functionView),
      status: () => this.#do('model.status', [domid], () => this.#status(domid)),
      expectEjects: async (passedOn) => {
        await Promise.resolve();
        const model = this.#model(domid);
        model.watchers.add(connection);
        model.slots = (model.slots & ~passedOn) >>> 0;
        return model.slots;
      },
      shutdown: () => this.#do('model.shutdown', [domid], () => void this.#running.delete(domid)),
      close: () => void this.#running.get(domid)?.watchers.delete(connection),
    };
  }

  #status(domid: number): ModelStatus {
    const handle = this.#running.get(domid)?.handle ?? '';
    return { ...this.status, handle, devices: [...this.#devices(domid).keys()] };
  }

  #devices(domid: number): Map<string, number> {
    return this.#model(domid).devices;
  }

  #model(domid: number): FakeModel {
    const model = this.#running.get(domid);
    if (!model) throw refused('DEVICE_MODEL_CLOSED', 'the device model went away');
    return model;
  }

  /** Like a reply over a socket: never in the same turn, errors as rejections. */
  async #do<T>(call: string, details: readonly (string | number)[], action: () => T): Promise<T> {
    await Promise.resolve();
    this.#journal.enter(call, ...details);
    return action();
  }
}

function refused(code: string, message: string): XenOperationError {
  return new XenOperationError(XenErrorCode.modelFailed, message, {
    cause: Object.assign(new Error(message), { code }),
    next: 'Look into its log.',
  });
}
