import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { grantsOf, readGrants, recordGrant } from '../../src/xen/grants.js';
import { temporaryFolder } from './folders.js';

const u64 = fc.bigInt({ min: 1n, max: 0xffff_ffff_ffff_ffffn });
const resource = { index: 0, kind: 'memory', prefetchable: false, is64Bit: true } as const;

test('pages cover the resource and no page more, for every 64-bit address', () => {
  fc.assert(
    fc.property(u64, u64, (a, b) => {
      const [start, last] = a < b ? [a, b] : [b, a];
      const sizeBytes = last - start + 1n;
      const [grant] = grantsOf([{ ...resource, start, sizeBytes }]);
      if (grant?.kind !== 'memory') throw new Error('a memory grant is missing');
      expect(grant.mfn).toBe(start >> 12n);
      expect(grant.mfn + grant.count - 1n).toBe(last >> 12n);
    }),
  );
});

test('a resource that the host did not place needs no grant', () => {
  expect(grantsOf([{ ...resource, start: 0n, sizeBytes: 4096n }])).toEqual([]);
});

test.each([1n << 31n, 1n << 32n, (1n << 52n) - 1n, 1n << 53n, (1n << 53n) + 1n, 1n << 63n])(
  'a grant at %d survives the file',
  (start) => {
    const runDir = join(temporaryFolder(), 'run');
    const grants = grantsOf([{ ...resource, start, sizeBytes: 4096n }]);
    const record = { guestDevfn: 40, state: 'attached', grants } as const;
    recordGrant(runDir, { domid: 5, handle: 'uuid' }, '0000:03:00.0', record);
    expect(readGrants(runDir, 5)).toEqual({
      domid: 5,
      handle: 'uuid',
      devices: [{ sbdf: '0000:03:00.0', ...record }],
    });
  },
);

test.each([
  'not JSON',
  '{}',
  '{"schemaVersion":2,"domid":5,"handle":"u","devices":[]}',
  '{"schemaVersion":1,"domid":6,"handle":"u","devices":[]}',
  '{"schemaVersion":1,"domid":5,"handle":"u","devices":[{"sbdf":"x","guestDevfn":40,"state":"odd","grants":[]}]}',
  '{"schemaVersion":1,"domid":5,"handle":"u","devices":[{"sbdf":"x","guestDevfn":40,"state":"attached","grants":' +
    '[{"kind":"memory","mfn":"1","count":"0x1"}]}]}',
])('a damaged file is an error, never an empty record: %s', (text) => {
  const runDir = join(temporaryFolder(), 'run');
  mkdirSync(join(runDir, 'domain-5'), { recursive: true });
  writeFileSync(join(runDir, 'domain-5/grants.json'), text);
  expect(() => readGrants(runDir, 5)).toThrow(/cannot be read as a record of grants/);
});

test('does not write through a link, nor into a folder that others may enter', () => {
  const folder = temporaryFolder();
  const runDir = join(folder, 'run');
  mkdirSync(runDir, { mode: 0o700 });
  mkdirSync(join(folder, 'elsewhere'), { mode: 0o700 });
  symlinkSync(join(folder, 'elsewhere'), join(runDir, 'domain-5'));
  const record = { guestDevfn: 40, state: 'attached', grants: [] } as const;
  expect(() => recordGrant(runDir, { domid: 5, handle: 'u' }, 'x', record)).toThrow(/only root may enter/);
  mkdirSync(join(runDir, 'domain-6'), { mode: 0o777 });
  mkdirSync(join(folder, 'open'), { mode: 0o755 });
  expect(() => recordGrant(join(folder, 'open'), { domid: 6, handle: 'u' }, 'x', record)).toThrow(
    /only root may enter/,
  );
});
