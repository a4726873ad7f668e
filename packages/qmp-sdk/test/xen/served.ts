import { join } from 'node:path';
import {
  type FunctionView,
  type GuestModel,
  serveDomain,
  type ServeDomainOptions,
  type ServeEnd,
} from '../../src/xen/index.js';
import { connectModel } from '../../src/xen/model-connection.js';
import { realClock } from '../../src/xen/open-host.js';
import { type FakeHost, fakeDomain } from '../../src/xen/testing/index.js';
import { readyHost } from './hosts.js';

export const { handle } = fakeDomain(5);
export const VIEW: FunctionView = {
  guest: Uint8Array.from({ length: 256 }, (_, index) => index),
  host: new Uint8Array(256).fill(0xff),
  bars: [{ index: 0, kind: 'memory', guestAddress: 0xffff_ffff_f000n, mapped: false, refusal: 'overlap', rounds: 3 }],
  vectors: Array.from({ length: 2048 }, (_, index) => ({ index, bound: true, pirq: index, masked: false })),
};

export interface Served {
  readonly host: FakeHost;
  readonly end: Promise<ServeEnd>;
  readonly calls: string[];
  readonly log: string[];
  readonly folder: string;
  readonly socket: string;
  readonly fail: (error: Error) => void;
}

/** A model process inside this one, with a model that only keeps a diary. */
interface Changes extends Partial<Pick<ServeDomainOptions, 'giveAgain' | 'isRestarted'>> {
  readonly handle?: string;
  readonly pid?: number;
  readonly host?: FakeHost;
  readonly attach?: GuestModel['attach'];
  readonly standby?: boolean;
  readonly alive?: readonly number[];
}

export async function serve(changes: Changes = {}): Promise<Served> {
  const host = changes.host ?? (await readyHost());
  const calls: string[] = [];
  const log: string[] = [];
  let fail: (error: Error) => void = () => {};
  const note = (call: string) => {
    calls.push(call);
    return Promise.resolve();
  };
  const model: GuestModel = {
    attach: async ({ sbdf, guestDevfn, romImage, expansionRom }) => {
      const rom = romImage ? ` ROM ${romImage.join(' ')}` : expansionRom === false ? ' no ROM' : '';
      await note(`attach ${sbdf} ${guestDevfn}${rom}`);
      return { pirq: null, hidden: [], vectors: 1 };
    },
    detach: (sbdf) =>
      Promise.reject(
        Object.assign(new Error(`${sbdf} is not attached`), { code: 'DEVICE_MODEL_NOT_ATTACHED', next: 'Look.' }),
      ),
    view: () => Promise.resolve(VIEW),
    expectEjects: async (passedOn) => {
      await note(`expectEjects ${passedOn}`);
      return 0x20 & ~passedOn;
    },
    ignoreEjects: () => note('ignoreEjects'),
    status: () => ({ requests: {}, deniedWrites: 0, effects: {}, devices: [] }),
    domainDied: () => note('domainDied'),
    close: () => note('close'),
    onExit: new Promise((resolve) => (fail = (error) => resolve({ error }))),
    ...(changes.attach && { attach: changes.attach }),
  };
  const pid = changes.pid ?? 100;
  let isServing = false;
  const end = serveDomain({
    domid: 5,
    handle: changes.handle ?? handle,
    runDir: host.runDir,
    toolstack: host.toolstack,
    store: host.store,
    sysfs: host.sysfs,
    clock: { now: () => realClock.now() * 100, sleep: () => realClock.sleep(1) },
    processes: { pid, isAlive: (other) => (changes.alive ?? [100]).includes(other) },
    standby: changes.standby ?? false,
    startModel: ({ vcpuCount, statePath }) => {
      if (statePath !== join(host.runDir, 'domain-5', `state-${handle}`)) throw new Error(statePath);
      return note(`start ${vcpuCount}`).then(() => model);
    },
    version: '0.1.0',
    startedAtMs: 1_795_000_000_000,
    ...(changes.giveAgain ? { giveAgain: changes.giveAgain } : {}),
    ...(changes.isRestarted ? { isRestarted: changes.isRestarted } : {}),
    onServing: () => (isServing = true),
    log: (line) => log.push(line),
  });
  const folder = join(host.runDir, 'domain-5');
  const socket = join(folder, 'control.sock');
  await Promise.race([until(() => isServing), end.catch(() => {})]);
  return { host, end, calls, log, folder, socket, fail: (error) => fail(error) };
}

export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}

export async function connected(socket: string) {
  const model = await connectModel(socket);
  if (!model) throw new Error('nobody listens');
  return model;
}
