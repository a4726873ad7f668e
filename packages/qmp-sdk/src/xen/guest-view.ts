import {
  assumeResources,
  type DeniedRegister,
  describeDenied,
  describeGuestView,
  type FunctionImage,
  formatSbdf,
  type GuestView,
  type GuestViewOptions,
  previewGuestView,
  readLittleEndian,
  type Sbdf,
  type SeenArea,
  type SeenRegister,
} from '@xenpt/pci';
import { canResetFunction, readFunctionImage } from '@xenpt/pci/sysfs';
import { type Domain, findDomain } from './domains.js';
import { XenErrorCode, XenOperationError } from './errors.js';
import { type GrantRecord, readGrants } from './grants.js';
import type { XenHost } from './host.js';
import { readLiveUser } from './in-use.js';
import type { BarView, FunctionView, ModelClient, OpenedReport, VectorView } from './model-client.js';
import { modelNotRunning } from './model-state.js';
import { requireDevice, sysfsOptions } from './pciback.js';
import { requireRoot } from './require-root.js';
import { formatGuestAddress, parseBdf } from './spec.js';

/** What MSI has at most; at attach the host may offer fewer. */
const MOST_MSI_VECTORS = 32;

export interface GuestViewReport {
  /** The guest; null when no guest has the function, and what one would see is shown. */
  readonly domid: number | null;
  readonly domainName: string | null;
  /** Null where nobody said. */
  readonly sbdf: string | null;
  readonly guestSbdf: string | null;
  /** Header and every capability that the guest gets, by offset, with the owner of every bit. */
  readonly registers: readonly SeenRegister[];
  /** Bytes from 0x40 on that no register describes. */
  readonly areas: readonly SeenArea[];
  /** Capabilities of the host that the guest does not see. */
  readonly hidden: GuestView['hidden'];
  /** What the operator opened or closed; null when nobody knows. */
  readonly opened: OpenedReport | null;
  readonly bars: readonly BarView[];
  readonly vectors: readonly VectorView[];
  /** Registers that the guest wrote in vain since attach, each with what would open it. */
  readonly denied: readonly DeniedRegister[];
}

export interface GuestViewQuery {
  /** Domain id or name; left out, whoever has the device, or nobody yet. */
  readonly domain?: string;
  readonly device: string;
}

/**
 * What a guest sees of a device beside what the host has. Of a device that no guest has, what one would see: for that
 * neither Xen nor root is needed, but only root reads the capabilities.
 *
 * @throws XenOperationError XENPT_NOT_ATTACHED, XENPT_MODEL_NOT_RUNNING and those of finding the domain
 * @throws PciError of a device that cannot be shown to a guest
 */
export async function guestView(host: XenHost, query: GuestViewQuery): Promise<GuestViewReport> {
  const sbdf = parseBdf(query.device);
  const domainText = query.domain ?? findUser(host, sbdf);
  if (domainText === undefined) {
    requireDevice(host.sysfs, sbdf);
    const options = sysfsOptions(host.sysfs);
    return guestViewOf(readFunctionImage(sbdf, options), {
      functionReset: canResetFunction(sbdf, options),
      msiVectorLimit: MOST_MSI_VECTORS,
    });
  }
  requireRoot(host, 'look into a guest');
  const domain = findDomain(host, domainText);
  return report(domain, formatSbdf(sbdf), await askModel(host, domain, formatSbdf(sbdf)));
}

/** What a guest would see of a function at attach. @throws PciError as `previewGuestView` */
export function guestViewOf(image: FunctionImage, options: GuestViewOptions): GuestViewReport {
  const { view, guest } = previewGuestView(image, options);
  const vectorCount = view.msix?.vectorCount ?? view.msi?.vectorCount ?? 0;
  return {
    domid: null,
    domainName: null,
    sbdf: formatSbdf(image.sbdf),
    guestSbdf: null,
    ...describeGuestView({ host: image.config, guest, words: view.words, hidden: view.hidden }),
    hidden: view.hidden,
    opened: null,
    bars: view.bars.map(({ index, kind }) => {
      return { index, kind, guestAddress: null, mapped: false, refusal: null, rounds: 0 };
    }),
    vectors: Array.from({ length: vectorCount }, (_, index) => {
      return { index, bound: false, pirq: null, masked: view.msix !== undefined };
    }),
    denied: [],
  };
}

/** The domain that is marked as the user; undefined where there is no Xen to ask. */
function findUser(host: XenHost, sbdf: Sbdf): string | undefined {
  try {
    const domid = readLiveUser(host, sbdf);
    return domid === undefined ? undefined : String(domid);
  } catch (error) {
    if (error instanceof XenOperationError && error.code === XenErrorCode.noXen) return undefined;
    throw error;
  }
}

interface Answer {
  readonly record: GrantRecord;
  readonly view: FunctionView;
}

async function askModel(host: XenHost, { domid, name, info }: Domain, sbdf: string): Promise<Answer> {
  const file = readGrants(host.runDir, domid);
  const record = file?.handle === info.handle ? file.devices.find((device) => device.sbdf === sbdf) : undefined;
  if (!record) {
    throw new XenOperationError(
      XenErrorCode.notAttached,
      `${sbdf} is not attached to domain ${domid} (${name}) by xenpt`,
      { next: 'See `xenpt list` for who has it.' },
    );
  }
  if (record.model === 'qemu') throw servedByQemu(domid, name, sbdf);
  const model = await host.connectModel(domid, info.handle);
  if (!model) throw modelNotRunning(domid);
  return { record, view: await viewAndClose(model, sbdf) };
}

function report({ domid, name }: Domain, sbdf: string, { record, view }: Answer): GuestViewReport {
  const { words, hidden } = rulesOf(view);
  return {
    domid,
    domainName: name,
    sbdf,
    guestSbdf: formatGuestAddress(record.guestDevfn),
    ...describeGuestView({ host: view.host, guest: view.guest, words, hidden }),
    hidden,
    opened: view.opened ?? null,
    bars: view.bars,
    vectors: view.vectors,
    denied: describeDenied(view.host, view.denied ?? []),
  };
}

/** A model that an earlier version started does not tell its rules: they are the house's. */
function rulesOf({ host, words, hidden }: FunctionView): Pick<GuestView, 'words' | 'hidden'> {
  if (words !== undefined && hidden !== undefined) return { words, hidden };
  const { resources } = assumeResources(host);
  const [vendorId, deviceId] = [readLittleEndian(host, 0, 2), readLittleEndian(host, 2, 2)];
  const sbdf = { segment: 0, bus: 0, device: 0, function: 0 };
  return previewGuestView({ sbdf, config: host, resources, irq: 1, vendorId, deviceId }, { functionReset: true })
    .view;
}

async function viewAndClose(model: ModelClient, sbdf: string): Promise<FunctionView> {
  try {
    return await model.view(sbdf);
  } finally {
    model.close();
  }
}

function servedByQemu(domid: number, name: string, sbdf: string): XenOperationError {
  return new XenOperationError(
    XenErrorCode.modelNotRunning,
    `${sbdf} of domain ${domid} (${name}) is served by its QEMU, which does not tell what the guest reads`,
    { next: `For what the model xenpt would show, detach it; for where it is: xenpt devices ${domid}` },
  );
}
