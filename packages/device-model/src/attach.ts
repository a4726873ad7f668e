import { Core } from '@xenpt/core-wasm';
import { buildGuestView, formatSbdf, type GuestView, type GuestViewOptions } from '@xenpt/pci';
import { ioDecodeBit, memoryDecodeBit, prepareCommand } from './command.js';
import { DeviceModelError, messageOf } from './errors.js';
import type { Changes } from './changes.js';
import { GuestFunction } from './guest-function.js';
import type { BarAccess, HostDevice } from './host-device.js';
import type { Hypervisor } from './hypervisor.js';
import { intxOf, usableGsi } from './intx.js';
import { Ledger, formatDevfn, type PirqBook } from './ledger.js';
import { turnMessagesOff } from './message-control.js';
import { anyPirq } from './message.js';
import { openedOf } from './opened.js';
import { Performer } from './perform.js';
import { pageSizeBytes, type AddressSpace } from './placement.js';
import { releaseAll } from './release.js';
import type { Report } from './report.js';
import { ServedFunction } from './served-function.js';
import type { FunctionSaved } from './state.js';
import type { Statistics } from './statistics.js';
import { tableBytesOf } from './table-pages.js';

/** What all functions of a guest share. */
export interface GuestContext {
  readonly hypervisor: Hypervisor;
  readonly addressSpace: AddressSpace;
  readonly pirqs: PirqBook;
  readonly report: Report;
  readonly changes: Changes;
  readonly statistics: Statistics;
}

export interface AttachFunctionOptions extends GuestContext {
  readonly device: HostDevice;
  /** Device and function on guest bus 0, device << 3 | function. */
  readonly guestDevfn: number;
  /** What the operator opens or closes beyond the policy of the house. */
  readonly policy?: AttachPolicy;
}

export type AttachPolicy = Pick<GuestViewOptions, 'allow' | 'permissive' | 'expansionRom' | 'romImage'>;

/**
 * Takes a function for the guest. The function's configuration is claimed last, so the guest meets it complete.
 * On failure everything taken is given back and the error names the step.
 *
 * @param onBuilt told of it before anything is taken for it
 * @throws DeviceModelError DEVICE_MODEL_BAR_UNALIGNED, DEVICE_MODEL_SLOT_INVALID, DEVICE_MODEL_ATTACH_FAILED
 */
export function attachFunction(
  options: AttachFunctionOptions,
  onBuilt: (served: ServedFunction) => void = () => {},
): ServedFunction {
  const { device, guestDevfn, hypervisor } = options;
  requireSlot(guestDevfn);
  requirePageAlignedBars(device);
  const full = viewOf(options, mostMsiVectors);
  step(device, 'turn message interrupts off', () => turnInheritedMessagesOff(full, device));
  const served = buildFunction(options, offeredMsiVectors(options, full.msi?.vectorCount ?? 1));
  reportOpened(options);
  step(device, 'note the state', () => onBuilt(served));
  const { config, guest, ledger, view } = served.parts;
  try {
    guest.intxBound = attachIntx(options, view, ledger);
    step(device, 'prepare COMMAND', () => prepareCommand(config, ledger, decodeBitsOf(view), guest.intxBound));
    step(device, `claim guest function ${formatDevfn(guestDevfn)}`, () => {
      hypervisor.claimFunction(guestDevfn);
      ledger.guestDevfn = guestDevfn;
    });
    return served;
  } catch (error) {
    throw rolledBack(error, () => releaseAll(served.parts));
  }
}

/** A function that a former process has attached, with what it had of Xen. Calls nothing of Xen. */
export function restoreFunction(options: AttachFunctionOptions, saved: FunctionSaved): ServedFunction {
  const served = buildFunction(options, saved.msiVectorLimit);
  const { ledger, guest, performer } = served.parts;
  ledger.restore(saved.ledger, options.pirqs);
  guest.restore(saved.guest);
  performer.pending = saved.pending;
  served.restore(saved.stage);
  return served;
}

function viewOf({ device, guestDevfn, policy = {} }: AttachFunctionOptions, msiVectorLimit: number): GuestView {
  return step(device, 'build guest view', () =>
    buildGuestView(device.image, {
      ...policy,
      multifunction: (guestDevfn & 7) !== 0,
      functionReset: device.reset !== undefined,
      msiVectorLimit,
    }),
  );
}

