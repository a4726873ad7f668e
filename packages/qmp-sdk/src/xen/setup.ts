import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { writeAtomically } from './atomic-file.js';
import { errnoName, XenErrorCode, XenOperationError } from './errors.js';
import type { XenHost } from './host.js';
import { MODEL_UNIT_PATH, modelUnitText } from './model-unit.js';
import { requireRoot } from './require-root.js';
import { domainsWithFolder, readModelProcess } from './model-state.js';

/** What would be written, and run after it. */
export interface SetupPlan {
  /** Only what changes; null: it is removed. */
  readonly files: readonly { readonly path: string; readonly content: string | null }[];
  readonly commands: readonly string[];
  readonly notes: readonly string[];
}

/**
 * Plans to have systemd run the device models from now on, or to have it do so no longer.
 *
 * @throws XenOperationError XENPT_OPTION_REFUSED when models run as units that would be removed
 */
export function planSetup(host: XenHost, { remove = false }: { readonly remove?: boolean } = {}): SetupPlan {
  if (host.services === null) {
    const note = 'This host has no systemd: attach starts device models itself, and restarts them.';
    return { files: [], commands: [], notes: [note] };
  }
  const before = readIfThere(host.sysfs.root + MODEL_UNIT_PATH);
  const content = remove ? null : modelUnitText(host.modelProgram);
  const running = domainsWithFolder(host.runDir).filter((domid) => readModelProcess(host, domid) !== null);
  if (remove && before !== null && running.length > 0) throw stillRunning(running);
  if (before === content) return { files: [], commands: [], notes: [] };
  const notes =
    running.length === 0
      ? []
      : [
          `The device models of ${running.map((domid) => `domain ${domid}`).join(', ')} stay as they were started, ` +
            'until their last device is detached.',
        ];
  return { files: [{ path: MODEL_UNIT_PATH, content }], commands: ['systemctl daemon-reload'], notes };
}

/** @throws XenOperationError XENPT_NOT_ROOT, XENPT_STEP_FAILED */
export async function applySetup(host: XenHost, { files, commands }: SetupPlan): Promise<void> {
  if (files.length === 0) return;
  requireRoot(host, 'install a unit of systemd');
  for (const { path, content } of files) {
    const full = host.sysfs.root + path;
    if (content === null) rmSync(full, { force: true });
    else {
      mkdirSync(dirname(full), { recursive: true });
      writeAtomically(full, content, 0o644);
    }
  }
  for (const command of commands) await host.services?.systemctl(...command.split(' ').slice(1));
}

function stillRunning(domids: readonly number[]): XenOperationError {
  return new XenOperationError(
    XenErrorCode.optionRefused,
    `device models run, of ${domids.map((domid) => `domain ${domid}`).join(', ')}: without the unit nobody would ` +
      'restart them',
    { next: 'Detach their devices first, or end the guests.' },
  );
}

function readIfThere(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (errnoName(error) === 'ENOENT') return null;
    throw error;
  }
}
