import { addAssignable, removeAssignable } from '../../src/xen/index.js';
import { type FakeHost, type FakeHostOptions, fakeNetworkCard } from '../../src/xen/testing/index.js';
import { CARD, hostWith } from './hosts.js';

/** Every step: a driver, an override to take away, no slot yet. */
export const options: FakeHostOptions = { functions: [{ ...fakeNetworkCard, driverOverride: 'e1000e' }] };
export const OUR_PID = 4711;
export const NEXT_PID = 4712;

export interface Operation {
  readonly prepare: () => Promise<FakeHost>;
  readonly run: (host: FakeHost) => Promise<unknown>;
}

export const operations: Readonly<Record<'add' | 'remove', Operation>> = {
  add: {
    prepare: () => Promise.resolve(hostWith(options)),
    run: (host) => addAssignable(host, CARD),
  },
  remove: {
    prepare: async () => {
      const host = hostWith(options);
      await addAssignable(host, CARD);
      return host;
    },
    run: (host) => removeAssignable(host, CARD),
  },
};

/** The fault points that an operation passes, in order. */
export async function faultPoints({ prepare, run }: Operation): Promise<string[]> {
  const host = await prepare();
  const points: string[] = [];
  host.faultPoint = (point) => void points.push(point);
  await run(host);
  delete host.faultPoint;
  return points;
}

/** As SIGKILL at that point: nothing of the operation goes on, and its process is gone. */
export async function kill(host: FakeHost, operation: () => Promise<unknown>, at: string): Promise<FakeHost> {
  await new Promise<void>((resolve, reject) => {
    host.faultPoint = (point) => {
      if (point !== at) return undefined;
      resolve();
      return new Promise(() => {});
    };
    operation().then(() => reject(new Error(`${at} was not passed`)), reject);
  });
  delete host.faultPoint;
  return afterDeath(host, OUR_PID);
}

/** The same host, for the next process. */
export function afterDeath(host: FakeHost, pid: number): FakeHost {
  host.processList.kill(pid);
  const next = pid + 1;
  host.processList.start(next, ['node', 'test'], '2000');
  return Object.create(host, {
    processes: { value: { pid: next, isAlive: (other: number) => host.processList.startedAt(other) !== null } },
    faultPoint: { value: undefined, writable: true },
  }) as FakeHost;
}
