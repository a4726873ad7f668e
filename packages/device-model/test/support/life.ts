import type { FunctionImage } from '@xenpt/pci';
import { DeviceModelError } from '../../src/errors.js';
import { serve, type RequestPort, type ServeOptions } from '../../src/serve.js';
import type { WorkerCall } from '../../src/protocol.js';
import type { HypervisorCallName } from '../../src/testing/index.js';
import { Answers } from './answers.js';
import { FakeGuestMemory } from './guest.js';
import { fillRequest, type GuestRequest } from './guest-request.js';
import { cardName, makeRig, type Rig } from './rig.js';

/** What a guest does with a function between attach and detach, whole enough to be kept and lived again. */
export interface Life {
  /** Name and place of a recorded device. */
  readonly device: string;
  /** Bytes of its configuration that are otherwise. */
  readonly patch: readonly (readonly [offset: number, byte: number])[];
  /** Whether BARs are mapped when they are touched. */
  readonly barAccess: boolean;
  readonly executions: readonly Execution[];
}

/** One sequence of requests. Afterwards the guest turns everything off, and the books must be as at attach. */
export interface Execution {
  readonly requests: readonly GuestRequest[];
  /** A call to Xen that is refused during these requests. */
  readonly refused?: HypervisorCallName;
}

/** Where requests of a life with repetitions and pointers find memory. */
export const guestMemoryAt = 0x1_0000;
const guestMemoryBytes = 4096;

/** Of one device, whatever its guest does. */
const mostReports = 16;
const mostReportedCharacters = 4096;
/** One request turns off, unbinds, unmaps, moves and binds again what a function has: BARs, and vectors twice. */
const callsPerRequest = (vectors: number): number => 64 + 8 * vectors;

/**
 * A device, its model and the loop that answers requests, against the strict hypervisor and strict hardware. After
 * every execution this must hold (the invariants of every execution that the project promises):
 *
 * 1. hardware was given nothing that is not allowed (the fake device judges every write when it is made);
 * 2. Xen gave nothing outside the device (the fake hypervisor judges every call), and the guest, turning everything
 *    off, gives all back that it got since attach; at the end so does detach, to the last item;
 * 3. each request was completed once, before the next was taken, and no exception came up;
 * 4. every byte of an answer is the device's, or the guest's own, or 0xff;
 * 5. little is logged, and a request causes a bounded number of calls.
 */
export class LifeJudge implements RequestPort {
  readonly request = new DataView(new ArrayBuffer(32));
  readonly rig: Rig;
  /** The first thing that did not hold, in words. */
  broken: string | null = null;
  /** Executions that were lived to their end. */
  done = 0;
  readonly #next: () => Execution | null;
  readonly #answers: Answers;
  readonly #heldAtAttach: string;
  readonly #mostCalls: number;
  readonly #teardown: readonly GuestRequest[];
  #execution: Execution | null = null;
  #at = 0;
  #isOpen = false;
  /** Xen has refused something since attach: what it still holds is tried again at detach, not before. */
  #wasRefused = false;

  private constructor(rig: Rig, next: () => Execution | null) {
    this.rig = rig;
    this.#next = next;
    const view = rig.model.view(cardName);
    this.#answers = new Answers(rig, view.words);
    this.#heldAtAttach = rig.hypervisor.held().join();
    this.#mostCalls = callsPerRequest(view.vectors.length);
    this.#teardown = teardown(rig);
  }

