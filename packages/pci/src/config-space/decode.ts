import { type RawBar, decodeRawBars } from '../bars/raw-bar.js';
import { catalogue } from '../capabilities/index.js';
import { readLittleEndian } from './access.js';
import { type FoundCapability, type HiddenCapability, listCapabilities } from './capability-list.js';
import { type HeaderRegisterName, headerType0 } from './header-type-0.js';
import { checkHeader, headerValue } from './header.js';
import { type RegisterSet, decodeFields } from './register.js';

export interface DecodedRegister {
  readonly value: number;
  readonly fields: Readonly<Record<string, number>>;
}

export interface DecodedCapability {
  readonly offset: number;
  readonly id: number;
  readonly name: string;
  readonly sizeBytes: number;
  readonly registers: Readonly<Record<string, DecodedRegister>>;
}

export interface ConfigSpace {
  readonly header: Readonly<Record<HeaderRegisterName, DecodedRegister>>;
  /** 24 bits: base class, subclass, programming interface. */
  readonly classCode: number;
  readonly multifunction: boolean;
  readonly bars: readonly RawBar[];
  /** In the device's order. */
  readonly capabilities: readonly DecodedCapability[];
  readonly hidden: readonly HiddenCapability[];
  /** Of the hidden ones those whose registers are known, decoded. */
  readonly concealed: readonly DecodedCapability[];
  /** Why the capability list ends early; null when it does not. */
  readonly chainFault: string | null;
}

/** One line of a register listing. */
export interface RegisterDescription {
  /** From the start of configuration space. */
  readonly offset: number;
  readonly width: 1 | 2 | 4;
  readonly name: string;
  readonly value: number;
  /** `Header` or the name of the capability. */
  readonly group: string;
  readonly fields: readonly { readonly name: string; readonly value: number }[];
}

/**
 * Decodes an image of a type 0 function. What a hostile device can do to it is to have less decoded.
 *
 * @param config 64, 256 or 4096 bytes
 * @throws {@link PciError} `PCI_CONFIG_LENGTH`, `PCI_FUNCTION_ABSENT` or `PCI_HEADER_TYPE_UNSUPPORTED`
 */
export function decodeConfigSpace(config: Uint8Array): ConfigSpace {
  checkHeader(config);
  const { found, hidden, concealed, fault } = listCapabilities(config, catalogue);
  const decode = ({ offset, id, name, sizeBytes, registers }: FoundCapability): DecodedCapability => ({
    offset,
    id,
    name,
    sizeBytes,
    registers: decodeRegisters(config, offset, registers),
  });
  return {
    header: decodeRegisters(config, 0, headerType0) as Record<HeaderRegisterName, DecodedRegister>,
    classCode: (headerValue(config, 'classCode') << 8) | headerValue(config, 'programmingInterface'),
    multifunction: (headerValue(config, 'headerType') & 0x80) !== 0,
    bars: decodeRawBars(config),
    capabilities: found.map(decode),
    hidden,
    concealed: concealed.map(decode),
    chainFault: fault,
  };
}

/**
 * Every register of the header and of the capabilities that can be shown, by offset. Takes the host's image as
 * well as the 256 bytes a guest reads: the same register stands at the same offset in both.
 *
 * @throws {@link PciError} as {@link decodeConfigSpace}
 */
export function describeRegisters(config: Uint8Array): RegisterDescription[] {
  checkHeader(config);
  const groups = [
    { offset: 0, name: 'Header', registers: headerType0 as RegisterSet },
    ...listCapabilities(config, catalogue).found,
  ];
  return groups.flatMap((group) => describeGroup(config, group)).sort((a, b) => a.offset - b.offset);
}

function describeGroup(
  config: Uint8Array,
  group: { readonly offset: number; readonly name: string; readonly registers: RegisterSet },
): RegisterDescription[] {
  return Object.entries(group.registers).map(([name, register]) => {
    const offset = group.offset + register.offset;
    const value = readLittleEndian(config, offset, register.width);
    const fields = Object.entries(decodeFields(register, value)).map(([field, bits]) => ({
      name: field,
      value: bits,
    }));
    return { offset, width: register.width, name, value, group: group.name, fields };
  });
}

function decodeRegisters(config: Uint8Array, base: number, registers: RegisterSet): Record<string, DecodedRegister> {
  const decoded = Object.entries(registers).map(([name, register]) => {
    const value = readLittleEndian(config, base + register.offset, register.width);
    return [name, { value, fields: decodeFields(register, value) }] as const;
  });
  return Object.fromEntries(decoded);
}
