import { type GuestBar, resolveBars, romBar, romIndex } from '../bars/bar.js';
import { barRegisters } from '../bars/registers.js';
import {
  type Circumstances,
  type ControlGeometry,
  type HostRange,
  type InterruptGeometry,
  type WithheldBytes,
  capabilityHeader,
} from '../capabilities/capability.js';
import { catalogue } from '../capabilities/index.js';
import { allOnes, readLittleEndian } from '../config-space/access.js';
import {
  type CapabilityList,
  type FoundCapability,
  type HiddenCapability,
  hide,
  listCapabilities,
} from '../config-space/capability-list.js';
import { type HeaderRegisterName, headerType0 } from '../config-space/header-type-0.js';
import { checkHeader, headerValue } from '../config-space/header.js';
import { RegisterTable } from '../config-space/register-table.js';
import { initialShadow } from '../config-space/register.js';
import { PciError } from '../errors.js';
import type { FunctionImage } from '../resource.js';
import { parseExpansionRom } from '../rom/expansion-rom.js';
import { openFields } from './allow.js';
import type { GuestView, GuestViewOptions } from './guest-view.js';

/**
 * Composes what a guest sees of a function: header, BARs and the capabilities that may be shown, each by its own
 * policy; the list relinked over them; the hidden ones reading 0; every other byte read from the device and never
 * written.
 *
 * @throws {@link PciError} `PCI_CONFIG_LENGTH`, `PCI_FUNCTION_ABSENT`, `PCI_HEADER_TYPE_UNSUPPORTED`,
 *   `PCI_RESOURCE_INVALID`, `PCI_ROM_INVALID`, `PCI_ALLOW_SYNTAX` or `PCI_ALLOW_REFUSED`
 */
export function buildGuestView(image: FunctionImage, options: GuestViewOptions = {}): GuestView {
  checkHeader(image.config);
  checkIds(image);
  const { functionReset = false, msiVectorLimit = 1, romImage } = options;
  const bars = guestBars(image, options);
  const circumstances: Circumstances = { functionReset, msiVectorLimit };
  const list = listCapabilities(image.config, catalogue, circumstances);
  const { found, hidden: unshowable, fault } = list;
  const { visible, hidden, geometry } = admit(found, bars, circumstances);
  const withheld = withheldOfHidden(list, visible, bars, circumstances);
  const hostReadOnly = hostReadOnlyOf(list, bars, circumstances);
  const allHidden = [...unshowable, ...hidden].sort((a, b) => a.offset - b.offset);
  const interruptPin = guestInterruptPin(image);

  const table = new RegisterTable();
  placeHeader(table, image.config, {
    vendorId: image.vendorId,
    deviceId: image.deviceId,
    status: visible.length > 0 ? capabilitiesListBit : 0,
    headerType: options.multifunction === true ? multifunctionBit : 0,
    capabilitiesPointer: visible[0]?.offset ?? 0,
    interruptPin,
  });
  for (const bar of bars) {
    for (const register of barRegisters(bar)) table.place(0, register, register.reset);
  }
  visible.forEach((capability, index) => placeCapability(table, capability, visible[index + 1]?.offset ?? 0));
  for (const { offset, sizeBytes } of allHidden) table.conceal(offset, sizeBytes);
  openFields(table, visible, options);

  return {
    words: table.words(),
    bars,
    ...(romImage === undefined ? {} : { romImage }),
    command: { offset: headerType0.command.offset },
    ...geometry,
    ...(withheld === undefined ? {} : { withheld }),
    hostReadOnly,
    interruptPin,
    hidden: allHidden.map(({ offset, id, name, reason }) => ({ offset, id, name, reason })),
    chainFault: fault,
  };
}

const capabilitiesListBit = 0x10;
const multifunctionBit = 0x80;
/** PCI Local Bus 3.0 §6.2.4: 1 is INTA#, 4 is INTD#, the rest is reserved. */
const lastInterruptPin = 4;

function guestBars({ resources }: FunctionImage, { expansionRom = true, romImage }: GuestViewOptions): GuestBar[] {
  if (romImage === undefined) return resolveBars(resources.filter(({ index }) => expansionRom || index !== romIndex));
  parseExpansionRom(romImage);
  return [...resolveBars(resources.filter(({ index }) => index !== romIndex)), romBar(romImage.length)];
}

