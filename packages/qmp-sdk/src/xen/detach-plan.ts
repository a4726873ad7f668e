import { existsSync } from 'node:fs';
import { parseSbdf, type Sbdf } from '@xenpt/pci';
import { withdrawDevice } from './device-nodes.js';
import type { Domain } from './domains.js';
import { describeGrant, formatGrantRecord, type GrantRecord, permissionCall, readGrants } from './grants.js';
import { DOMID_IO, type XenHost } from './host.js';
import { placeholderId } from './hot-plug.js';
import { releaseInUse } from './in-use.js';
import { describePlan, type OperationPlan, type PlanStep } from './operation-plan.js';
import { sysfsPath } from './paths.js';
import { isOnPciback } from './pciback.js';
import { qemuDeviceId } from './qemu-model.js';
import type { Rehearsal } from './rehearsal.js';
import { domainDir, runFile } from './run-dir.js';

export interface PlannedDetach {
  readonly domain: Domain;
  readonly record: GrantRecord;
  readonly sbdf: Sbdf;
  readonly withoutGuest: boolean;
}

/** The steps of `detach`, each under the name that it has there, with what it writes where. */
export function describeDetach(host: XenHost, planned: PlannedDetach, rehearsal: Rehearsal): OperationPlan {
  const { domain, record, sbdf } = planned;
  const { domid } = domain;
  const { runDir, sysfs } = host;
  const name = record.sbdf;
  const file = runFile.grants(runDir, domid);
  const model = runFile.socket(runDir, domid);
  rehearsal.detached.add(name);
  const devices = readGrants(runDir, domid)?.devices ?? [];
  const left = devices.filter((device) => !rehearsal.detached.has(device.sbdf));
  const isLast = left.length === 0;
  const endsModel = record.model !== 'qemu' && left.every((other) => other.model === 'qemu');
  const endWrites = [
    ...(endsModel ? [`shutdown > ${model}`] : []),
    ...(isLast ? [`rm -r ${domainDir(runDir, domid)}`] : []),
  ];
  const configFile = host.libxlConfig.file(domid, domain.info.handle);
  const hasReset = existsSync(sysfs.root + sysfsPath.reset(sbdf));
  const intoQuarantine = isOnPciback(sysfs, sbdf) ? [`xc_assign_device domain ${DOMID_IO} (quarantine) ${name}`] : [];
  const steps: PlanStep[] = [
    ...askingSteps(host, planned),
    {
      title: 'record that it is being detached',
      writes: [`${formatGrantRecord({ ...record, state: 'detaching' })} > ${file}`],
    },
    ...(record.model === 'qemu'
      ? [
          { title: "take the device from the guest's QEMU", writes: [] },
          {
            title: 'have xl not plug it again',
            writes: existsSync(configFile) ? [`pcidevs: without ${name} > ${configFile}`] : [],
          },
        ]
      : [
          { title: 'connect to the device model', writes: [] },
          {
            title: 'take the device from the device model',
            writes: [`detach ${JSON.stringify({ sbdf: name })} > ${model}`],
          },
        ]),
    ...record.grants.map((grant) => ({
      title: `take back ${describeGrant(grant)}`,
      writes: [permissionCall(domid, grant, false)],
    })),
    {
      title: 'stop its DMA',
      writes: [`Command, without Bus Master Enable > ${sysfsPath.device(sbdf)}/config at 0x4`],
    },
    { title: 'reset the device', writes: hasReset ? [`"1" > ${sysfsPath.reset(sbdf)}`] : [] },
    { title: 'take the device from the domain', writes: [`xc_deassign_device domain ${domid} ${name}`] },
    { title: 'put it into quarantine', writes: intoQuarantine },
    {
      title: 'withdraw it from xenstore',
      writes: rehearsal.writes((store) => void withdrawDevice(store, domid, sbdf)),
    },
    {
      title: 'remove the in-use marker',
      writes: rehearsal.writes((store) => releaseInUse(store, sbdf, domid)),
    },
    { title: 'remove the record', writes: [isLast ? `rm ${file}` : `the other devices alone > ${file}`] },
    ...(isLast || endsModel ? [{ title: 'end the device model', writes: endWrites }] : []),
  ];
  return describePlan(name, steps);
}

/** A guest that was told of the device by ACPI is asked by ACPI; a paused one when it goes on. */
function askingSteps({ monitors }: XenHost, { domain, record, withoutGuest }: PlannedDetach): PlanStep[] {
  if (withoutGuest) return [];
  const { domid, info } = domain;
  const monitor = info.flags.paused ? monitors.control(domid) : monitors.statistics(domid);
  const asks = record.announced === true && record.state === 'attached' && existsSync(monitor);
  const { model, sbdf, guestDevfn } = record;
  const id = model === 'qemu' ? qemuDeviceId(parseSbdf(sbdf)) : placeholderId(guestDevfn);
  const request = JSON.stringify({ id });
  return [
    { title: 'wait for the guest to let go of it', writes: asks ? [`device_del ${request} > ${monitor}`] : [] },
  ];
}
