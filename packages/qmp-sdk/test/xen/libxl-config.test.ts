import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { findDomain } from '../../src/xen/domains.js';
import { forgetInLibxl, libxlDevice, readLibxlConfig, rememberInLibxl } from '../../src/xen/libxl-config.js';
import { type FakeHost, fakeDomain } from '../../src/xen/testing/index.js';
import { CARD, failure, readyHost } from './hosts.js';

const { handle } = fakeDomain(5);
const device = libxlDevice({ name: CARD, guestDevfn: 0x30, options: {}, recordedOptions: undefined });

async function hostWith(text: string | undefined): Promise<{ host: FakeHost; path: string; read: () => string }> {
  const host = await readyHost();
  const path = host.libxlConfig.file(5, handle);
  if (text !== undefined) writeFileSync(path, text);
  return { host, path, read: () => readFileSync(path, 'utf8') };
}

test('a device is written as libxl has it, its end included, and taken out again; the rest stays', async () => {
  const before = { c_info: { type: 'hvm', name: 'guest5' }, pcidevs: [{ bus: 4, vdevfn: 40 }], on_reboot: 'restart' };
  const { host, path, read } = await hostWith(`${JSON.stringify(before)}\0`);
  const domain = findDomain(host, '5');
  await rememberInLibxl(host, domain, device);
  await rememberInLibxl(host, domain, device);
  expect(read().endsWith('}\n\0')).toBe(true);
  expect(readLibxlConfig(path)).toEqual({
    ...before,
    pcidevs: [
      { bus: 4, vdevfn: 40 },
      { domain: 0, bus: 3, dev: 0, func: 0, vdevfn: 0x30, rdm_policy: 'strict' },
    ],
  });
  await forgetInLibxl(host, domain, CARD);
  expect(readLibxlConfig(path)).toEqual(before);
  expect(existsSync(host.libxlConfig.lock(5, handle))).toBe(false);
});

test('the last device takes the list with it; options are libxl’s', async () => {
  const { host, path } = await hostWith('{"on_reboot":"restart"}\0');
  const domain = findDomain(host, '5');
  const opened = libxlDevice({
    name: '0001:03:00.0',
    guestDevfn: 0x30,
    options: { permissive: true },
    recordedOptions: { rdmPolicy: 'relaxed' },
  });
  await rememberInLibxl(host, domain, opened);
  expect(readLibxlConfig(path)?.pcidevs).toMatchObject([{ domain: 1, permissive: true, rdm_policy: 'relaxed' }]);
  await forgetInLibxl(host, domain, CARD);
  expect(readLibxlConfig(path)?.pcidevs).toHaveLength(1);
  await forgetInLibxl(host, domain, '0001:03:00.0');
  expect(readLibxlConfig(path)).toEqual({ on_reboot: 'restart' });
});

test.each([
  ['no file', undefined, /no configuration of libxl/],
  ['what is no JSON', '{"pcidevs":', /cannot be read/],
  ['a list that is none', '{"pcidevs":7}', /cannot be read/],
  ['a number that a double does not hold', '{"max":18446744073709551615}', /not exact/],
  ['a fraction', '{"max":1.5}', /not exact/],
])('%s: refused, and left as it is', async (_name, text, message) => {
  const { host, path } = await hostWith(text);
  const domain = findDomain(host, '5');
  expect(await failure(rememberInLibxl(host, domain, device))).toMatchObject({
    code: 'XENPT_STEP_FAILED',
    message: expect.stringMatching(message) as string,
  });
  await forgetInLibxl(host, domain, CARD);
  expect(existsSync(path) ? readFileSync(path, 'utf8') : undefined).toBe(text);
});

test('digits in a text are no number', async () => {
  const { host, path } = await hostWith('{"name":"a \\"12345678901234567890"}');
  await rememberInLibxl(host, findDomain(host, '5'), device);
  expect(readLibxlConfig(path)?.['name']).toBe('a "12345678901234567890');
});