  /** The life of one device; `next` gives its executions, one by one. What was refused at attach has none. */
  static live(image: FunctionImage, barAccess: boolean, next: () => Execution | null): LifeJudge | string | null {
    const memory = new FakeGuestMemory(guestMemoryAt, guestMemoryBytes);
    const rig = makeRig({ images: [image], memory, barAccess });
    try {
      rig.attach();
    } catch (error) {
      const isClear = error instanceof DeviceModelError && rig.hypervisor.held().length === 0;
      return isClear ? null : `attach: ${String(error)}, held: ${rig.hypervisor.held().join()}`;
    }
    turnHiddenMessagesOff(rig);
    const judge = new LifeJudge(rig, next);
    try {
      serve(judge.#options());
    } catch (error) {
      judge.#break(`the loop ended: ${String(error)}`);
    }
    judge.#judgeEnd();
    return judge;
  }

  next(): number {
    if (this.#isOpen) this.#break('a request was not completed before the next was taken');
    this.#judgeWork();
    if (this.#execution !== null && this.#at === this.#execution.requests.length + this.#teardown.length) {
      this.#judgeExecution();
      this.#execution = null;
    }
    if (this.#execution === null && !this.#begin()) return this.#stopped ? -1 : -2;
    const { requests } = this.#execution ?? { requests: [] };
    const fields = requests[this.#at] ?? this.#teardown[this.#at - requests.length];
    if (fields === undefined) throw new RangeError('no request is left');
    this.#at += 1;
    fillRequest(this.request, fields);
    this.#answers.asked(fields);
    this.#isOpen = true;
    return 0;
  }

  complete(vcpu: number, low: number, high: number): void {
    if (!this.#isOpen || vcpu !== 0) this.#break('completed twice, or for another processor');
    this.#isOpen = false;
    const wrong = this.#answers.judge(low, high);
    if (wrong !== null) this.#break(wrong);
  }

  close(): void {}

  #stopped = false;

  #options(): ServeOptions {
    const { rig } = this;
    const stop: WorkerCall = { id: 1, method: 'stop', argument: null };
    const receive = (): WorkerCall | undefined => {
      if (this.#stopped) return undefined;
      this.#stopped = true;
      return stop;
    };
    return {
      port: this,
      control: { receive, send: (message) => this.#sent(message) },
      server: { disable: () => {}, destroy: () => {} },
      handler: rig.handler,
      model: rig.model,
      report: (cause, text) => rig.reports.push(`${cause}: ${text}`),
    };
  }

  #sent(message: { readonly type: string }): void {
    if (message.type === 'failure' && !this.#wasRefused) this.#break(`release: ${JSON.stringify(message)}`);
  }

  #begin(): boolean {
    const execution = this.broken === null ? this.#next() : null;
    if (execution === null) return false;
    this.#execution = execution;
    this.#at = 0;
    if (execution.refused !== undefined) {
      this.rig.hypervisor.failAt(execution.refused);
      this.#wasRefused = true;
      this.#answers.anywhere = true;
    }
    return true;
  }

  #judgeWork(): void {
    const { calls } = this.rig.hypervisor;
    if (calls.length > this.#mostCalls) this.#break(`one request caused ${calls.length} calls`);
    calls.length = 0;
  }

  #judgeExecution(): void {
    const { rig } = this;
    this.done += 1;
    if (rig.faults.length > 0) this.#break(`an exception: ${String(rig.faults[0])}`);
    const { violations } = rig.hypervisor;
    if (violations.length > 0) this.#break(`a rule: ${violations.join('; ')}`);
    if (!this.#wasRefused) {
      const held = rig.hypervisor.held().join();
      if (held !== this.#heldAtAttach) this.#break(`all off, and held: ${held}; at attach: ${this.#heldAtAttach}`);
      this.#judgeLog();
    }
    rig.device.writes.length = 0;
    rig.device.barAccesses.length = 0;
  }

  #judgeLog(): void {
    const { reports } = this.rig;
    if (reports.length > mostReports) this.#break(`${reports.length} reports`);
    const characters = reports.reduce((sum, text) => sum + text.length, 0);
    if (characters > mostReportedCharacters) this.#break(`${characters} characters reported`);
  }

  #judgeEnd(): void {
    const { rig } = this;
    for (let tries = 0; tries < 20 && rig.model.devices.length > 0; tries += 1) {
      try {
        rig.model.detach(cardName);
      } catch (error) {
        if (!this.#wasRefused) this.#break(`detach: ${String(error)}`);
      }
    }
    try {
      rig.hypervisor.assertBaseline();
    } catch (error) {
      this.#break(String(error));
    }
  }

  #break(what: string): void {
    this.broken ??= what;
  }
}

/** As dom0's kernel does when it finds a function; of a capability that is broken, and therefore hidden, we do not. */
function turnHiddenMessagesOff({ device }: Rig): void {
  const { msi, msix } = device.capabilities;
  if (msi !== null && device.msiEnabled) device.poke(msi + 2, device.read(msi + 2, 1) & 0xfe);
  if (msix !== null && device.msixEnabled) device.poke(msix + 3, device.read(msix + 3, 1) & 0x7f);
}

/** A guest that shuts its device down: awake, messages off, nothing decoded. */
function teardown({ device }: Rig): GuestRequest[] {
  const { msi, msix, powerManagement } = device.capabilities;
  const write = (offset: number, size: number): GuestRequest => [2, 0, size, 1, offset, 5 << 3, 0, 0];
  return [
    ...(powerManagement === null ? [] : [write(powerManagement + 4, 1)]),
    ...(msi === null ? [] : [write(msi + 2, 2)]),
    ...(msix === null ? [] : [write(msix + 2, 2)]),
    write(4, 2),
  ];
}
