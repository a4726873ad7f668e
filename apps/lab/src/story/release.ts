import { setTimeout as sleep } from 'node:timers/promises';
import type { Lab } from '../lab.js';
import { LabError, LabErrorCode } from '../errors.js';

/** A command that prints the process id of a domain's device model; the shell that restarts it has the same words. */
export function modelPid(domid: number): string {
  return `pgrep -f '^[^ ]*node .*[m]odel-main.*("domid":${domid},|/domain-${domid}/service)'`;
}

/** Waits until xenpt holds nothing more of a domain: its device model has ended and its record is gone. */
export async function releasedWithin(lab: Lab, domid: number, timeoutMs: number): Promise<void> {
  const untilMs = performance.now() + timeoutMs;
  let left = '';
  while (performance.now() < untilMs) {
    const { stdout } = await lab.exec(`ls -d /run/xenpt/domain-${domid} 2>/dev/null; ${modelPid(domid)}`);
    left = stdout.trim();
    if (left === '') return;
    await sleep(500);
  }
  throw new LabError(LabErrorCode.guestTimeout, `xenpt still holds something of domain ${domid}: ${left}`, {
    consoles: lab.consoles(),
  });
}

/** One register as `xenpt guest-view --json` tells it. */
export interface ComparedRegister {
  readonly offset: number;
  readonly guest: number;
  readonly host: number;
}

/** The registers of the document that `xenpt guest-view --json` prints. */
export function parseComparison(document: unknown): readonly ComparedRegister[] {
  const { view } = document as { view?: { registers: readonly ComparedRegister[] } };
  return view?.registers ?? [];
}
