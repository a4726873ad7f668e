import { buildGuestView, formatSbdf, parseSbdf, PciError, type FunctionImage, type Sbdf } from '@xenpt/pci';
import { readFunctionImage } from '@xenpt/pci/sysfs';
import type { Domain } from './domains.js';
import type { GrantFile } from './grants.js';
import type { XenHost } from './host.js';
import { sysfsOptions } from './pciback.js';

/** What Xen gives every domU beside the host's interrupt lines (xen/common/domain.c, extra_guest_irqs). */
const defaultExtraPirqs = 32;
/** PCI Local Bus Specification 3.0, 6.8.1.3. */
const mostMsiVectors = 32;

/** Message interrupts of a domain: each vector that a guest enables takes one pirq of its own. */
export interface MessageBudget {
  /** Vectors of the device, if its driver enables all of them. */
  readonly wanted: number;
  /** Vectors of the devices that the domain has already. */
  readonly promised: number;
  /** pirqs that Xen gives the domain for messages. */
  readonly limit: number;
}

/** What the device may ask of the domain, beside what others of its devices may ask. */
export function messageBudget(
  host: XenHost,
  image: FunctionImage,
  file: Pick<GrantFile, 'devices'> | undefined,
): MessageBudget {
  const others = (file?.devices ?? []).filter(({ sbdf }) => sbdf !== formatSbdf(image.sbdf));
  return {
    wanted: vectorsOf(image),
    promised: others.reduce((sum, { sbdf }) => sum + vectorsAt(host, parseSbdf(sbdf)), 0),
    limit: extraPirqs(host.toolstack.xenVersion().commandLine),
  };
}

/** A sentence when the device may want more than is left; it works with fewer vectors, or slower, or not at all. */
export function shortageOf(
  budget: MessageBudget,
  name: string,
  { domid }: Pick<Domain, 'domid'>,
): string | undefined {
  const { wanted, promised, limit } = budget;
  const left = Math.max(0, limit - promised);
  if (wanted <= left) return undefined;
  return (
    `${name} has ${wanted} message interrupts and domain ${domid} may use ${left} more (of ${limit}): ` +
    `boot Xen with extra_guest_irqs=${roundUp(promised + wanted)} if its driver wants them all.`
  );
}

/** The option's first number; `extra_guest_irqs=,512` sets dom0's alone. The last one on the line counts. */
export function extraPirqs(commandLine: string): number {
  const options = [...commandLine.matchAll(/(?:^|\s)extra_guest_irqs=(0x[0-9a-f]+|\d+)(?=[\s,]|$)/gi)];
  const value = Number(options.at(-1)?.[1] ?? defaultExtraPirqs);
  // Xen takes 0 for "none given" here.
  return value === 0 ? defaultExtraPirqs : value;
}

/** MSI and MSI-X are never on together; the one with more vectors decides. */
function vectorsOf(image: FunctionImage): number {
  try {
    const { msi, msix } = buildGuestView(image, { msiVectorLimit: mostMsiVectors });
    return Math.max(msi?.vectorCount ?? 0, msix?.vectorCount ?? 0);
  } catch (error) {
    // Attach refuses it with a better sentence.
    if (error instanceof PciError) return 0;
    throw error;
  }
}

function vectorsAt(host: XenHost, sbdf: Sbdf): number {
  try {
    return vectorsOf(readFunctionImage(sbdf, sysfsOptions(host.sysfs)));
  } catch (error) {
    if (error instanceof PciError) return 0;
    throw error;
  }
}

function roundUp(count: number): number {
  return Math.ceil(count / 32) * 32;
}
