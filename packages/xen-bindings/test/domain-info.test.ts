import fc from 'fast-check';
import { expect, it } from 'vitest';
import { DOMAIN_INFO_SIZE_BYTES, decodeDomainInfo } from '../src/domain-info.js';

it('reads every field from its own place, wherever the bytes lie in their buffer', () => {
  const u32 = fc.integer({ min: 0, max: 0xffff_ffff });
  const u64 = fc.bigInt(0n, 2n ** 64n - 1n);
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 0xffff }),
      fc.tuple(u64, u64),
      fc.tuple(u32, u32, u32, u32),
      fc.uint8Array({ minLength: 16, maxLength: 16 }),
      fc.nat(40),
      (domid, [totPages, maxPages], [onlineVcpuCount, maxVcpuId, ssidref, cpupool], handle, skip) => {
        const bytes = Buffer.alloc(skip + DOMAIN_INFO_SIZE_BYTES, 0xee).subarray(skip);
        bytes.writeUInt16LE(domid, 0);
        bytes.writeBigUInt64LE(totPages, 8);
        bytes.writeBigUInt64LE(maxPages, 16);
        bytes.writeUInt32LE(onlineVcpuCount, 64);
        bytes.writeUInt32LE(maxVcpuId, 68);
        bytes.writeUInt32LE(ssidref, 72);
        bytes.set(handle, 76);
        bytes.writeUInt32LE(cpupool, 92);
        const info = decodeDomainInfo(bytes);
        expect(info).toMatchObject({ domid, totPages, maxPages, onlineVcpuCount, maxVcpuId, ssidref, cpupool });
        expect(info.handle.replaceAll('-', '')).toBe(Buffer.from(handle).toString('hex'));
        expect(info.handle).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
      },
    ),
  );
});

it('gives each flag its own bit, and the shutdown code bits 16 to 23', () => {
  const names = ['dying', 'hvm', 'shutdown', 'paused', 'blocked', 'running', 'debugged', 'xenstore', 'hap'];
  names.forEach((name, bit) => {
    const bytes = Buffer.alloc(DOMAIN_INFO_SIZE_BYTES);
    bytes.writeUInt32LE((1 << bit) | (3 << 16), 4);
    const { flags, shutdownCode } = decodeDomainInfo(bytes);
    expect(Object.entries(flags).filter(([, set]) => set)).toEqual([[name, true]]);
    expect(shutdownCode).toBe(3);
  });
});

it('refuses a short structure', () => {
  expect(() => decodeDomainInfo(new Uint8Array(111))).toThrow('111 bytes; at least 112');
});
