import { isDeepStrictEqual } from 'node:util';
import { DeviceModelError } from '../../src/errors.js';
import { FakeXenError } from '../../src/testing/index.js';
import {
  acts,
  messageVector,
  nothingExpected,
  places,
  shownOf,
  type ActName,
  type ExpectedGuest,
  type Shown,
} from './expected-guest.js';
import type { World } from './explore.js';
import { fullAt } from './full-card.js';
import { Guest, request } from './guest.js';
import { controls } from './messages.js';
import { Processes, type Deed } from './processes.js';
import { cardName, slot, type RigOptions } from './rig.js';
import { heldOf, textOf, textOfIntent, textOfRegisters, withoutNumbers } from './whole-state.js';

/** What befalls a process and a domain besides. */
type Fate = 'kill' | 'restart' | 'die' | 'told';

interface Step {
  readonly name: ActName | Fate;
  /** The process is killed before its n-th deed, or with all of them done and the request not answered. */
  readonly killedAt: number;
  /** The domain dies before the n-th call. */
  readonly diesAt: number;
}

const never = Infinity;
/** Written to PCI Express device control it resets the function. */
const functionReset = 0x8000;

const guestActs: Partial<Record<ActName, (guest: Guest, place: number) => void>> = {
  home: (guest) => guest.placeBar(3, places.home),
  move: (guest) => guest.placeBar(3, places.elsewhere),
  decode: (guest) => guest.command(6),
  hide: (guest) => guest.command(0),
  enable: (guest) => guest.writeConfig(controls.msix, 0x8000, 2),
  disable: (guest) => guest.writeConfig(controls.msix, 0, 2),
  unmask: (guest, place) => guest.writeMemory((place || places.home) + 8, messageVector, 8),
  reset: (guest) => guest.writeConfig(fullAt.express + 8, functionReset, 2),
  touch: (guest, place) => void guest.readMemory(place + 0x1000),
  eject: ({ handler }) => handler.handle(request({ type: 0, address: 0xae08n, size: 4, data: 0x20n })),
  drive: (guest) => {
    guest.placeBar(3, places.home);
    guest.command(6);
    guest.writeConfig(controls.msix, 0x8000, 2);
    guest.writeMemory(places.home + 8, messageVector, 8);
  },
};

/** A card, a guest and its operator; processes are killed, and the domain dies, between any two deeds. */
export class Interleaver implements World {
  readonly #acts: readonly ActName[];
  readonly #mapsOnTouch: boolean;
  readonly #processes: Processes;
  readonly #putBack: () => void;
  #status: 'up' | 'killed' | 'over' = 'up';
  /** The request that was open when the process was killed. */
  #open: ActName | null = null;
  /** One of these is how things stand. */
  #possible: readonly ExpectedGuest[] = [nothingExpected];
  /** The request that was answered in the last step. */
  #answered: ActName | null = null;
  #deeds: Deed[] = [];
  #killedAt = never;

