import { type GuestModel, serveDomain, type ServeDomainOptions } from '../../../src/xen/index.js';
import { realClock } from '../../../src/xen/open-host.js';
import { type FakeHost, fakeDomain } from '../../../src/xen/testing/index.js';

/** Says yes to everything and keeps a list of it. */
export function quietModel(): { readonly model: GuestModel; readonly calls: string[] } {
  const calls: string[] = [];
  const note = (call: string) => {
    calls.push(call);
    return Promise.resolve();
  };
  const view = { guest: new Uint8Array(256), host: new Uint8Array(256), bars: [], vectors: [] };
  const model: GuestModel = {
    attach: ({ sbdf }) => note(`attach ${sbdf}`).then(() => ({ pirq: null, hidden: [], vectors: 1 })),
    detach: (sbdf) => note(`detach ${sbdf}`),
    view: () => Promise.resolve(view),
    status: () => ({ requests: {}, deniedWrites: 0, effects: {}, devices: [] }),
    expectEjects: () => note('expectEjects').then(() => 0),
    ignoreEjects: () => note('ignoreEjects'),
    domainDied: () => note('domainDied'),
    close: () => note('close'),
    onExit: new Promise(() => {}),
  };
  return { model, calls };
}

/** For domain 5 of a host, but for the model itself. */
export function serviceOf(host: FakeHost, log: string[] = []): Omit<ServeDomainOptions, 'startModel' | 'onServing'> {
  return {
    domid: 5,
    handle: fakeDomain(5).handle,
    runDir: host.runDir,
    toolstack: host.toolstack,
    store: host.store,
    sysfs: host.sysfs,
    clock: { now: () => realClock.now() * 100, sleep: () => realClock.sleep(1) },
    processes: { pid: 100, isAlive: (pid) => pid === 100 },
    version: '0.1.0',
    startedAtMs: 0,
    log: (line) => void log.push(line),
  };
}

/** A model that serves domain 5; `end` is how it ended. */
export async function startServing(host: FakeHost, log: string[]) {
  const { model, calls } = quietModel();
  let onServing = () => {};
  const serving = new Promise<void>((resolve) => (onServing = resolve));
  const end = serveDomain({ ...serviceOf(host, log), startModel: () => Promise.resolve(model), onServing });
  await serving;
  return { calls, end };
}
