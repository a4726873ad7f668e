import { expect, it } from 'vitest';
import { PHYSICAL_INFO_SIZE_BYTES, decodePhysicalInfo } from '../src/physical-info.js';

function machine(capabilities: number): Buffer {
  const bytes = Buffer.alloc(PHYSICAL_INFO_SIZE_BYTES, 0xee);
  bytes.writeUInt32LE(8, 8);
  bytes.writeUInt32LE(2, 16);
  bytes.writeUInt32LE(2_400_000, 24);
  bytes.writeUInt32LE(capabilities, 28);
  bytes.writeBigUInt64LE(2n ** 63n + 1n, 40);
  bytes.writeBigUInt64LE(3n, 48);
  bytes.writeBigUInt64LE(2n ** 53n + 1n, 72);
  return bytes;
}

it('reads every field from its own place', () => {
  expect(decodePhysicalInfo(machine(0b10_1010))).toEqual({
    hvm: false,
    pv: true,
    directIo: false,
    hvmDirectIo: false,
    hap: true,
    shadow: false,
    iommuHapPtShare: true,
    cpuCount: 8,
    nodeCount: 2,
    cpuKhz: 2_400_000,
    totalPages: 2n ** 63n + 1n,
    freePages: 3n,
    maxMfn: 2n ** 53n + 1n,
  });
});

it('passes devices through to HVM guests only with both', () => {
  const hvmDirectIo = [0b000, 0b001, 0b100, 0b101].map((bits) => decodePhysicalInfo(machine(bits)).hvmDirectIo);
  expect(hvmDirectIo).toEqual([false, false, false, true]);
});

it('refuses a short structure', () => {
  expect(() => decodePhysicalInfo(new Uint8Array(111))).toThrow('111 bytes; at least 112');
});
