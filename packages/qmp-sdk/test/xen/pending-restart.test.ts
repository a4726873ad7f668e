import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { attach, type GiveAgain } from '../../src/xen/index.js';
import { fakeDomain } from '../../src/xen/testing/index.js';
import { CARD, readyHost } from './hosts.js';
import { connected, handle, serve, type Served } from './served.js';

/** Has the domain shut down with a code, and then destroyed. */
async function shutDown({ host }: Served, code: number): Promise<void> {
  host.toolstack.domains.set(5, fakeDomain(5, { flags: { shutdown: true }, shutdownCode: code }));
  host.store.fire('@releaseDomain');
  host.models.kill(5);
  host.toolstack.destroyDomain(5);
  host.store.remove('/local/domain/0/backend/pci/5');
  host.store.remove('/libxl/pci/0000-03-00-0/domid');
  await Promise.resolve();
  host.store.fire('@releaseDomain');
}

/** Stands for the attach to the domain that comes: says what it was asked, in order. */
function diary(events: string[], folder: () => string): GiveAgain {
  return async (of, { released }) => {
    events.push(`wait for ${of}`);
    await released;
    events.push(`give, old folder ${existsSync(folder()) ? 'there' : 'gone'}`);
  };
}

test('a domain that shuts down for a restart is waited for, and what it had is given when it is free', async () => {
  const host = await readyHost();
  await attach(host, { domain: '5', spec: CARD });
  const events: string[] = [];
  const giveAgain = diary(events, () => join(host.runDir, 'domain-5'));
  const served = await serve({ host, giveAgain, isRestarted: (code) => code === 1 });
  await shutDown(served, 1);
  expect(await served.end).toBe('domain-gone');
  // The folder is there until the end, so that a process that is killed is started again.
  expect(events).toEqual([`wait for ${handle}`, 'give, old folder there']);
  expect(served.log).toContain('domain 5 restarts');
  expect(existsSync(served.folder)).toBe(false);
});

test.each([
  ['shut down for good', (served: Served) => shutDown(served, 0)],
  [
    'destroyed while it ran',
    ({ host }: Served) => {
      host.models.kill(5);
      host.toolstack.destroyDomain(5);
      host.store.fire('@releaseDomain');
      return Promise.resolve();
    },
  ],
])(
  'a domain that was %s is not waited for',
  async (_name, finish) => {
    const host = await readyHost();
    await attach(host, { domain: '5', spec: CARD });
    const events: string[] = [];
    const served = await serve({ host, giveAgain: diary(events, () => ''), isRestarted: (code) => code === 1 });
    await finish(served);
    expect(await served.end).toBe('domain-gone');
    expect(events).toEqual([]);
    expect(existsSync(join(host.runDir, 'restart'))).toBe(false);
  },
  30_000,
);

test('a restart is not waited for any more when the last device was detached meanwhile', async () => {
  const host = await readyHost();
  await attach(host, { domain: '5', spec: CARD });
  let signal: AbortSignal | undefined;
  const giveAgain: GiveAgain = (_handle, options) => {
    ({ signal } = options);
    return options.released;
  };
  const served = await serve({ host, giveAgain, isRestarted: () => true });
  host.toolstack.domains.set(5, fakeDomain(5, { flags: { shutdown: true }, shutdownCode: 1 }));
  host.store.fire('@releaseDomain');
  await (await connected(served.socket)).shutdown();
  expect(await served.end).toBe('shutdown');
  expect([signal?.aborted, existsSync(join(host.runDir, 'restart', `${handle}.json`))]).toEqual([true, false]);
});
