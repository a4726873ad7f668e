import { afterEach } from 'vitest';
import { addAssignable, XenOperationError } from '../../src/xen/index.js';
import { createFakeHost, type FakeHost, type FakeHostOptions } from '../../src/xen/testing/index.js';

const open: FakeHost[] = [];
afterEach(() => {
  for (const host of open.splice(0)) host.close();
});

export const CARD = '0000:03:00.0';

export function hostWith(options: FakeHostOptions = {}): FakeHost {
  const host = createFakeHost(options);
  open.push(host);
  return host;
}

/** A host whose card is assignable. */
export async function readyHost(options: FakeHostOptions = {}): Promise<FakeHost> {
  const host = hostWith(options);
  await addAssignable(host, CARD);
  return host;
}

/** The error of an operation that has to fail. */
export async function failure(promise: Promise<unknown>): Promise<XenOperationError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof XenOperationError) return error;
    throw error;
  }
  throw new Error('it did not fail');
}

/** Makes `operation` fail at each of its calls in turn, each time on a host of its own. */
export async function eachFailingCall(
  prepare: () => Promise<FakeHost>,
  operation: (host: FakeHost) => Promise<unknown>,
  check: (host: FakeHost, before: string[], error: unknown, call: string) => void | Promise<void>,
): Promise<number> {
  const rehearsal = await prepare();
  const first = rehearsal.journal.calls.length;
  await operation(rehearsal);
  const count = rehearsal.journal.calls.length - first;
  for (let index = 0; index < count; index++) {
    const host = await prepare();
    const before = host.dump();
    host.journal.failAt(index);
    const error = await operation(host).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    const call = rehearsal.journal.calls[first + index] ?? '';
    await check(host, before, error, call);
  }
  return count;
}
