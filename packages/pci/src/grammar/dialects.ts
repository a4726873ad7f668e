import { PciError } from '../errors.js';
import { requireXenSegment } from '../sbdf.js';
import type { Cursor } from './cursor.js';
import { Cursor as NestedCursor } from './cursor.js';
import type { DeviceSpec } from './device.js';
import { type AddressForm, colons, type FunctionAddress, readAddress, writeAddress } from './function-address.js';
import { readLibvirtAddress, writeLibvirtAddress } from './libvirt-address.js';
import { readWrittenOptions, readXlOptions, writeXlOptions } from './xl-options.js';

/** The ways to write a device: what each looks like, and whose it is. */
export const dialectExamples = {
  canonical: ['0000:03:00.0', 'segment:bus:device.function, all hexadecimal; `.*` for the function is all of them'],
  short: ['03:00.0', 'the same in segment 0, as lspci prints it'],
  card: ['03:00', 'all functions of a device, as Proxmox has it'],
  xl: ['03:00.0@a,permissive=1', "xl's PCI_SPEC_STRING; the slot in the guest is hexadecimal, always"],
  pciback: ['(0000:03:00.0)', 'one device of xen-pciback.hide'],
  xapi: ['0/0000:03:00.0', "one device of XAPI's other-config:pci"],
  qubes: ['dom0:03_00.0', 'the domain that has the device, and the port'],
  libvirt: ['pci_0000_03_00_0', "the name of libvirt's node device"],
  'libvirt-xml': ["<address domain='0x0000' bus='0x03' slot='0x00' function='0x0'/>", 'in the domain of libvirt'],
  qemu: ['host=0000:03:00.0', "a property of QEMU's device; hostaddr= too"],
  qdev: ['pci-pt-03_00.0', "libxl's name for the device in QEMU; it has no segment"],
  sysfs: ['/sys/bus/pci/devices/0000:03:00.0', 'any path of sysfs that leads through a function'],
} as const;
export type Dialect = keyof typeof dialectExamples;
export const dialectNames = Object.keys(dialectExamples) as readonly Dialect[];

interface DialectRules {
  readonly read: (cursor: Cursor) => DeviceSpec;
  readonly write: (spec: DeviceSpec) => string;
}

const MAX_ORDER = 999;
const SLOT = { what: 'slot', digits: [1, 2], max: 0x1f } as const;
const underscores = { segment: '_', bus: '_', device: '_' };
const qubesSeparators = { segment: '_', bus: '_', device: '.' };

const whole: AddressForm = { separators: colons, segment: 'optional', wildcard: true };
const exact: AddressForm = { separators: colons, segment: 'required', wildcard: false };

const plain =
  (form: AddressForm) =>
  (cursor: Cursor): DeviceSpec => ({
    address: readAddress(cursor, form),
    options: {},
  });

