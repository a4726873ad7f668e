import { readFileSync, truncateSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

import { parseSbdf } from '../../src/index.js';
import { openConfigAccess } from '../../src/sysfs/index.js';
import { SysfsTree } from '../support/sysfs-tree.js';

const address = '0000:03:00.0';
const sbdf = parseSbdf(address);

describe('reading', () => {
  it('gives exact widths, unsigned', () => {
    using tree = new SysfsTree();
    using access = openConfigAccess(sbdf, tree.add(address));
    expect(access.read(0x00, 4)).toBe(0x10d3_8086);
    expect(access.read(0x02, 2)).toBe(0x10d3);
    expect(access.read(0x10, 4)).toBe(0xfebc_0000);
    expect(access.read(0x3d, 1)).toBe(1);
  });

  it('answers all ones when it is short, and nothing of the read before', () => {
    using tree = new SysfsTree();
    using access = openConfigAccess(sbdf, tree.add(address));
    access.read(0x00, 4);
    truncateSync(tree.path(address, 'config'), 0x42);
    expect([access.read(0x40, 4), access.read(0x44, 2), access.read(0x44, 1)]).toEqual([0xffff_ffff, 0xffff, 0xff]);
  });

  it('answers all ones when unaligned or outside', () => {
    using tree = new SysfsTree();
    using access = openConfigAccess(sbdf, tree.add(address));
    expect([access.read(1, 2), access.read(4096, 4), access.read(-4, 4), access.read(0.5, 1)]).toEqual([
      0xffff, 0xffff_ffff, 0xffff_ffff, 0xff,
    ]);
  });
});

describe('writing', () => {
  it('changes the bytes of its width alone', () => {
    using tree = new SysfsTree();
    using access = openConfigAccess(sbdf, tree.add(address));
    access.write(0x40, 4, 0xffff_ffff);
    access.write(0x42, 1, 0x1_0012);
    access.write(0x44, 2, 0xabcd);
    expect([...readFileSync(tree.path(address, 'config')).subarray(0x40, 0x48)]).toEqual([
      0xff, 0xff, 0x12, 0xff, 0xcd, 0xab, 0, 0,
    ]);
  });

  it('never goes outside', () => {
    using tree = new SysfsTree();
    using access = openConfigAccess(sbdf, tree.add(address));
    expect(() => access.write(4096, 4, 0)).toThrow(RangeError);
    expect(() => access.write(2, 4, 0)).toThrow(RangeError);
    expect(readFileSync(tree.path(address, 'config')).length).toBe(4096);
  });
});

it('closes twice, and then reads all ones and refuses to write', () => {
  using tree = new SysfsTree();
  const access = openConfigAccess(sbdf, tree.add(address));
  access.close();
  access.close();
  expect(access.read(0, 2)).toBe(0xffff);
  expect(() => access.write(0, 2, 0)).toThrow(/closed/);
});

it('says which function is not there', () => {
  using tree = new SysfsTree();
  expect(() => openConfigAccess(sbdf, tree)).toThrow(
    expect.objectContaining({ code: 'SYSFS_FUNCTION_NOT_FOUND', path: tree.path(address, 'config') }) as Error,
  );
});
