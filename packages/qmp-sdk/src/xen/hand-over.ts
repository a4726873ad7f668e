import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { modelRequest } from './attach-plan.js';
import type { SettledOptions } from './attach-options.js';
import { XenptError } from '../errors.js';
import type { Domain } from './domains.js';
import { describeError, XenErrorCode } from './errors.js';
import type { RecordedOptions } from './grants.js';
import type { XenHost } from './host.js';
import { plugPlaceholder, withdrawPlaceholder } from './hot-plug.js';
import type { AttachedFunction, ModelClient } from './model-client.js';
import { runFile } from './run-dir.js';
import type { Steps } from './steps.js';

/** A device that is the domain's already, and what shows it to the guest. */
export interface HandOver {
  readonly domain: Domain;
  readonly name: string;
  readonly guestDevfn: number;
  readonly options: SettledOptions;
  readonly recordedOptions: RecordedOptions | undefined;
}

/** What the guest got, and from whom. */
export interface Handed {
  readonly attached: Omit<AttachedFunction, 'vectors'> & {
    /** Message vectors that the guest may use; null where QEMU does not tell. */
    readonly vectors: number | null;
  };
  readonly modelStarted: boolean;
  readonly announced: boolean;
  readonly warnings: readonly string[];
  /** To be called when nothing can be undone any more. */
  readonly close: () => void;
}

/** Gives the device to our device model, which is started if need be, and has QEMU tell the guest. */
export async function handToModel(host: XenHost, plan: HandOver, steps: Steps): Promise<Handed> {
  const { domain, guestDevfn } = plan;
  const { model, started } = await connectOrStart(host, domain, steps);
  const attached = await handOver(host, plan, model, steps);
  const hotPlugged = await steps.run(
    'announce it to the guest',
    () => announce(host, plan),
    ({ announced }) => (announced ? withdrawPlaceholder(host, domain, guestDevfn) : undefined),
  );
  return { attached, modelStarted: started, ...hotPlugged, close: () => model.close() };
}

type HotPlugged = Pick<Handed, 'announced' | 'warnings'>;

/** A guest that cannot be told can look for itself: no reason to take the device away again. */
async function announce(host: XenHost, { domain, guestDevfn }: HandOver): Promise<HotPlugged> {
  try {
    await plugPlaceholder(host, domain, guestDevfn);
    return { announced: true, warnings: [] };
  } catch (error) {
    // Only QEMU may fail here, not Xen.
    if (!(error instanceof XenptError)) throw error;
    const why = `The guest cannot be told of the device, nor asked for it back: ${describeError(error)}`;
    const isQuiet = error.code === XenErrorCode.noMonitor && domain.info.flags.paused;
    return { announced: false, warnings: isQuiet ? [] : [why] };
  }
}

/** The ROM goes by a file that only we may read: requests are short. */
async function handOver(
  { runDir }: XenHost,
  plan: HandOver,
  model: ModelClient,
  steps: Steps,
): Promise<AttachedFunction> {
  const { domain, name: sbdf } = plan;
  const { romImage } = plan.options;
  const romFile = runFile.rom(runDir, domain.domid);
  const keptFile = runFile.keptRom(runDir, domain.domid, sbdf);
  const removeRom = () => [romFile, keptFile].forEach((path) => rmSync(path, { force: true }));
  if (romImage) {
    await steps.run('lay out the ROM', () => writeFileSync(romFile, romImage, { mode: 0o600 }), removeRom);
  }
  const attached = await steps.run(
    'hand the device to the device model',
    () => model.attach(modelRequest(plan)),
    () => model.detach(sbdf),
  );
  if (plan.recordedOptions?.rom === 'file') renameSync(romFile, keptFile);
  else removeRom();
  return attached;
}

async function connectOrStart(
  host: XenHost,
  { domid, info }: Domain,
  steps: Steps,
): Promise<{ model: ModelClient; started: boolean }> {
  const running = await steps.run(
    'look for the device model of the guest',
    () => host.connectModel(domid, info.handle),
    (client) => client?.close(),
  );
  if (running) return { model: running, started: false };
  const model = await steps.run(
    'start the device model',
    () => host.startModel(domid, info.handle),
    async (client) => {
      await client.shutdown();
      client.close();
    },
  );
  return { model, started: true };
}
