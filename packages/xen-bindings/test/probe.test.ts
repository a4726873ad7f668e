import { afterEach, beforeAll, expect, it } from 'vitest';
import { readHypervisor } from '../src/libraries.js';
import { probe } from '../src/probe.js';
import { ensureAddon } from './support/build.js';
import { FakeXen } from './support/fake-xen.js';

let fake: FakeXen | undefined;
beforeAll(ensureAddon);
afterEach(() => fake?.remove());

it.skipIf(readHypervisor() !== null)('says that no Xen runs here', () => {
  const { hypervisor, usable, missing, libraries, deviceNodes } = probe();
  expect(hypervisor).toBeNull();
  expect(usable).toBe(false);
  expect(missing[0]).toMatch(/^Xen is not running\. Next step: boot this machine under Xen/);
  expect(libraries.map(({ name }) => name)).toEqual([
    'libxenevtchn',
    'libxenforeignmemory',
    'libxendevicemodel',
    'libxenctrl',
    'libxenstore',
  ]);
  for (const { soname, error } of libraries) expect(soname === null).toBe(error !== null);
  expect(deviceNodes.map(({ path }) => path)).toContain('/dev/xen/privcmd');
});

it('names the libraries it loaded, and calls nothing in them', async () => {
  fake = await FakeXen.create();
  const { libraries } = await fake.run(({ xen }) => xen.probe(), null);
  expect(libraries.map(({ soname }) => soname)).toEqual([
    'libxenevtchn.so.1',
    'libxenforeignmemory.so.1',
    'libxendevicemodel.so.1',
    expect.stringMatching(/^libxenctrl\.so\.4\.\d+$/),
    'libxenstore.so.4',
  ]);
  expect(fake.allCalls()).toEqual([]);
});
