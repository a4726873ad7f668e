import { QmpClosedError } from '../qmp/errors.js';
import type { QmpMonitor, WaitOptions } from './monitor.js';
import { raceTimer } from './observer.js';

const GRACE_MS = 60_000;

/**
 * Ends QEMU at once, as if the power were cut. Resolves when the connection has ended, which may be before the
 * reply.
 *
 * @throws QmpTimeoutError when QEMU does not answer.
 */
export async function quit(monitor: QmpMonitor): Promise<void> {
  try {
    await monitor.raw('quit');
  } catch (error) {
    // The end of the connection is the answer as well.
    if (!(error instanceof QmpClosedError) || !error.sent) throw error;
  }
  await monitor.closed;
}

/**
 * Presses the power button and waits until the guest has shut down and QEMU has ended; ends it with {@link quit}
 * when the guest takes longer than `graceMs`.
 *
 * @returns whether the guest shut down by itself.
 * @throws QmpAbortedError at the signal: the button stays pressed, QEMU is not ended.
 */
export async function shutDown(
  monitor: QmpMonitor,
  options: Pick<WaitOptions, 'signal'> & { readonly graceMs?: number } = {},
): Promise<boolean> {
  const { graceMs = GRACE_MS, signal } = options;
  await monitor.raw('system_powerdown', {}, signal ? { signal } : {});
  const ended = await raceTimer(monitor.closed, graceMs, signal, 'the guest to shut down');
  if (ended !== undefined) return true;
  await quit(monitor);
  return false;
}