  constructor(names: readonly ActName[], options: RigOptions) {
    this.#acts = names;
    this.#mapsOnTouch = options.barAccess === true;
    this.#processes = new Processes(options, (deed, when) => {
      if (when === 'before' && this.#deeds.push(deed) > this.#killedAt) this.#processes.kill();
    });
    this.#putBack = this.#processes.keep();
    // In hardware Xen has unmasked what it was given; nobody else writes there.
    this.#processes.device.bar(3).hold(12, 0);
  }

  /** Besides what is saved a model remembers nothing between two steps but a call that it is in doubt of. */
  key(): string {
    if (this.#status === 'over') return 'over';
    const { model, onDisk, doubt, hypervisor, device } = this.#processes;
    const world = [...hypervisor.held(), ...hypervisor.leads()].map(withoutNumbers).sort();
    const saved = textOf(this.#status === 'up' ? model.saved : onDisk, !hypervisor.isDead);
    const expected = hypervisor.isDead ? 'dead' : JSON.stringify(this.#possible);
    const doubtful = this.#status === 'up' ? textOfIntent(doubt) : '';
    return [this.#status, this.#open, expected, saved, doubtful, ...world, textOfRegisters(device)].join(' | ');
  }

  begin(): void {
    this.#status = 'up';
    [this.#open, this.#possible] = [null, [nothingExpected]];
    this.#processes.hypervisor.domainGone = false;
    this.#putBack();
    this.#processes.startAnew();
  }

  /** Nothing is left of a killed process but what is outside of it. */
  keep(): (() => void) | null {
    if (this.#status !== 'killed') return null;
    const [open, possible] = [this.#open, this.#possible];
    const back = this.#processes.keep();
    return () => {
      this.#status = 'killed';
      [this.#open, this.#possible] = [open, possible];
      this.#processes.hypervisor.domainGone = false;
      back();
    };
  }

  steps(): readonly string[] {
    const { hypervisor, model } = this.#processes;
    if (this.#status === 'over') return [];
    // Nobody starts one for a dead domain: its functions are reset by whoever finds them marked.
    if (this.#status === 'killed') return ['restart'];
    if (hypervisor.isDead) {
      const useless = model.devices.length > 0 ? 'attach' : 'detach';
      return [...this.#acts.filter((name) => acts[name].by === 'host' && name !== useless), 'told'];
    }
    const [guest = nothingExpected] = this.#possible;
    return [...this.#acts.filter((name) => acts[name].isPossible(guest)), 'kill', 'die'];
  }

  make(text: string): readonly string[] {
    const step = parse(text);
    const { hypervisor, device, reports } = this.#processes;
    hypervisor.calls.length = device.writes.length = device.barAccesses.length = reports.length = 0;
    const wasAlive = !hypervisor.isDead;
    this.#deeds = [];
    this.#killedAt = step.killedAt;
    hypervisor.diesBefore = step.diesAt;
    if (step.name === 'die') hypervisor.die();
    else if (step.name === 'told') this.#tell();
    else if (step.name === 'kill') this.#status = 'killed';
    else if (step.name === 'restart') this.#restart();
    else this.#act(step.name);
    hypervisor.diesBefore = never;
    return text === step.name && wasAlive ? this.#variants(step.name) : [];
  }

  /** With a kill between any two deeds, and the death of the domain before any call. */
  #variants(name: Step['name']): string[] {
    // Several requests in one; of the others nothing is to be seen.
    if (name === 'kill' || name === 'die' || name === 'told' || name === 'drive') return [];
    const count = this.#deeds.length;
    const calls = this.#deeds.filter((deed) => deed === 'call').length;
    // A request outlives the process that took it, so that it matters whether it was killed before or after all.
    const isOpen = name === 'restart' ? this.#answered !== null : acts[name].by === 'guest';
    const first = isOpen && name !== 'restart' ? 0 : 1;
    const last = isOpen ? count : count - 1;
    const kills = count === 0 ? [] : range(first, last).map((at) => `${name}, killed at ${at}`);
    return [...kills, ...range(0, calls - 1).map((at) => `${name}, domain dies at ${at}`)];
  }

  #act(name: ActName): void {
    const before = this.#possible[0] ?? nothingExpected;
    const { by, next } = acts[name];
    this.#answered = by === 'guest' ? name : null;
    if (this.#outlives(() => this.#do(name), by)) {
      this.#possible = [next(before)];
      if (name === 'stop') this.#end();
      return;
    }
    this.#open = this.#answered;
    if (by === 'host') this.#possible = [before, ...partly(before, next(before))];
  }

  #restart(): void {
    this.#status = 'up';
    const open = this.#open;
    this.#answered = open;
    const isUp = this.#outlives(() => {
      this.#processes.restart();
      if (open !== null) this.#do(open);
    }, 'guest');
    if (!isUp) return;
    this.#open = null;
    if (open !== null) this.#possible = this.#possible.map((guest) => acts[open].next(guest));
  }

  #do(name: ActName): void {
    const { model, handler } = this.#processes;
    const byGuest = guestActs[name];
    if (byGuest !== undefined) {
      byGuest(new Guest(handler, slot), this.#possible[0]?.card?.msix.place ?? 0);
      return model.commit();
    }
    if (name === 'attach') model.attach({ sbdf: cardName, guestDevfn: slot });
    if (name === 'detach') model.detach(cardName);
    if (name === 'stop') model.releaseAll();
    if (name === 'expect') model.expectEjects(0);
    if (name === 'passOn') model.expectEjects(0x20);
    if (name === 'ignore') model.ignoreEjects();
  }

  /** Whether the process has. What it throws is for its operator, and only where the domain has died. */
  #outlives(action: () => void, by: 'guest' | 'host'): boolean {
    const { hypervisor } = this.#processes;
    try {
      action();
      if (this.#deeds.length === this.#killedAt) this.#processes.kill();
    } catch (error) {
      const isForOperator = error instanceof DeviceModelError || error instanceof FakeXenError;
      const isExpected = hypervisor.isDead && by === 'host' && isForOperator;
      if (!this.#processes.isKilled && !isExpected) throw error;
    }
    if (this.#processes.isKilled) this.#status = 'killed';
    return !this.#processes.isKilled;
  }

  #tell(): void {
    const { hypervisor, model } = this.#processes;
    hypervisor.domainGone = true;
    model.abandon();
    this.#expect([model.devices, this.#processes.openCount], [[], 0]);
    this.#end();
  }

  /** In order: the file with the state is removed, and the server destroyed. */
  #end(): void {
    const { hypervisor } = this.#processes;
    this.#expectQuiet();
    if (hypervisor.isDead) this.#status = 'over';
    else this.#processes.startAnew();
  }

  check(): void {
    const { hypervisor, faults, model, onDisk, openCount } = this.#processes;
    this.#expect([faults, hypervisor.violations], [[], []]);
    if (hypervisor.isDead) this.#expect(hypervisor.held(), []);
    if (this.#status !== 'up') return;
    this.#expect(openCount, model.devices.length);
    if (openCount === 0) this.#expectQuiet();
    if (hypervisor.isDead) return;
    const held = [...hypervisor.held(), ...hypervisor.leads()].map(withoutNumbers).sort();
    this.#expect(heldOf(model.saved), held);
    this.#expect(textOf(onDisk), textOf(model.saved));
    const shown = this.#shown();
    this.#possible = this.#possible.filter((guest) => isDeepStrictEqual(shownOf(guest, this.#mapsOnTouch), shown));
    if (this.#possible.length === 0) throw new Error(`not as expected: ${JSON.stringify(shown)}`);
    this.#possible = this.#possible.slice(0, 1);
    if (openCount === 0 && !model.saved.ejects.isClaimed) hypervisor.assertBaseline();
  }

  #shown(): Shown {
    const { hypervisor, device, model, handler } = this.#processes;
    const bound = hypervisor.pirqsInUse().map((pirq) => hypervisor.boundTo(pirq)?.vector);
    return {
      held: hypervisor.held().map(withoutNumbers).sort(),
      vectors: bound.filter((vector) => vector !== undefined),
      signals: device.msixEnabled,
      identity: new Guest(handler, slot).readConfig(0),
      slots: model.saved.ejects.slots,
    };
  }

  /** A function that nobody has signals nothing, and reaches no memory. */
  #expectQuiet(): void {
    const { device } = this.#processes;
    this.#expect([device.msixEnabled, device.command & 4], [false, 0]);
  }

  #expect(found: unknown, expected: unknown): void {
    if (isDeepStrictEqual(found, expected)) return;
    throw new Error(`found ${JSON.stringify(found)}, expected ${JSON.stringify(expected)}`);
  }
}

/** Ejects are ignored before the card is released; whose attach has begun has the slot, and no eject of it. */
function partly(before: ExpectedGuest, after: ExpectedGuest): ExpectedGuest[] {
  const { isExpecting, slots } = after;
  return [{ ...before, isExpecting }, { ...before, isExpecting, slots }, after];
}

const range = (first: number, last: number): number[] =>
  Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => first + index);

/** `move`, `move, killed at 3`, `move, domain dies at 0` */
function parse(text: string): Step {
  const [name = '', fate = ''] = text.split(', ');
  const at = Number(fate.split(' ').at(-1));
  return {
    name: name as Step['name'],
    killedAt: fate.startsWith('killed') ? at : never,
    diesAt: fate.startsWith('domain') ? at : never,
  };
}