function buildFunction(options: AttachFunctionOptions, msiVectorLimit: number): ServedFunction {
  const { device, guestDevfn, hypervisor, pirqs, report, addressSpace, changes, statistics, policy = {} } = options;
  const { config, image } = device;
  const view = viewOf(options, msiVectorLimit);
  const ledger = new Ledger();
  const reset = resetOf(device, view, ledger);
  const world = { hypervisor, config, ledger, pirqs, report, statistics };
  const performer = new Performer({ sbdf: image.sbdf, ...world, ...reset });
  const barAccess = openBars(device, view, report);
  const guest = step(device, 'build register file', () => {
    return new GuestFunction(new Core(), view, image, config, {
      addressSpace,
      changes,
      guestDevfn,
      statistics,
      mapOnTouch: new Set(barAccess.keys()),
      tableBar: barAccess.get(tableBytesOf(view)?.barIndex ?? -1),
    });
  });
  const opened = openedOf(view, policy);
  const parts = { hypervisor, config, ledger, pirqs, performer, view, device, guest, guestDevfn, barAccess, opened };
  return new ServedFunction({ ...parts, msiVectorLimit });
}

/** What is opened is said, so that a log tells afterwards what a guest could reach. */
function reportOpened({ device, policy, report }: AttachFunctionOptions): void {
  const name = formatSbdf(device.image.sbdf);
  if (policy?.permissive === true) report('permissive', `${name}: the guest writes every undescribed register`);
  const allowed = policy?.allow ?? [];
  // One line: lines of one cause are thinned out.
  if (allowed.length > 0) report('allow', `${name}: the guest writes ${allowed.join(' ')}`);
}

/** A BAR whose accesses we cannot make in the guest's place is mapped when it is placed, untouched. */
function openBars(device: HostDevice, view: GuestView, report: Report): Map<number, BarAccess> {
  const access = new Map<number, BarAccess>();
  const { openBar } = device;
  if (openBar === undefined) return access;
  for (const { index, kind } of view.bars) {
    if (kind !== 'memory') continue;
    try {
      access.set(index, openBar(index));
    } catch (error) {
      report('bar access', `${formatSbdf(device.image.sbdf)}: BAR ${index} is mapped untouched: ${messageOf(error)}`);
    }
  }
  return access;
}

/** The kernel restores what COMMAND was before the reset, bus master included; the guest is to find it off. */
function resetOf(device: HostDevice, view: GuestView, ledger: Ledger): { reset?: () => void } {
  if (device.reset === undefined) return {};
  const reset = device.reset.bind(device);
  return {
    reset: () => {
      const { commandBits } = ledger;
      reset();
      prepareCommand(device.config, ledger, decodeBitsOf(view), ledger.intx?.bound === true);
      ledger.commandBits |= commandBits;
    },
  };
}

function step<T>(device: HostDevice, name: string, run: () => T): T {
  try {
    return run();
  } catch (cause) {
    const sbdf = formatSbdf(device.image.sbdf);
    throw new DeviceModelError('DEVICE_MODEL_ATTACH_FAILED', `attach of ${sbdf}: ${name}: ${messageOf(cause)}`, {
      step: name,
      cause,
    });
  }
}

function rolledBack(error: unknown, release: () => void): unknown {
  try {
    release();
    return error;
  } catch (failure) {
    const left = failure instanceof DeviceModelError ? failure.left : [];
    const step = error instanceof DeviceModelError ? error.step : undefined;
    return new DeviceModelError(
      'DEVICE_MODEL_ATTACH_FAILED',
      `${messageOf(error)}; undoing it failed too: ${messageOf(failure)}`,
      { ...(step === undefined ? {} : { step }), left, errors: [error, failure], cause: error },
    );
  }
}

function requireSlot(guestDevfn: number): void {
  if (Number.isInteger(guestDevfn) && guestDevfn > 0 && guestDevfn <= 0xff) return;
  throw new DeviceModelError(
    'DEVICE_MODEL_SLOT_INVALID',
    `guest function ${guestDevfn} is not on guest bus 0: ` +
      'pass device << 3 | function, 1 to 255 (00.0 is the host bridge)',
  );
}

