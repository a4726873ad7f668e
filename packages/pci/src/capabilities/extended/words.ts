import { type BitField, extractField } from '../../config-space/register.js';

/** Words that several capabilities use of their values. */

export function onOff(bit: number): string {
  return (bit & 1) === 1 ? 'on' : 'off';
}

/** The fields that are not 0, by name. */
export function switchedOn(fields: Readonly<Record<string, BitField>>, value: number): string {
  const names = Object.entries(fields).filter(([, field]) => extractField(value, field) !== 0);
  return names.map(([name]) => name).join(' ') || 'none';
}

export function hexWord(value: number): string {
  return `0x${value.toString(16).padStart(4, '0')}`;
}

const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB', 'ZiB', 'YiB'] as const;

/** 2 to the power of `exponent` bytes. */
export function byteCount(exponent: number): string {
  return `${2 ** (exponent % 10)} ${units[Math.floor(exponent / 10)] ?? 'too many bytes'}`;
}

/** PCI Express Base 5.0 §7.8.2.2 and §7.8.3.3. */
export const latencyScales = ['1 ns', '32 ns', '1024 ns', '32768 ns', '1048576 ns', '33554432 ns'] as const;