export const dialects: Readonly<Record<Dialect, DialectRules>> = {
  canonical: {
    read: plain({ ...whole, segment: 'required' }),
    write: (spec) => writeAddress(addressIn(spec, 'canonical'), colons),
  },
  short: {
    read: plain({ ...whole, segment: 'none' }),
    write: (spec) => writeAddress(inSegment0(addressIn(spec, 'short'), 'short'), colons, false),
  },
  card: {
    read: plain({ ...whole, bareDevice: true }),
    write: (spec) => writeAddress(allOf(addressIn(spec, 'card')), colons).replace(/\.\*$/, ''),
  },
  xl: { read: readXl, write: writeXl },
  pciback: { read: readPciback, write: (spec) => `(${writeAddress(onXen(addressIn(spec, 'pciback')), colons)})` },
  xapi: { read: readXapi, write: (spec) => `${spec.order ?? 0}/${one(spec, 'xapi')}` },
  qubes: {
    read: readQubes,
    write: (spec) => {
      const address = single(addressIn(spec, 'qubes'), 'qubes');
      return `${spec.backend ?? 'dom0'}:${writeAddress(address, qubesSeparators, address.segment !== 0)}`;
    },
  },
  libvirt: {
    read: (cursor) => {
      cursor.expect('pci_', 'the beginning');
      return plain({ ...exact, separators: underscores })(cursor);
    },
    write: (spec) => `pci_${writeAddress(single(addressIn(spec, 'libvirt'), 'libvirt'), underscores)}`,
  },
  'libvirt-xml': {
    read: (cursor) => ({ address: readLibvirtAddress(cursor), options: {} }),
    write: (spec) => writeLibvirtAddress(single(addressIn(spec, 'libvirt-xml'), 'libvirt-xml')),
  },
  qemu: {
    read: (cursor) => {
      if (!cursor.take('hostaddr=')) cursor.expect('host=', 'the beginning');
      return plain({ ...whole, wildcard: false })(cursor);
    },
    write: (spec) => `host=${one(spec, 'qemu')}`,
  },
  qdev: {
    read: (cursor) => {
      cursor.expect('pci-pt-', 'the beginning');
      return plain({ separators: qubesSeparators, segment: 'none', wildcard: false })(cursor);
    },
    write: (spec) => {
      const address = inSegment0(single(addressIn(spec, 'qdev'), 'qdev'), 'qdev');
      return `pci-pt-${writeAddress(address, qubesSeparators, false)}`;
    },
  },
  sysfs: { read: readSysfsPath, write: (spec) => `/sys/bus/pci/devices/${one(spec, 'sysfs')}` },
};