/** Frames are 4 KiB: a BAR that starts inside one would show the guest its neighbour's registers (security.md L6). */
function requirePageAlignedBars({ image }: HostDevice): void {
  const unaligned = image.resources.find(({ kind, start }) => kind === 'memory' && start % pageSizeBytes !== 0n);
  if (unaligned === undefined) return;
  throw new DeviceModelError(
    'DEVICE_MODEL_BAR_UNALIGNED',
    `BAR ${unaligned.index} of ${formatSbdf(image.sbdf)} starts at 0x${unaligned.start.toString(16)}, inside a page ` +
      'that it may share with another device: align it with the dom0 kernel option pci=resource_alignment=',
  );
}

/** PCI Local Bus Specification 3.0, 6.8.1.3. */
const mostMsiVectors = 32;

/**
 * Several vectors need interrupt remapping and as many free pirqs in a row, which only Xen knows, so it is asked now:
 * a guest that was offered more than it can have would miss interrupts.
 */
function offeredMsiVectors({ device, hypervisor, report }: AttachFunctionOptions, wanted: number): number {
  const { sbdf } = device.image;
  let refusal = '';
  for (let vectorCount = wanted; vectorCount > 1; vectorCount /= 2) {
    try {
      hypervisor.unmapPirq(hypervisor.mapMsi({ sbdf, entry: 0, tableBase: 0n, pirq: anyPirq, vectorCount }));
      if (vectorCount < wanted) reportFewer(vectorCount);
      return vectorCount;
    } catch (error) {
      refusal ||= messageOf(error);
    }
  }
  if (wanted > 1) reportFewer(1);
  return 1;

  function reportFewer(vectorCount: number): void {
    report('msi', `${formatSbdf(sbdf)}: ${vectorCount} of ${wanted} MSI vectors for the guest: ${refusal}`);
  }
}

/** Left on by an earlier owner, they would raise interrupts that nobody has bound. */
function turnInheritedMessagesOff(view: GuestView, { config }: HostDevice): void {
  if (view.msi !== undefined) turnMessagesOff(config, 'msi', view.msi.controlOffset);
  if (view.msix !== undefined) turnMessagesOff(config, 'msi-x', view.msix.controlOffset);
}

/** A function without its line still works by messages, so a refusal is reported and the line left disabled. */
function attachIntx(options: AttachFunctionOptions, view: GuestView, ledger: Ledger): boolean {
  const { device, guestDevfn, hypervisor, pirqs, report, statistics } = options;
  const gsi = usableGsi(view.interruptPin, device.image.irq);
  if (gsi === null) return false;
  const guestDevice = guestDevfn >>> 3;
  const intx = intxOf(view.interruptPin);
  try {
    const pirq = pirqs.useLine(gsi, () => hypervisor.mapGsi(gsi));
    const held = { gsi, pirq, guestDevice, intx, bound: false };
    ledger.intx = held;
    hypervisor.bindIntx(pirq, guestDevice, intx);
    statistics.countInterrupt('intx');
    held.bound = true;
    return true;
  } catch (error) {
    report('intx', `INTx of ${formatSbdf(device.image.sbdf)} stays disabled: ${messageOf(error)}`);
    dropUnboundIntx(options, ledger);
    return false;
  }
}

function dropUnboundIntx({ hypervisor, pirqs, report }: AttachFunctionOptions, ledger: Ledger): void {
  const { intx } = ledger;
  if (intx === null) return;
  try {
    pirqs.leaveLine(intx.gsi, (pirq) => hypervisor.unmapPirq(pirq));
    ledger.intx = null;
  } catch (error) {
    // It stays in the ledger, so that detach tries again.
    report('intx', `pirq ${intx.pirq} stays mapped until detach: ${messageOf(error)}`);
  }
}

function decodeBitsOf(view: GuestView): number {
  const has = (kind: 'io' | 'memory') => view.bars.some((bar) => bar.kind === kind);
  return (has('io') ? ioDecodeBit : 0) | (has('memory') ? memoryDecodeBit : 0);
}
