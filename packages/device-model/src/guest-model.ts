import { formatSbdf, parseSbdf, type FunctionImage, type Sbdf } from '@xenpt/pci';
import { attachFunction, restoreFunction, type AttachPolicy, type GuestContext } from './attach.js';
import { Changes } from './changes.js';
import { EjectPort } from './eject-port.js';
import { DeviceModelError, messageOf } from './errors.js';
import type { HostDevice } from './host-device.js';
import type { Hypervisor } from './hypervisor.js';
import type { PortTarget, RequestRouter } from './ioreq.js';
import { JournalledHypervisor } from './journalled-hypervisor.js';
import { formatDevfn, PirqBook } from './ledger.js';
import { AddressSpace, placementPolicy, type PlacementOptions } from './placement.js';
import type { Report } from './report.js';
import type { OpenedReport } from './opened.js';
import type { FunctionReport, ServedFunction } from './served-function.js';
import type { FunctionSaved, GuestSaved } from './state.js';
import { Statistics } from './statistics.js';

/** What the guest got. */
export interface AttachedFunction {
  /** The pirq of the line interrupt, null when it has none. */
  readonly pirq: number | null;
  /** Capabilities the guest does not see, with the reason. */
  readonly hidden: readonly {
    readonly offset: number;
    readonly id: number;
    readonly name: string;
    readonly reason: string;
  }[];
  /** Message vectors the guest may use. */
  readonly vectors: number;
  readonly opened: OpenedReport;
}

export interface GuestModelOptions {
  readonly hypervisor: Hypervisor;
  readonly openDevice: (sbdf: Sbdf, sysroot: string | undefined) => HostDevice;
  readonly report?: Report;
  readonly placement?: PlacementOptions;
  /** Where it counts, beside its request handler. */
  readonly statistics?: Statistics;
  /**
   * Notes everything that another process needs to go on, before each call to Xen and before each answer that follows
   * from a change. When it throws, an attach is refused; a guest that has devices is served on.
   */
  readonly save?: (state: GuestSaved) => void;
  /**
   * Notes the words that have changed since, where they are all that has: a fraction of the work of `save`. False:
   * there is no room for them, and the whole is to be saved.
   */
  readonly saveWords?: (changes: Changes) => boolean;
}

export interface AttachRequest {
  /** Host function, `0000:01:00.0` or `01:00.0`. */
  readonly sbdf: string;
  /** Where the guest finds it on bus 0: device << 3 | function. */
  readonly guestDevfn: number;
  readonly sysroot?: string;
  /** Fields that the guest may write besides, as `GuestViewOptions.allow` of `@xenpt/pci` has them. */
  readonly allow?: readonly string[];
  /** Every register that nothing describes may be written. */
  readonly permissive?: boolean;
  /** False: no expansion ROM for the guest. */
  readonly expansionRom?: boolean;
  /** Bytes of a file as the guest's expansion ROM. */
  readonly romImage?: Uint8Array;
}

/** The device as its guest met it: what the device itself says of its geometry now is not trusted. */
function withImage(device: HostDevice, image: FunctionImage): HostDevice {
  const { config, reset, openBar } = device;
  return {
    image,
    config,
    ...(reset === undefined ? {} : { reset: () => reset.call(device) }),
    ...(openBar === undefined ? {} : { openBar: (index: number) => openBar.call(device, index) }),
    close: () => device.close(),
  };
}

function policyOf({ allow, permissive, expansionRom, romImage }: AttachRequest): AttachPolicy {
  return {
    ...(allow === undefined ? {} : { allow }),
    ...(permissive === undefined ? {} : { permissive }),
    ...(expansionRom === undefined ? {} : { expansionRom }),
    ...(romImage === undefined ? {} : { romImage }),
  };
}

/** Everything one guest has of this host, and the way from an access to the function it is for. */
export class GuestModel implements RequestRouter {
  readonly #context: GuestContext;
  readonly #ejects: EjectPort;
  readonly #openDevice: GuestModelOptions['openDevice'];
  readonly #byHost = new Map<string, ServedFunction>();
  readonly #byGuest = new Map<number, ServedFunction>();
  /** As each was asked for, by host function. */
  readonly #requests = new Map<string, AttachRequest>();
  readonly #hypervisor: JournalledHypervisor;
  readonly #save: ((state: GuestSaved) => void) | undefined;
  readonly #saveWords: (changes: Changes) => boolean;
  /** It is on the way to the guest, and in no map yet. */
  #attaching: { readonly request: AttachRequest; readonly served: ServedFunction } | null = null;
  readonly #changes = new Changes();
  readonly #statistics: Statistics;
  #savedChanges = 0;
  /** What is on disk is of no use: words alone would not mend it. */
  #isUnsaved = false;
  /** The same functions once more, to be walked without an iterator. */
  #served: readonly ServedFunction[] = [];

