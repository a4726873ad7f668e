import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { expect, test, vi } from 'vitest';
import { CARD, fakeHost, parse, run } from './run.js';

const FILE = '/etc/xenpt/assignments.json';
const RULES = '/etc/udev/rules.d/60-xenpt.rules';

test('--persist shows each file before it is written, and asks on a terminal', async () => {
  const host = fakeHost();
  const no = vi.fn(() => Promise.resolve(false));
  const before = host.dump();
  const declined = await run(host, 'assignable add 03:00.0 --persist', { confirm: no });
  expect(declined).toMatchObject({ exitCode: 4, stdout: '' });
  expect(declined.stderr).toMatch(
    /60-xenpt\.rules:\n {2}\| # Written by xenpt.*\n.*\n {2}\| ACTION=="add", .*ATTR{vendor}==/,
  );
  expect([host.dump(), existsSync(host.sysfs.root + FILE)]).toEqual([before, false]);
  const { stdout, stderr } = await run(host, 'assignable add 03:00.0 --persist');
  expect(stdout).toContain(`${RULES} is written\n`);
  expect(stderr).toContain('note: This host has no systemd: have `xenpt assignable restore` run at boot');
  expect(readFileSync(host.sysfs.root + RULES, 'utf8')).toContain('ATTR{driver_override}="pciback"');
  expect((await run(host, 'assignable list')).stdout).toMatch(/KEPT\n.* yes\n$/);
});

test('-N shows the files too, and writes none', async () => {
  const host = fakeHost();
  mkdirSync(`${host.sysfs.root}/etc/systemd/system`, { recursive: true });
  const { stdout } = await run(host, 'assignable add 03:00.0 --persist -N');
  expect(stdout).toContain('  | ExecStart=/usr/bin/node /usr/bin/xenpt assignable restore\n');
  expect(existsSync(host.sysfs.root + FILE)).toBe(false);
  const { files } = parse((await run(host, 'assignable add 03:00.0 --persist -N --json')).stdout);
  expect((files as { path: string }[]).map(({ path }) => path)).toContain(FILE);
});

test('restore at boot; what stays is told on removal, and --persist ends it', async () => {
  const host = fakeHost();
  expect((await run(host, 'assignable restore')).stdout).toMatch(/^No device is kept/);
  await run(host, 'assignable add 03:00.0 --persist');
  expect((await run(host, 'assignable remove 03:00.0')).stderr).toContain('--persist ends that');
  await run(host, 'assignable add 03:00.0');
  expect((await run(host, 'undo')).stderr).toContain('made assignable again after a restart');
  const { stdout: plan } = await run(host, 'assignable restore -N');
  expect(plan).toMatch(/^0000:03:00\.0: nothing is written; this would be done:\n {2}1\. record the driver\n/);
  expect(plan).toContain(`"${CARD}" > /sys/bus/pci/drivers/pciback/bind`);
  expect(await run(host, 'assignable restore --json -N')).toMatchObject({ exitCode: 0 });
  expect(await run(host, 'assignable restore')).toMatchObject({ exitCode: 0, stdout: `${CARD} is assignable.\n` });
  await run(host, 'assignable remove 03:00.0');
  host.sysfs.replace(CARD, { deviceId: 0x1539 });
  const changed = await run(host, 'assignable restore');
  expect([changed.exitCode, changed.stderr]).toEqual([4, expect.stringContaining('deviceId was 0x10d3, is 0x1539')]);
  expect((await run(host, 'assignable remove 03:00.0 --persist')).stdout).toContain(`${FILE} is removed\n`);
  expect(existsSync(host.sysfs.root + RULES)).toBe(false);
});
