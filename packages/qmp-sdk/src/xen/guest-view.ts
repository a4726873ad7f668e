import {
  capabilities,
  decodeConfigSpace,
  type DeniedRegister,
  describeDenied,
  describeRegisters,
  formatSbdf,
  headerType0,
  type HiddenCapability,
  readLittleEndian,
  type RegisterSet,
} from '@xenpt/pci';
import { findDomain } from './domains.js';
import { XenErrorCode, XenOperationError } from './errors.js';
import { readGrants } from './grants.js';
import type { XenHost } from './host.js';
import type { BarView, FunctionView, ModelClient, VectorView } from './model-client.js';
import { requireRoot } from './require-root.js';
import { formatGuestAddress, parseBdf } from './spec.js';

export interface RegisterRow {
  readonly offset: number;
  readonly width: 1 | 2 | 4;
  /** `Header` or the name of the capability. */
  readonly group: string;
  readonly name: string;
  readonly guest: number;
  readonly host: number;
  readonly differs: boolean;
  /** Why the guest does not read the device here. */
  readonly why?: string;
}

export interface GuestViewReport {
  readonly domid: number;
  readonly domainName: string;
  readonly sbdf: string;
  readonly guestSbdf: string;
  /** Header and every capability of the host, by offset, with what the guest reads at the same place. */
  readonly registers: readonly RegisterRow[];
  /** Capabilities of the host that the guest does not see. */
  readonly hidden: readonly HiddenCapability[];
  readonly bars: readonly BarView[];
  readonly vectors: readonly VectorView[];
  /** Registers that the guest wrote in vain since attach, each with what would open it. */
  readonly denied: readonly DeniedRegister[];
}

export interface GuestViewQuery {
  /** Domain id or name. */
  readonly domain: string;
  readonly device: string;
}

/**
 * What a guest sees of a device beside what the host has.
 *
 * @throws XenOperationError XENPT_NOT_ATTACHED, XENPT_MODEL_NOT_RUNNING and those of finding the domain
 */
export async function guestView(host: XenHost, query: GuestViewQuery): Promise<GuestViewReport> {
  const name = formatSbdf(parseBdf(query.device));
  requireRoot(host, 'look into a guest');
  const { domid, name: domainText, info } = findDomain(host, query.domain);
  const file = readGrants(host.runDir, domid);
  const record = file?.handle === info.handle ? file.devices.find(({ sbdf }) => sbdf === name) : undefined;
  if (!record) {
    throw new XenOperationError(
      XenErrorCode.notAttached,
      `${name} is not attached to domain ${domid} (${domainText}) by xenpt`,
      { next: 'See `xenpt list` for who has it.' },
    );
  }
  const model = await host.connectModel(domid, info.handle);
  if (!model) throw modelNotRunning(domid);
  const view = await viewAndClose(model, name);
  return {
    domid,
    domainName: domainText,
    sbdf: name,
    guestSbdf: formatGuestAddress(record.guestDevfn),
    registers: compareRegisters(view),
    hidden: decodeConfigSpace(view.host).hidden,
    bars: view.bars,
    vectors: view.vectors,
    denied: describeDenied(view.host, view.denied ?? []),
  };
}

/** The host's registers in order, each with what stands at the same place for the guest. */
export function compareRegisters({ guest, host }: Pick<FunctionView, 'guest' | 'host'>): RegisterRow[] {
  const visible = host.subarray(0, guest.length);
  const policies = policiesOf(visible);
  return describeRegisters(visible).map(({ offset, width, group, name, value }) => {
    const guestValue = readLittleEndian(guest, offset, width);
    const differs = guestValue !== value;
    const why = differs ? policies.get(`${group} ${name}`) : undefined;
    const row = { offset, width, group, name, guest: guestValue, host: value, differs };
    return why === undefined ? row : { ...row, why };
  });
}

/** The reasons that stand beside the masks, by group and register. */
function policiesOf(host: Uint8Array): Map<string, string> {
  const policies = new Map<string, string>();
  const collect = (group: string, registers: RegisterSet) => {
    for (const [name, { guest }] of Object.entries(registers)) policies.set(`${group} ${name}`, guest.why);
  };
  collect('Header', headerType0);
  for (const { name, offset } of decodeConfigSpace(host).capabilities) {
    const registers = capabilities.find((capability) => capability.name === name)?.registers ?? {};
    collect(name, typeof registers === 'function' ? registers(host.subarray(offset)) : registers);
  }
  return policies;
}

async function viewAndClose(model: ModelClient, sbdf: string): Promise<FunctionView> {
  try {
    return await model.view(sbdf);
  } finally {
    model.close();
  }
}

function modelNotRunning(domid: number): XenOperationError {
  return new XenOperationError(XenErrorCode.modelNotRunning, `the device model of domain ${domid} is not running`, {
    next: `See its log in /var/log/xenpt; the guest has to be destroyed: xl destroy ${domid}`,
  });
}