interface Admission {
  readonly visible: readonly FoundCapability[];
  readonly hidden: readonly HiddenCapability[];
  readonly geometry: InterruptGeometry & ControlGeometry;
}

/** The second look, now that the BARs are known. */
function admit(
  found: readonly FoundCapability[],
  bars: readonly GuestBar[],
  circumstances: Circumstances,
): Admission {
  const visible: FoundCapability[] = [];
  const hidden: HiddenCapability[] = [];
  let geometry: InterruptGeometry & ControlGeometry = {};
  for (const capability of found) {
    const { offset, bytes, definition } = capability;
    const own = definition.geometry?.({ offset, bytes, bars, circumstances }) ?? {};
    if ('refusal' in own) {
      hidden.push(hide(capability, own.refusal));
    } else {
      visible.push(capability);
      const functionResets = [...(geometry.functionResets ?? []), ...(own.functionResets ?? [])];
      geometry = { ...geometry, ...own, ...(functionResets.length === 0 ? {} : { functionResets }) };
    }
  }
  return { visible, hidden, geometry };
}

function withheldOfHidden(
  list: CapabilityList,
  visible: readonly FoundCapability[],
  bars: readonly GuestBar[],
  circumstances: Circumstances,
): WithheldBytes | undefined {
  const first = firstWith('withheld', list);
  if (first === undefined || visible.includes(first)) return undefined;
  return first.definition.withheld?.({ offset: first.offset, bytes: first.bytes, bars, circumstances });
}

function hostReadOnlyOf(
  list: CapabilityList,
  bars: readonly GuestBar[],
  circumstances: Circumstances,
): readonly HostRange[] {
  const first = firstWith('hostReadOnly', list);
  if (first === undefined) return [];
  return first.definition.hostReadOnly?.({ offset: first.offset, bytes: first.bytes, bars, circumstances }) ?? [];
}

/** The first of its kind is the one that the device works by, and the host too. */
function firstWith(
  part: 'withheld' | 'hostReadOnly',
  { found, concealed, order }: CapabilityList,
): FoundCapability | undefined {
  const those = [...found, ...concealed].filter(({ definition }) => definition[part] !== undefined);
  return those.sort((a, b) => order.indexOf(a.offset) - order.indexOf(b.offset))[0];
}

function guestInterruptPin(image: FunctionImage): number {
  const pin = headerValue(image.config, 'interruptPin');
  // PCI Express Base 5.0 §9.3.4.1: a virtual function, known by ids that read all ones, has no pin.
  if (headerValue(image.config, 'vendorId') === allOnes(2)) return 0;
  return image.irq !== 0 && pin <= lastInterruptPin ? pin : 0;
}

function placeHeader(
  table: RegisterTable,
  config: Uint8Array,
  known: Readonly<Partial<Record<HeaderRegisterName, number>>>,
): void {
  for (const [name, register] of Object.entries(headerType0)) {
    const shadow =
      known[name as HeaderRegisterName] ?? initialShadow(register, headerValue(config, name as HeaderRegisterName));
    table.place(0, register, shadow);
  }
}

function placeCapability(table: RegisterTable, capability: FoundCapability, next: number): void {
  const { offset, sizeBytes, bytes, registers } = capability;
  table.claim(offset, sizeBytes);
  for (const register of Object.values(registers)) {
    const hardware = readLittleEndian(bytes, register.offset, register.width);
    const shadow = register === capabilityHeader.nextPointer ? next : initialShadow(register, hardware);
    table.place(offset, register, shadow);
  }
}

function checkIds({ vendorId, deviceId }: FunctionImage): void {
  for (const id of [vendorId, deviceId]) {
    if (!Number.isInteger(id) || id < 0 || id > 0xffff)
      throw new RangeError(`Id ${id}: must be an integer to 0xffff.`);
  }
  if (vendorId === 0xffff) {
    throw new PciError('PCI_FUNCTION_ABSENT', {
      problem: 'Vendor id 0xffff means that no function is there.',
      nextStep: 'Take the ids from the host’s inventory: a virtual function does not answer its own.',
    });
  }
}
