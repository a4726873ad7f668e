import { existsSync } from 'node:fs';
import { formatSbdf, type Sbdf } from '@xenpt/pci';
import type { EffectiveOptions, ServingModel } from './attach-options.js';
import { publishDevice } from './device-nodes.js';
import { describeGrant, formatGrantRecord, type Grant, type GrantRecord, permissionCall } from './grants.js';
import type { XenHost } from './host.js';
import type { HandOver } from './hand-over.js';
import { libxlDevice } from './libxl-config.js';
import { placeholder } from './hot-plug.js';
import { qemuDevice } from './qemu-model.js';
import { claimInUse } from './in-use.js';
import type { AttachParams } from './model-protocol.js';
import { describePlan, type OperationPlan, type PlanStep } from './operation-plan.js';
import { sysfsPath } from './paths.js';
import type { Rehearsal } from './rehearsal.js';
import { runFile } from './run-dir.js';
import { formatGuestAddress } from './spec.js';
import type { SetAside } from './verdict-check.js';

/** What `attach` has settled before it changes something. */
export interface AttachPlan extends HandOver {
  readonly sbdf: Sbdf;
  readonly model: ServingModel;
  readonly effective: EffectiveOptions;
  readonly grants: readonly Grant[];
  /** The in-use marker of a domain that is gone, to be replaced. */
  readonly staleUser: number | undefined;
  readonly resettable: boolean;
  readonly setAside: readonly SetAside[];
  readonly warnings: readonly string[];
}

/** What the device model is asked for. */
export function modelRequest({ name: sbdf, guestDevfn, options }: HandOver): AttachParams {
  const { permissive, allow = [], expansionRom, romImage } = options;
  return {
    sbdf,
    guestDevfn,
    ...(allow.length > 0 ? { allow: [...allow] } : {}),
    ...(permissive ? { permissive } : {}),
    ...(romImage ? { rom: 'file' as const } : expansionRom === false ? { rom: 'off' as const } : {}),
  };
}

/** What stands in the record of grants while the device is being attached, and afterwards. */
export function grantRecordOf(
  { name, guestDevfn, grants, setAside, model, recordedOptions }: AttachPlan,
  state: 'attaching' | 'attached',
  announced: boolean = false,
): GrantRecord {
  const overrides = [...new Set(setAside.map(({ override }) => override))];
  return {
    sbdf: name,
    guestDevfn,
    state,
    grants,
    ...(announced ? { announced } : {}),
    ...(overrides.length > 0 ? { overrides } : {}),
    ...(recordedOptions ? { options: recordedOptions } : {}),
    ...(model === 'qemu' ? { model } : {}),
  };
}

/** The steps of `attach`, each under the name that it has there, with what it writes where. */
export function describeAttach(host: XenHost, plan: AttachPlan, rehearsal: Rehearsal): OperationPlan {
  const { domain, sbdf, name, guestDevfn, grants, options, staleUser } = plan;
  const { domid } = domain;
  const { runDir } = host;
  const recordFile = runFile.grants(runDir, domid);
  const monitor = host.monitors.control(domid);
  const hasMonitor = existsSync(monitor);
  const record = (state: 'attaching' | 'attached'): string[] => [
    `${formatGrantRecord(grantRecordOf(plan, state, state === 'attached' && hasMonitor))} > ${recordFile}`,
  ];
  const model = runFile.socket(runDir, domid);
  const start: PlanStep = {
    title: 'start the device model',
    writes: [`a process for domain ${domid}, which asks Xen for an ioreq server`],
  };
  const rom: PlanStep = {
    title: 'lay out the ROM',
    writes: [`${options.romImage?.length ?? 0} bytes > ${runFile.rom(runDir, domid)}`],
  };
  const plug: PlanStep = {
    title: "have the guest's QEMU plug it",
    writes: [`device_add ${JSON.stringify(qemuDevice(plan))} > ${monitor}`],
  };
  const configFile = host.libxlConfig.file(domid, domain.info.handle);
  const keep: PlanStep = {
    title: 'have xl plug it again when the guest restarts',
    writes: existsSync(configFile) ? [`pcidevs: ${JSON.stringify(libxlDevice(plan))} > ${configFile}`] : [],
  };
  const served: PlanStep[] = [
    { title: 'look for the device model of the guest', writes: [] },
    ...(rehearsal.models.has(domid) ? [] : [start]),
    ...(options.romImage ? [rom] : []),
    {
      title: 'hand the device to the device model',
      writes: [
        `attach ${JSON.stringify(modelRequest(plan))} > ${model}`,
        `the model: Xen sends it what the guest asks of ${formatGuestAddress(guestDevfn)}`,
      ],
    },
    {
      title: 'announce it to the guest',
      writes: hasMonitor ? [`device_add ${JSON.stringify(placeholder(guestDevfn))} > ${monitor}`] : [],
    },
  ];
  const steps: PlanStep[] = [
    { title: 'record what will be granted', writes: record('attaching') },
    {
      title: 'mark the device as in use',
      writes: rehearsal.writes((store) => void claimInUse(store, sbdf, domid, staleUser)),
    },
    ...(plan.resettable ? [{ title: 'reset the device', writes: [`"1" > ${sysfsPath.reset(sbdf)}`] }] : []),
    ...grants.map((grant) => ({
      title: `allow ${describeGrant(grant)}`,
      writes: [permissionCall(domid, grant, true)],
    })),
    { title: 'assign the device to the domain', writes: [`xc_assign_device domain ${domid} ${name}`] },
    ...(plan.model === 'qemu' ? [plug, keep] : served),
    {
      title: 'publish it in xenstore',
      writes: rehearsal.writes((store) => publishDevice(store, domid, { sbdf, guestDevfn, options: plan.effective })),
    },
    { title: 'record that it is attached', writes: record('attached') },
  ];
  if (plan.model !== 'qemu') rehearsal.models.add(domid);
  return describePlan(formatSbdf(sbdf), steps);
}
