import { readFileSync, writeFileSync } from 'node:fs';
import { expect, it } from 'vitest';

import {
  type Capability,
  type Register,
  type RegisterSet,
  capabilities,
  concealedCapabilities,
  extendedCapabilities,
  headerType0,
} from '../src/index.js';
import { capabilityRegisters } from '../src/capabilities/capability.js';

const file = new URL('../../../docs/guest-view.md', import.meta.url);

/** An occurrence in which every register stands: 64 bits and masks of MSI, version 2 of PCI Express, a reset. */
const fullest: Readonly<Record<number, readonly number[]>> = {
  0x05: [0x05, 0, 0x8a, 0x01],
  0x10: [0x10, 0, 0x02, 0, 0, 0, 0, 0x10],
  0x13: [0x13, 0, 6, 3],
};

function hex(value: number, digits: number): string {
  return `0x${value.toString(16).padStart(digits, '0')}`;
}

function mask(register: Register, value: number | undefined): string {
  const all = 2 ** (8 * register.width) - 1;
  if (value === undefined || value === 0) return '–';
  return value === all ? 'all' : hex(value, 2 * register.width);
}

function row(name: string, register: Register): string {
  const { guest, offset, width } = register;
  const all = 2 ** (8 * width) - 1;
  const device = (all & ~(guest.virtual ?? 0)) >>> 0;
  const cells = [
    `+${offset.toString(16)}`,
    String(width),
    name,
    mask(register, device),
    mask(register, guest.virtual),
    mask(register, guest.shadowWrite),
    mask(register, guest.hardwareWrite),
    guest.why,
  ];
  return `| ${cells.join(' | ')} |`;
}

function table(registers: RegisterSet): string[] {
  return [
    '| at | bytes | register | reads of the device | reads of ours | writes ours | writes the device | because |',
    '|---|---|---|---|---|---|---|---|',
    ...Object.entries(registers).map(([name, register]) => row(name, register)),
    '',
  ];
}

function shown(capability: Capability): string[] {
  const bytes = new Uint8Array(192);
  bytes.set(fullest[capability.id] ?? []);
  const registers = capabilityRegisters(capability, bytes, { functionReset: true, msiVectorLimit: 32 });
  const { name, id, meaning = '' } = capability;
  return [`## ${name} (${hex(id, 2)})`, '', meaning, '', ...table(registers)];
}

function document(): string {
  return [
    '# What a guest sees and touches of a function, register by register',
    '',
    'Made from the tables that the engine runs on (`npm run docs`); a test fails when they differ.',
    'A mask names bits of the register. What is in no register of a capability is read from the device, never written',
    'unless the operator opens it. Registers that stand under conditions (64 bits, masks, resets) are all listed.',
    '',
    '## Header',
    '',
    ...table(headerType0),
    ...capabilities.flatMap(shown),
    '## Hidden',
    '',
    'Not in the guest’s list; the bytes read 0 and take no write.',
    '',
    '| id | capability | because |',
    '|---|---|---|',
    ...concealedCapabilities.map(({ id, name, reason }) => `| ${hex(id, 2)} | ${name} | ${reason} |`),
    '',
    '## Extended space',
    '',
    'A guest reads all ones from 0x100 on. What a function has there is decoded for people:',
    '',
    '| id | capability | what it means for passthrough |',
    '|---|---|---|',
    ...extendedCapabilities.map(({ id, name, meaning }) => `| ${hex(id, 4)} | ${name} | ${meaning} |`),
    '',
  ].join('\n');
}

it('docs/guest-view.md is what the tables say', () => {
  const text = document();
  if (process.env['XENPT_WRITE_DOCS'] === '1') writeFileSync(file, text);
  expect(readFileSync(file, 'utf8')).toBe(text);
});
