/** A domain, from xen_domctl_getdomaininfo. */
export interface DomainInfo {
  readonly domid: number;
  readonly flags: DomainFlags;
  /** SHUTDOWN_* of xen/include/public/sched.h (0 power off, 1 reboot, 3 crash); meaningful when `flags.shutdown`. */
  readonly shutdownCode: number;
  /** 4 KiB pages that the domain has, and may have. */
  readonly totPages: bigint;
  readonly maxPages: bigint;
  readonly onlineVcpuCount: number;
  /** Highest vCPU number; 0xffffffff in a domain without vCPUs. */
  readonly maxVcpuId: number;
  /** XSM label; 0 without XSM. */
  readonly ssidref: number;
  /** UUID text, chosen by the toolstack: it tells a domain from a later one with the same id. */
  readonly handle: string;
  readonly cpupool: number;
}

export interface DomainFlags {
  readonly dying: boolean;
  /** HVM or PVH. */
  readonly hvm: boolean;
  readonly shutdown: boolean;
  readonly paused: boolean;
  readonly blocked: boolean;
  readonly running: boolean;
  readonly debugged: boolean;
  readonly xenstore: boolean;
  /** Hardware-assisted paging. */
  readonly hap: boolean;
}

/** Size of the structure in 4.17 to 4.22. A later one may be longer; we read only its start. */
export const DOMAIN_INFO_SIZE_BYTES = 112;

/**
 * Decodes the structure (xen/include/public/domctl.h, little-endian; the same from 4.17 to 4.22):
 * ```
 * 0      4       8           16          …   64       68           72       76       92
 * | u16  | flags | tot_pages | max_pages | … | online | max_vcpu_id| ssidref| handle | cpupool
 * | domid|       |           |           |   | vcpus  |            |        | 16 B   |
 * ```
 * @throws RangeError when there are fewer bytes than that.
 */
export function decodeDomainInfo(bytes: Uint8Array): DomainInfo {
  if (bytes.byteLength < DOMAIN_INFO_SIZE_BYTES) {
    throw new RangeError(`domain info has ${bytes.byteLength} bytes; at least ${DOMAIN_INFO_SIZE_BYTES} are needed`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const flags = view.getUint32(4, true);
  return {
    domid: view.getUint16(0, true),
    flags: decodeFlags(flags),
    shutdownCode: (flags >>> 16) & 0xff,
    totPages: view.getBigUint64(8, true),
    maxPages: view.getBigUint64(16, true),
    onlineVcpuCount: view.getUint32(64, true),
    maxVcpuId: view.getUint32(68, true),
    ssidref: view.getUint32(72, true),
    handle: formatHandle(bytes.subarray(76, 92)),
    cpupool: view.getUint32(92, true),
  };
}

/** XEN_DOMINF_* */
function decodeFlags(flags: number): DomainFlags {
  const bit = (index: number): boolean => ((flags >>> index) & 1) === 1;
  return {
    dying: bit(0),
    hvm: bit(1),
    shutdown: bit(2),
    paused: bit(3),
    blocked: bit(4),
    running: bit(5),
    debugged: bit(6),
    xenstore: bit(7),
    hap: bit(8),
  };
}

function formatHandle(bytes: Uint8Array): string {
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