  constructor(options: GuestModelOptions) {
    this.#openDevice = options.openDevice;
    this.#save = options.save;
    this.#saveWords = options.saveWords ?? (() => false);
    this.#statistics = options.statistics ?? new Statistics();
    const save = () => this.#saveOrReport();
    this.#hypervisor = new JournalledHypervisor(options.hypervisor, this.#changes, this.#statistics, save);
    this.#context = {
      hypervisor: this.#hypervisor,
      addressSpace: new AddressSpace(placementPolicy(options.placement)),
      pirqs: new PirqBook(),
      report: options.report ?? (() => {}),
      changes: this.#changes,
      statistics: this.#statistics,
    };
    this.#ejects = new EjectPort(this.#hypervisor, this.#changes, (slots) => this.#conceal(slots));
  }

  /** @throws DeviceModelError, PciError (no such function), XenCallError as the cause of a failed step */
  attach(request: AttachRequest): AttachedFunction {
    const sbdf = parseSbdf(request.sbdf);
    const key = formatSbdf(sbdf);
    if (this.#byHost.has(key)) {
      throw new DeviceModelError('DEVICE_MODEL_ALREADY_ATTACHED', `${key} is attached already: detach it first`);
    }
    if (this.#byGuest.has(request.guestDevfn)) {
      const slot = formatDevfn(request.guestDevfn);
      throw new DeviceModelError(
        'DEVICE_MODEL_SLOT_IN_USE',
        `guest function ${slot} is taken: choose another slot for ${key}`,
      );
    }
    const device = this.#openDevice(sbdf, request.sysroot);
    let served: ServedFunction;
    try {
      const { guestDevfn } = request;
      served = attachFunction({ ...this.#context, device, guestDevfn, policy: policyOf(request) }, (built) => {
        this.#attaching = { request, served: built };
        this.#save?.(this.saved);
      });
    } catch (error) {
      device.close();
      this.#attaching = null;
      // Nobody is to undo it once more: the device may be another guest's by then.
      this.#saveOrReport();
      throw error;
    }
    this.#attaching = null;
    served.serve();
    this.#keep(key, request, served);
    this.#ejects.forget(served.guestDevfn >>> 3);
    this.#saveOrReport();
    const { view, ledger, opened } = served.parts;
    return {
      pirq: ledger.intx?.pirq ?? null,
      hidden: view.hidden.map(({ offset, id, name, reason }) => ({ offset, id, name, reason })),
      vectors: view.msix?.vectorCount ?? view.msi?.vectorCount ?? 0,
      opened,
    };
  }

  /**
   * Goes on for a former process that was killed: takes up what it had, finishes what it had begun, and undoes an
   * attach that it had not finished. Once, before anything else.
   */
  restore({ functions, ejects, intent }: GuestSaved): void {
    this.#ejects.restore(ejects);
    const restored = functions.map((saved) => ({ ...saved, served: this.#restore(saved) }));
    // All are there before any goes on: they share lines and addresses.
    for (const { request, served } of restored) this.#keep(formatSbdf(parseSbdf(request.sbdf)), request, served);
    if (intent !== null) this.#hypervisor.settle(intent);
    // No function goes on with this one.
    if (intent?.name === 'releasePorts') this.#ejects.ignore();
    for (const { request, served } of restored) {
      const key = formatSbdf(parseSbdf(request.sbdf));
      try {
        if (!served.resume()) this.#forget(key, served);
      } catch (error) {
        this.#context.report('restore', `${key}: ${messageOf(error)}`);
      }
    }
    this.#saveOrReport();
  }

  #restore(saved: FunctionSaved): ServedFunction {
    const { request, image } = saved;
    const device = withImage(this.#openDevice(parseSbdf(request.sbdf), request.sysroot), image);
    const { guestDevfn } = request;
    return restoreFunction({ ...this.#context, device, guestDevfn, policy: policyOf(request) }, saved);
  }

  /** Before an answer: what the access has changed is noted. Nothing is, when it has changed nothing. */
  commit(): void {
    const changes = this.#changes;
    const isMore = changes.value !== this.#savedChanges;
    if (!isMore && changes.wordCount === 0) return;
    if (!isMore && !this.#isUnsaved && this.#saveWords(changes)) changes.forgetWords();
    else this.#saveOrReport();
  }

  get saved(): GuestSaved {
    const functions = [...this.#byHost].map(([key, served]) => served.save(this.#requests.get(key) as AttachRequest));
    if (this.#attaching !== null) functions.push(this.#attaching.served.save(this.#attaching.request));
    return { functions, ejects: this.#ejects.saved, intent: this.#hypervisor.intent };
  }

  #saveOrReport(): void {
    this.#savedChanges = this.#changes.value;
    this.#changes.forgetWords();
    if (this.#save === undefined) return;
    this.#statistics.activity = 'saveState';
    try {
      this.#save(this.saved);
      this.#isUnsaved = false;
    } catch (error) {
      this.#isUnsaved = true;
      this.#context.report('state', `this model cannot be replaced while the guest runs: ${messageOf(error)}`);
    } finally {
      this.#statistics.activity = 'none';
    }
  }

  /**
   * @throws DeviceModelError DEVICE_MODEL_NOT_ATTACHED; DEVICE_MODEL_RELEASE_INCOMPLETE, then it may be called again
   */
  detach(sbdf: string): void {
    const [key, served] = this.#find(sbdf);
    try {
      served.release();
      this.#forget(key, served);
    } finally {
      // Of a refusal as well: whoever goes on would take it for a call that was made.
      this.#saveOrReport();
    }
  }

  /**
   * From now on the guest's ACPI ejects come here, until `ignoreEjects`: an ejected function is gone for the guest
   * before its write is answered, and stays known here until `detach`.
   *
   * @param passedOn slots whose ejects QEMU has been given, one bit each
   * @returns the slots that the guest has ejected and QEMU does not know of
   */
  expectEjects(passedOn: number): number {
    try {
      return this.#ejects.expect(passedOn);
    } finally {
      this.commit();
    }
  }

  ignoreEjects(): void {
    try {
      this.#ejects.ignore();
    } finally {
      this.commit();
    }
  }

  /** @throws DeviceModelError DEVICE_MODEL_NOT_ATTACHED */
  view(sbdf: string): FunctionReport {
    return this.#find(sbdf)[1].report();
  }

  /** Host functions attached, `0000:01:00.0`. */
  get devices(): readonly string[] {
    return [...this.#byHost.keys()];
  }

  /** Releases every function. @throws DeviceModelError DEVICE_MODEL_RELEASE_INCOMPLETE naming what is left of all */
  releaseAll(): void {
    const errors: unknown[] = [];
    const left: string[] = [];
    try {
      this.#ejects.ignore();
    } catch (error) {
      errors.push(error);
      left.push('ports of ACPI hot-plug claimed');
    }
    for (const [key, served] of [...this.#byHost]) {
      try {
        served.release();
        this.#forget(key, served);
      } catch (error) {
        errors.push(error);
        if (error instanceof DeviceModelError) left.push(...error.left.map((phrase) => `${key}: ${phrase}`));
      }
    }
    if (errors.length > 0) {
      const what = `${errors.length} release(s) failed; left: ${left.join(', ') || 'nothing'}`;
      throw new DeviceModelError('DEVICE_MODEL_RELEASE_INCOMPLETE', what, { errors, left });
    }
  }

  /** The domain is gone: quiets the hardware, closes the devices, and calls nothing of the hypervisor. */
  abandon(): void {
    for (const [key, served] of [...this.#byHost]) {
      served.abandon();
      this.#forget(key, served);
    }
  }

  bySbdf(guestSbdf: number): ServedFunction | undefined {
    return this.#byGuest.get(guestSbdf);
  }

  byAddress(addressLow: number, addressHigh: number): ServedFunction | undefined {
    for (let index = 0; index < this.#served.length; index += 1) {
      const served = this.#served[index];
      if (served !== undefined && served.aim(addressLow, addressHigh)) return served;
    }
    return undefined;
  }

  byPort(port: number): PortTarget | undefined {
    return this.#ejects.has(port) ? this.#ejects : undefined;
  }

  #conceal(slots: number): void {
    for (const served of this.#served) {
      if (((slots >>> (served.guestDevfn >>> 3)) & 1) === 0) continue;
      for (const error of served.conceal()) this.#context.report('eject', messageOf(error));
    }
  }

  #find(sbdf: string): [string, ServedFunction] {
    const key = formatSbdf(parseSbdf(sbdf));
    const served = this.#byHost.get(key);
    if (served !== undefined) return [key, served];
    const attached = [...this.#byHost.keys()].join(', ') || 'none';
    throw new DeviceModelError(
      'DEVICE_MODEL_NOT_ATTACHED',
      `${key} is not attached to this guest; attached: ${attached}`,
    );
  }

  #keep(key: string, request: AttachRequest, served: ServedFunction): void {
    this.#byHost.set(key, served);
    this.#byGuest.set(served.guestDevfn, served);
    this.#requests.set(key, request);
    this.#served = [...this.#byHost.values()];
  }

  #forget(key: string, served: ServedFunction): void {
    this.#byHost.delete(key);
    this.#requests.delete(key);
    this.#byGuest.delete(served.guestDevfn);
    this.#served = [...this.#byHost.values()];
    const slot = served.guestDevfn >>> 3;
    if (!this.#served.some(({ guestDevfn }) => guestDevfn >>> 3 === slot)) this.#ejects.forget(slot);
    served.parts.device.close();
  }
}
