import type { GuestModel } from '../../src/guest-model.js';
import type { RequestHandler } from '../../src/ioreq.js';
import type { GuestSaved } from '../../src/state.js';
import { Statistics } from '../../src/statistics.js';
import type { FakeDevice, FakeHypervisor } from '../../src/testing/index.js';
import { Guest } from './guest.js';
import { Processes, type Deed } from './processes.js';
import { cardName, slot, type Rig, type RigOptions } from './rig.js';

/** Where the process is killed: before or after its n-th call to Xen or its n-th note on disk. */
export interface Kill {
  readonly at: 'call' | 'note';
  readonly index: number;
  readonly when: 'before' | 'after';
}

/**
 * A card and its model in processes that follow one another. Of a request that is open when a process is killed the
 * next one hears again, as Xen keeps it in the page.
 */
export class MortalRig {
  deaths = 0;
  readonly #processes: Processes;
  readonly #counts = { call: 0, note: 0, write: 0 };
  readonly #kills: Kill[];

  constructor(kills: readonly Kill[] = [], options: RigOptions = {}) {
    this.#kills = [...kills];
    this.#processes = new Processes(options, (deed, when) => this.#meet(deed, when));
  }

  get device(): FakeDevice {
    return this.#processes.device;
  }

  get hypervisor(): FakeHypervisor {
    return this.#processes.hypervisor;
  }

  get faults(): readonly unknown[] {
    return this.#processes.faults;
  }

  get model(): GuestModel {
    return this.#processes.model;
  }

  get calls(): number {
    return this.#counts.call;
  }

  get notes(): number {
    return this.#counts.note;
  }

  /** pirqs that nobody knows of any more. */
  get lost(): number {
    return this.#processes.lost;
  }

  /** For scenarios that were written for a model that lives. */
  get rig(): Rig {
    const current = () => this.#processes.handler;
    const handler = {
      handle: (request: DataView) => this.#handle(request),
      get dataLow() {
        return current().dataLow;
      },
      get dataHigh() {
        return current().dataHigh;
      },
    } as unknown as RequestHandler;
    const { device, hypervisor, faults, reports, model } = this.#processes;
    return {
      ...{ device, devices: [device], hypervisor, faults, reports, handler, model },
      statistics: new Statistics(),
      attach: () => this.attach(),
      guest: () => new Guest(handler, slot),
    };
  }

  /** Until it has succeeded: an attach in which the process dies has not happened. */
  attach(): void {
    this.#operate(() => {
      if (this.model.devices.length === 0) this.model.attach({ sbdf: cardName, guestDevfn: slot });
    });
  }

  detach(): void {
    this.#operate(() => {
      if (this.model.devices.length > 0) this.model.detach(cardName);
    });
  }

  expectEjects(passedOn: number): number {
    let slots = 0;
    this.#operate(() => (slots = this.model.expectEjects(passedOn)));
    return slots;
  }

  ignoreEjects(): void {
    this.#operate(() => this.model.ignoreEjects());
  }

  /** What the next process would find. */
  get onDisk(): GuestSaved {
    return this.#processes.onDisk;
  }

  /** While it waits for a request. */
  killIdle(): void {
    this.#restart();
  }

  #operate(action: () => void): void {
    for (;;) {
      if (this.#outlives(action)) return;
      this.#restart();
    }
  }

  #handle(request: DataView): void {
    this.#operate(() => {
      this.#processes.handler.handle(request);
      this.model.commit();
    });
  }

  #restart(): void {
    do this.deaths += 1;
    while (!this.#outlives(() => this.#processes.restart()));
  }

  #outlives(action: () => void): boolean {
    try {
      action();
    } catch (error) {
      if (!this.#processes.isKilled) throw error;
    }
    return !this.#processes.isKilled;
  }

  #meet(deed: Deed, when: Kill['when']): void {
    const index = when === 'before' ? this.#counts[deed]++ : this.#counts[deed] - 1;
    const [kill] = this.#kills;
    if (kill === undefined || kill.at !== deed || kill.index !== index || kill.when !== when) return;
    this.#kills.shift();
    this.#processes.kill();
  }
}
