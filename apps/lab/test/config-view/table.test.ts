import { readFileSync, writeFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { reasons } from '../../src/config-view/differences.js';
import { comparedDevices } from '../../src/config-view/registers.js';
import { differenceDocument, differenceTable } from '../../src/config-view/table.js';
import { profiles } from '../../src/profile.js';

const file = new URL('../../../../docs/qemu-differences.md', import.meta.url);

it('every line is of devices, hosts and reasons that there are, and says why', () => {
  const kinds: readonly string[] = comparedDevices.map(({ kind }) => kind);
  const hosts = profiles.map(({ name }) => name);
  for (const line of differenceTable) {
    const what = `${line.register} ${line.accesses.join()}`;
    expect(
      line.devices.filter((device) => !kinds.includes(device)),
      what,
    ).toEqual([]);
    expect(
      line.hosts.filter((host) => !hosts.includes(host)),
      what,
    ).toEqual([]);
    expect(reasons, what).toContain(line.reason);
    expect(line.why, what).toMatch(/^[A-Z“0-9].{20,}\.$/);
    expect(line.qemu, what).not.toBe(line.ours);
  }
  expect(differenceTable.length).toBeGreaterThan(0);
});

it('docs/qemu-differences.md is what the table says', () => {
  const text = differenceDocument(differenceTable);
  if (process.env['XENPT_WRITE_DOCS'] === '1') writeFileSync(file, text);
  expect(readFileSync(file, 'utf8')).toBe(text);
});
