import { deserialize, serialize } from 'node:v8';
import type { Changes } from '../../src/changes.js';
import { GuestModel } from '../../src/guest-model.js';
import type { HostDevice } from '../../src/host-device.js';
import type { CallName, Hypervisor, MessageRequest } from '../../src/hypervisor.js';
import { noGuestMemory, RequestHandler } from '../../src/ioreq.js';
import type { CallIntent } from '../../src/journalled-hypervisor.js';
import { applyWord } from '../../src/saved-words.js';
import { nothingYet, type GuestSaved } from '../../src/state.js';
import { FakeDevice, FakeHypervisor } from '../../src/testing/index.js';
import { networkCard } from './network-card.js';
import type { RigOptions } from './rig.js';

/** What others see a process do: a call to Xen, a note on disk, a write to the device. */
export type Deed = 'call' | 'note' | 'write';

/** What a killed process meets from then on: nothing that it does reaches anybody. */
export class Killed extends Error {}

/** With these a call that a killed process may have made is undone. */
const undoneBy: Partial<Record<CallName, CallName>> = {
  claimFunction: 'releaseFunction',
  claimMemory: 'releaseMemory',
  claimPorts: 'releasePorts',
  mapMemory: 'unmapMemory',
  mapPorts: 'unmapPorts',
  bindIntx: 'unbindIntx',
};

/** A card and its model in processes that follow one another on the same Xen, hardware and disk. */
export class Processes {
  readonly device: FakeDevice;
  readonly hypervisor: FakeHypervisor;
  readonly reports: string[] = [];
  readonly faults: unknown[] = [];
  lost = 0;
  isKilled = false;
  /** Devices that the present process has open. */
  openCount = 0;
  /** The call that a former process may have made, until it is made again or undone. */
  doubt: CallIntent | null = null;
  #model: GuestModel;
  #handler: RequestHandler;
  #disk: Buffer | null = null;
  /** Changed since: place and value. */
  #words: [place: number, value: number][] = [];
  /** What Xen gave for a message since the last note, or -1. */
  #mapped = -1;
  readonly #meet: (deed: Deed, when: 'before' | 'after') => void;

  /** @param meet hears of each deed, and may `kill` the process there */
  constructor(options: RigOptions, meet: (deed: Deed, when: 'before' | 'after') => void) {
    this.#meet = meet;
    const [image = networkCard()] = options.images ?? [];
    this.device = new FakeDevice(image, { barAccess: options.barAccess === true });
    this.hypervisor = new FakeHypervisor({ devices: [this.device], ...options.hypervisor });
    [this.#model, this.#handler] = this.#start();
  }

  get model(): GuestModel {
    return this.#model;
  }

  get handler(): RequestHandler {
    return this.#handler;
  }

  /** What the next process would find. */
  get onDisk(): GuestSaved {
    if (this.#disk === null) return nothingYet;
    const saved = deserialize(this.#disk) as GuestSaved;
    for (const [place, value] of this.#words) applyWord(saved, place, value);
    return saved;
  }

  /** @returns a way back to what is outside of the process now */
  keep(): () => void {
    const [disk, words, mapped] = [this.#disk, [...this.#words], this.#mapped];
    const backs = [this.hypervisor.keep(), this.device.keep()];
    return () => {
      [this.#disk, this.#words, this.#mapped] = [disk, [...words], mapped];
      for (const back of backs) back();
    };
  }

  kill(): never {
    this.isKilled = true;
    throw new Killed();
  }

  /** The next process, with what is on disk. */
  restart(): void {
    this.isKilled = false;
    this.openCount = 0;
    this.doubt = null;
    [this.#model, this.#handler] = this.#start();
    if (this.#disk === null) return;
    const saved = this.onDisk;
    this.#losePirq(saved);
    this.doubt = saved.intent;
    this.#model.restore(saved);
  }

  /** The next process, with nothing: the former one has ended in order. */
  startAnew(): void {
    this.#disk = null;
    this.#words = [];
    this.restart();
  }

  /** Xen has chosen a pirq for a process that did not live to note it. It maps the entry once more if asked. */
  #losePirq({ intent }: GuestSaved): void {
    if (intent?.name !== 'mapMsi' || (intent.values[0] as MessageRequest).pirq !== -1 || this.#mapped === -1) return;
    this.hypervisor.losePirq(this.#mapped);
    this.lost += 1;
  }

  #start(): [GuestModel, RequestHandler] {
    const model = new GuestModel({
      hypervisor: this.#mortal(),
      openDevice: () => this.#openDevice(),
      report: (cause, text) => this.reports.push(`${cause}: ${text}`),
      save: (state) => this.#note(state),
      saveWords: (changes) => this.#noteWords(changes),
    });
    return [model, new RequestHandler(model, noGuestMemory, (error) => this.isKilled || this.faults.push(error))];
  }

  #note(state: GuestSaved): void {
    this.#before('note');
    this.#mapped = -1;
    this.#disk = serialize(state);
    this.#words = [];
    this.#meet('note', 'after');
  }

  #noteWords({ places, values, wordCount }: Changes): boolean {
    for (let word = 0; word < wordCount; word += 1) {
      this.#before('note');
      this.#words.push([places[word] ?? 0, values[word] ?? 0]);
      this.#meet('note', 'after');
    }
    return true;
  }

  /** Every call to Xen is a place to die; a dead process makes none. */
  #mortal(): Hypervisor {
    return new Proxy(this.hypervisor, {
      get: (target, name) => {
        const member = Reflect.get(target, name) as unknown;
        if (typeof member !== 'function') return member;
        return (...values: unknown[]) => {
          this.#before('call');
          const result = this.#forgiving(name as CallName, values, () => {
            return (member as (...all: unknown[]) => unknown).apply(target, values);
          });
          if (name === 'mapMsi') this.#mapped = result as number;
          this.#meet('call', 'after');
          return result;
        };
      },
    });
  }

  /** What may have been done already, or may not be there to be undone, is refused and no violation: once. */
  #forgiving<T>(name: CallName, values: readonly unknown[], call: () => T): T {
    const { doubt, hypervisor } = this;
    const isSame = doubt !== null && values.every((value, index) => value === doubt.values[index]);
    if (!isSame || (doubt.name !== name && undoneBy[doubt.name] !== name)) return call();
    this.doubt = null;
    hypervisor.pardonsNext = true;
    try {
      return call();
    } finally {
      hypervisor.pardonsNext = false;
    }
  }

  #openDevice(): HostDevice {
    const { device } = this;
    const { openBar } = device;
    this.openCount += 1;
    return {
      image: device.image,
      config: {
        read: (offset, width) => device.read(offset, width),
        write: (offset, width, value) => {
          this.#before('write');
          device.write(offset, width, value);
          this.#meet('write', 'after');
        },
      },
      reset: () => {
        this.#before('write');
        device.reset();
        this.#meet('write', 'after');
      },
      ...(openBar === undefined ? {} : { openBar: (index: number) => device.bar(index) }),
      close: () => void (this.openCount -= 1),
    };
  }

  #before(deed: Deed): void {
    if (this.isKilled) throw new Killed();
    this.#meet(deed, 'before');
  }
}
