import { setTimeout as sleep } from 'node:timers/promises';
import { runHumanMonitorCommand } from '../helpers/human-monitor.js';
import type { QmpMonitor } from '../helpers/monitor.js';
import { keep } from '../helpers/observer.js';
import { XenErrorCode, XenOperationError } from './errors.js';
import type { ModelClient } from './model-client.js';

/** As in `eject-port.ts` of the device model. QEMU ejects one slot per write: the lowest. */
const EJECT_PORT = '0xae08';
const SLOT_COUNT = 32;
const POLL_INTERVAL_MS = 100;

type Ejects = Pick<ModelClient, 'expectEjects'>;

/**
 * Has the model take the guest's ejects while `work` runs, so that the guest finds an empty slot from its eject on, and
 * gives them to QEMU, whose placeholder goes by them. What an earlier command did not come to give is given first.
 *
 * @throws what the model, the monitor and `work` throw
 */
export async function passOnEjects(model: Ejects, monitor: QmpMonitor, work: () => Promise<void>): Promise<void> {
  const pending = await model.expectEjects(0);
  await give(monitor, pending);
  const done = new AbortController();
  const passing = keep(passUntil(done.signal, model, monitor, pending));
  // When passing fails first, nobody waits for it any more.
  const working = keep(work());
  try {
    await Promise.race([working, passing]);
  } finally {
    done.abort();
  }
  await passing;
}

/** What was given is told to the model with the next question, so that a command that dies leaves nothing ungiven. */
async function passUntil(done: AbortSignal, model: Ejects, monitor: QmpMonitor, pending: number): Promise<void> {
  let given = pending;
  while (!done.aborted) {
    given = await model.expectEjects(given);
    await give(monitor, given);
    await sleep(POLL_INTERVAL_MS, undefined, { signal: done }).catch(() => {});
  }
  await model.expectEjects(given);
}

/** Does in QEMU what the guest's `_EJ0` has done; QMP has no command for it. */
async function give(monitor: QmpMonitor, slots: number): Promise<void> {
  for (let slot = 0; slot < SLOT_COUNT; slot += 1) {
    if ((slots & (1 << slot)) !== 0) await giveEject(monitor, slot);
  }
}

/** @throws XenOperationError XENPT_STEP_FAILED if QEMU does not take it */
export async function giveEject(monitor: QmpMonitor, slot: number): Promise<void> {
  const bit = (1 << slot) >>> 0;
  const answer = await runHumanMonitorCommand(monitor, `o /w ${EJECT_PORT} 0x${bit.toString(16)}`);
  if (answer.trim() !== '') throw notTaken(slot, answer.trim());
}

function notTaken(slot: number, answer: string): XenOperationError {
  return new XenOperationError(
    XenErrorCode.stepFailed,
    `the guest has ejected slot ${slot.toString(16)}, and its QEMU does not take it: ${answer}`,
    { next: 'Look into the log of its QEMU, /var/log/xen/qemu-dm-*.log.' },
  );
}
