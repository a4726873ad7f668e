import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { writeAtomically } from './atomic-file.js';
import { XenErrorCode, XenOperationError } from './errors.js';
import type { ModelClient } from './model-client.js';
import { MODEL_UNIT_PATH, modelUnit, modelUnitText } from './model-unit.js';
import { makeDomainDir, runFile } from './run-dir.js';
import type { Services } from './services.js';
import { type ModelArguments, type SpawnModelOptions, START_TIMEOUT_MS } from './spawn-model.js';

/** Device models as units of systemd, once `xenpt setup` has installed theirs. */
export class ModelService {
  readonly #services: Services;
  readonly #unitPath: string;

  constructor(services: Services, unitPath: string = MODEL_UNIT_PATH) {
    this.#services = services;
    this.#unitPath = unitPath;
  }

  get isInstalled(): boolean {
    return existsSync(this.#unitPath);
  }

  /**
   * Starts a guest's model.
   *
   * @param isReady asked again and again; null: not yet
   * @throws XenOperationError XENPT_MODEL_FAILED, XENPT_MODEL_TIMEOUT, XENPT_STEP_FAILED
   */
  async start(options: SpawnModelOptions, isReady: () => Promise<ModelClient | null>): Promise<ModelClient> {
    const { domid, handle, runDir, sysroot, logDir, clock } = options;
    const unit = modelUnit(domid);
    makeDomainDir(runDir, domid);
    mkdirSync(logDir, { recursive: true, mode: 0o700 });
    const argument: ModelArguments = { domid, handle, runDir, sysroot };
    const path = runFile.service(runDir, domid);
    writeAtomically(path, JSON.stringify(argument), 0o600);
    // A guest before this one may have left it in the state "failed", and its restarts counted.
    await this.#services.systemctl('reset-failed', unit).catch(() => {});
    await this.#services.systemctl('start', unit);
    const deadline = clock.now() + START_TIMEOUT_MS;
    for (;;) {
      const model = await isReady();
      if (model) return model;
      const state = (await this.#services.systemctl('show', '--property=ActiveState', '--value', unit)).trim();
      if (state === 'failed' || state === 'inactive') throw notStarted(options, unit, `it is ${state}`);
      if (clock.now() >= deadline)
        throw notStarted(options, unit, `it did not answer in ${START_TIMEOUT_MS / 1000} s`);
      await clock.sleep(POLL_INTERVAL_MS);
    }
  }

  /** Whether this process is that guest's unit; one that was started before there was a unit is not. */
  async runs(domid: number, pid: number): Promise<boolean> {
    const shown = await this.#services.systemctl('show', '--property=MainPID', '--value', modelUnit(domid));
    return Number(shown) === pid;
  }

  /**
   * Ends the process at work, for systemd to start the installed one.
   *
   * @throws XenOperationError XENPT_UPGRADE_REFUSED when the unit starts another program than the installed one
   */
  async restart(options: SpawnModelOptions): Promise<void> {
    if (readFileSync(this.#unitPath, 'utf8') !== modelUnitText(options)) {
      throw new XenOperationError(
        XenErrorCode.upgradeRefused,
        `${this.#unitPath} starts another program than the installed one`,
        { next: 'Run xenpt setup, then this again.' },
      );
    }
    await this.#services.systemctl('kill', '--signal=KILL', modelUnit(options.domid));
  }
}

const POLL_INTERVAL_MS = 100;

function notStarted({ domid, logDir }: SpawnModelOptions, unit: string, why: string): XenOperationError {
  return new XenOperationError(
    XenErrorCode.modelFailed,
    `the device model of domain ${domid} was not started by ${unit}: ${why}`,
    { next: `See systemctl status ${unit}, and ${logDir}/domain-${domid}.log.` },
  );
}
