import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { XenErrorCode, XenOperationError } from './errors.js';

/** systemd of this host. */
export interface Services {
  /** Runs `systemctl` with these words; what it printed. Throws XENPT_STEP_FAILED with what it complained about. */
  systemctl(...words: readonly string[]): Promise<string>;
}

const TIMEOUT_MS = 60_000;
/** What sd_booted(3) looks at. */
const BOOTED = '/run/systemd/system';

/** Null where something else is process 1. */
export function openServices(): Services | null {
  return existsSync(BOOTED) ? realServices : null;
}

export const realServices: Services = {
  systemctl: (...words) =>
    new Promise((resolve, reject) => {
      execFile('systemctl', words, { timeout: TIMEOUT_MS }, (error, stdout, stderr) => {
        if (error === null) resolve(stdout);
        else reject(failed(words, stderr.trim() === '' ? error.message : stderr.trim(), error));
      });
    }),
};

function failed(words: readonly string[], why: string, cause: unknown): XenOperationError {
  const line = `systemctl ${words.join(' ')}`;
  return new XenOperationError(XenErrorCode.stepFailed, `${line}: ${why}`, {
    cause,
    next: `Run it by hand: ${line}`,
  });
}