/** The dialect that a text has the shape of; the reader then says whether it is right. */
export function dialectOf(text: string): Dialect {
  const start = /^(?:(\/)|(\()|(pci-pt-)|(pci_)|(host(?:addr)?=)|([0-9]+\/)|(<))/.exec(text);
  const shapes = ['sysfs', 'pciback', 'qdev', 'libvirt', 'qemu', 'xapi', 'libvirt-xml'] as const;
  const index = start === null ? -1 : start.slice(1).findIndex((part) => part !== undefined);
  const shape = shapes[index];
  if (shape !== undefined) return shape;
  if (/[@,=]/.test(text)) return 'xl';
  if (/^[^:]*:[0-9a-f]+_|_[0-9a-f]+\.[0-7]$/i.test(text)) return 'qubes';
  if (!text.includes('.') && /^[0-9a-f]+(:[0-9a-f]+)+$/i.test(text)) return 'card';
  return /:[^:]+:/.test(text) ? 'canonical' : 'short';
}

function readXl(cursor: Cursor): DeviceSpec {
  const keyed = /^[a-z_]+=/.test(cursor.text);
  const address = keyed ? undefined : readAddress(cursor, whole);
  const positional = !keyed && cursor.take('@') ? readSlot(cursor) : undefined;
  if (!keyed && cursor.atEnd) return spec(address, undefined, positional, {});
  if (!keyed) cursor.expect(',', 'the separator');
  const written = readWrittenOptions(cursor);
  const find = (key: string) => written.find((option) => option.key === key);
  const [bdf, name, vslot] = [find('bdf'), find('name'), find('vslot')];
  if (bdf && address) cursor.fail('the address is given twice', bdf.keyAt);
  if (vslot && positional !== undefined) cursor.fail('the slot is given twice', vslot.keyAt);
  if (name && (bdf ?? address)) cursor.fail('either the address or the name is given, not both', name.keyAt);
  if (name?.value === '') cursor.fail('the name is empty', name.valueAt);
  const found = bdf ? within(cursor, bdf.valueAt, bdf.value, (inner) => readAddress(inner, whole)) : address;
  if (!found && !name) cursor.fail('neither an address nor a name is given', 0);
  const slot = vslot ? within(cursor, vslot.valueAt, vslot.value, readSlot) : positional;
  return spec(found, name?.value, slot, readXlOptions(cursor, written));
}

function spec(
  address: FunctionAddress | undefined,
  name: string | undefined,
  virtualSlot: number | undefined,
  options: DeviceSpec['options'],
): DeviceSpec {
  return {
    ...(address === undefined ? {} : { address }),
    ...(name === undefined ? {} : { name }),
    ...(virtualSlot === undefined ? {} : { virtualSlot }),
    options,
  };
}

/** Reads a part as a whole; a mistake is told in the column of the whole. */
function within<T>(cursor: Cursor, start: number, part: string, read: (inner: Cursor) => T): T {
  const inner = new NestedCursor(cursor.text.slice(0, start + part.length));
  inner.position = start;
  const value = read(inner);
  inner.expectEnd();
  return value;
}

function readSlot(cursor: Cursor): number {
  cursor.take('0x');
  return cursor.hex(SLOT);
}

function writeXl(spec: DeviceSpec): string {
  const { address, name, virtualSlot, options } = spec;
  const slot = virtualSlot?.toString(16).padStart(2, '0');
  if (address !== undefined) {
    return writeAddress(onXen(address), colons) + (slot === undefined ? '' : `@${slot}`) + writeXlOptions(options);
  }
  if (name === undefined || name === '' || name.includes(',')) throw cannotSay('xl', 'a device without address');
  return `name=${name}${slot === undefined ? '' : `,vslot=${slot}`}${writeXlOptions(options)}`;
}

function readPciback(cursor: Cursor): DeviceSpec {
  cursor.expect('(', 'the beginning');
  const address = readAddress(cursor, whole);
  cursor.expect(')', 'the end');
  return { address, options: {} };
}

function readXapi(cursor: Cursor): DeviceSpec {
  const digits = cursor.takeUntil('/');
  if (!/^[0-9]{1,3}$/.test(digits)) cursor.fail(`the number before the slash is 0 to ${MAX_ORDER}`, 0);
  cursor.expect('/', 'the sign');
  // XAPI cuts this text at fixed places (xapi pciops.ml), so the short form breaks it.
  return { address: readAddress(cursor, exact), options: {}, order: Number(digits) };
}

function readQubes(cursor: Cursor): DeviceSpec {
  const backend = cursor.takeUntil(':');
  if (!/^[A-Za-z][\w.-]{0,30}$/.test(backend))
    cursor.fail('the name of the domain that has the device is expected', 0);
  cursor.expect(':', 'the separator');
  const form: AddressForm = { separators: qubesSeparators, segment: 'optional', wildcard: false };
  return { address: readAddress(cursor, form), options: {}, backend };
}

/** The last function on the path: `/sys/devices/pci0000:00/0000:00:1c.0/0000:03:00.0/resource`. */
function readSysfsPath(cursor: Cursor): DeviceSpec {
  const components = [...cursor.text.matchAll(/\/([^/]*:[^/]*\.[^/]*)/g)];
  const last = components.at(-1);
  if (!cursor.text.startsWith('/') || last === undefined) cursor.fail('the path leads through no PCI function', 0);
  const name = last?.[1] ?? '';
  const address = within(cursor, (last?.index ?? 0) + 1, name, (inner) => readAddress(inner, exact));
  cursor.position = cursor.text.length;
  return { address, options: {} };
}

function addressIn({ address }: DeviceSpec, dialect: Dialect): FunctionAddress {
  if (address === undefined) throw cannotSay(dialect, 'a device without address');
  return address;
}

function one(spec: DeviceSpec, dialect: Dialect): string {
  return writeAddress(single(addressIn(spec, dialect), dialect), colons);
}

function single(address: FunctionAddress, dialect: Dialect): FunctionAddress {
  if (address.function === '*') throw cannotSay(dialect, 'all functions of a device');
  return address;
}

function allOf(address: FunctionAddress): FunctionAddress {
  if (address.function !== '*') throw cannotSay('card', 'one function');
  return address;
}

function inSegment0(address: FunctionAddress, dialect: Dialect): FunctionAddress {
  if (address.segment !== 0) throw cannotSay(dialect, `segment ${address.segment.toString(16)}`);
  return address;
}

function onXen(address: FunctionAddress): FunctionAddress {
  try {
    requireXenSegment({ ...address, function: 0 });
  } catch (error) {
    throw error instanceof PciError ? new RangeError(error.message, { cause: error }) : error;
  }
  return address;
}

function cannotSay(dialect: Dialect, what: string): RangeError {
  return new RangeError(`${dialect} cannot name ${what}.`);
}
