import { deserialize, serialize } from 'node:v8';
import type { Changes } from '../../src/changes.js';
import { GuestModel } from '../../src/guest-model.js';
import type { HostDevice } from '../../src/host-device.js';
import type { Hypervisor, MessageRequest } from '../../src/hypervisor.js';

import { noGuestMemory, RequestHandler } from '../../src/ioreq.js';
import { applyWord } from '../../src/saved-words.js';
import type { GuestSaved } from '../../src/state.js';
import { Statistics } from '../../src/statistics.js';
import { FakeDevice, FakeHypervisor } from '../../src/testing/index.js';
import { Guest } from './guest.js';
import { networkCard } from './network-card.js';
import { cardName, slot, type Rig, type RigOptions } from './rig.js';

/** Where the process is killed: before or after its n-th call to Xen or its n-th note on disk. */
export interface Kill {
  readonly at: 'call' | 'note';
  readonly index: number;
  readonly when: 'before' | 'after';
}

/** What a killed process meets from then on: nothing that it does reaches anybody. */
class Killed extends Error {}

/**
 * A card and its model in processes that follow one another on the same Xen, hardware and disk. Of a request that is
 * open when a process is killed the next one hears again, as Xen keeps it in the page.
 */
export class MortalRig {
  readonly device: FakeDevice;
  readonly hypervisor: FakeHypervisor;
  readonly reports: string[] = [];
  readonly faults: unknown[] = [];
  calls = 0;
  notes = 0;
  deaths = 0;
  lost = 0;
  #model: GuestModel;
  #handler: RequestHandler;
  #disk: Buffer | null = null;
  /** Changed since: place and value. */
  #words: [place: number, value: number][] = [];
  #isDead = false;
  /** What Xen gave for a message since the last note, or -1. */
  #mapped = -1;
  readonly #kills: Kill[];

  constructor(kills: readonly Kill[] = [], options: RigOptions = {}) {
    this.#kills = [...kills];
    this.device = new FakeDevice((options.images ?? [networkCard()])[0] ?? networkCard(), {
      barAccess: options.barAccess === true,
    });
    this.hypervisor = new FakeHypervisor({ devices: [this.device], ...options.hypervisor });
    [this.#model, this.#handler] = this.#start();
  }

  get model(): GuestModel {
    return this.#model;
  }

  /** For scenarios that were written for a model that lives. */
  get rig(): Rig {
    const handler = {
      handle: (request: DataView) => this.#handle(request),
      get dataLow() {
        return current().dataLow;
      },
      get dataHigh() {
        return current().dataHigh;
      },
    } as unknown as RequestHandler;
    const current = () => this.#handler;
    const { device, hypervisor, faults, reports } = this;
    return {
      ...{ device, devices: [device], hypervisor, faults, reports, handler, model: this.#model },
      statistics: new Statistics(),
      attach: () => this.attach(),
      guest: () => new Guest(handler, slot),
    };
  }

  /** Until it has succeeded: an attach in which the process dies has not happened. */
  attach(): void {
    this.#operate(() => {
      if (this.#model.devices.length === 0) this.#model.attach({ sbdf: cardName, guestDevfn: slot });
    });
  }

  detach(): void {
    this.#operate(() => {
      if (this.#model.devices.length > 0) this.#model.detach(cardName);
    });
  }

  expectEjects(passedOn: number): number {
    let slots = 0;
    this.#operate(() => (slots = this.#model.expectEjects(passedOn)));
    return slots;
  }

  ignoreEjects(): void {
    this.#operate(() => this.#model.ignoreEjects());
  }

  /** What the next process would find. */
  get onDisk(): GuestSaved | null {
    if (this.#disk === null) return null;
    const saved = deserialize(this.#disk) as GuestSaved;
    for (const [place, value] of this.#words) applyWord(saved, place, value);
    return saved;
  }

  /** While it waits for a request. */
  killIdle(): void {
    this.#restart();
  }

  #operate(action: () => void): void {
    for (;;) {
      try {
        action();
        this.hypervisor.pardonsNext = false;
        if (!this.#isDead) return;
      } catch (error) {
        if (!this.#isDead) throw error;
      }
      this.#restart();
    }
  }

  #handle(request: DataView): void {
    this.#operate(() => {
      this.#handler.handle(request);
      this.#model.commit();
    });
  }

  #restart(): void {
    this.deaths += 1;
    this.#isDead = false;
    [this.#model, this.#handler] = this.#start();
    const saved = this.onDisk;
    if (saved === null) return;
    this.#losePirq(saved);
    this.hypervisor.pardonsNext = saved.intent !== null;
    this.#model.restore(saved);
    if (this.#isDead) this.#restart();
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
    return [model, new RequestHandler(model, noGuestMemory, (error) => this.#isDead || this.faults.push(error))];
  }

  #note(state: GuestSaved): void {
    const index = this.notes++;
    this.#dieAt('note', index, 'before');
    this.#mapped = -1;
    this.#disk = serialize(state);
    this.#words = [];
    this.#dieAt('note', index, 'after');
  }

  #noteWords({ places, values, wordCount }: Changes): boolean {
    for (let word = 0; word < wordCount; word += 1) {
      const index = this.notes++;
      this.#dieAt('note', index, 'before');
      this.#words.push([places[word] ?? 0, values[word] ?? 0]);
      this.#dieAt('note', index, 'after');
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
          const index = this.calls++;
          this.#dieAt('call', index, 'before');
          const result = (member as (...all: unknown[]) => unknown).apply(target, values);
          if (name === 'mapMsi') this.#mapped = result as number;
          this.#dieAt('call', index, 'after');
          return result;
        };
      },
    });
  }

  #openDevice(): HostDevice {
    const { device } = this;
    const { openBar } = device;
    return {
      image: device.image,
      config: {
        read: (offset, width) => device.read(offset, width),
        write: (offset, width, value) => {
          if (this.#isDead) throw new Killed();
          device.write(offset, width, value);
        },
      },
      reset: () => device.reset(),
      ...(openBar === undefined ? {} : { openBar: (index: number) => device.bar(index) }),
      close: () => {},
    };
  }

  #dieAt(at: Kill['at'], index: number, when: Kill['when']): void {
    if (this.#isDead) throw new Killed();
    const [kill] = this.#kills;
    if (kill === undefined || kill.at !== at || kill.index !== index || kill.when !== when) return;
    this.#kills.shift();
    this.#isDead = true;
    throw new Killed();
  }
}
