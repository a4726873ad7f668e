import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parseSbdf } from '@xenpt/pci';
import { attach, detach } from '../../../src/xen/index.js';
import { sysfsPath } from '../../../src/xen/paths.js';
import { CARD, readyHost } from '../hosts.js';

const permissions = (calls: readonly string[]) => calls.filter((call) => / permission|_permission /.test(call));

test.each<[string, (path: string) => void]>([
  ['says something else', (path) => writeFileSync(path, `${'0x1000 0x1fff 0x200\n'.repeat(13)}`)],
  ['cannot be read any more', (path) => rmSync(path)],
])('L4: what was granted is revoked, also when sysfs %s', async (_what, change) => {
  const host = await readyHost();
  const before = host.toolstack.dump();
  await attach(host, { domain: '5', spec: CARD });
  const granted = permissions(host.journal.calls);
  const first = host.journal.calls.length;
  change(join(host.sysfs.root + sysfsPath.device(parseSbdf(CARD)), 'resource'));
  await detach(host, { domain: '5', device: CARD });
  const revoked = permissions(host.journal.calls.slice(first));
  expect(revoked).toEqual(granted.map((call) => call.replace(/true$/, 'false')));
  expect(granted.length).toBe(5);
  expect(host.toolstack.dump()).toEqual(before);
});
