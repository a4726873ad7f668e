/** The machine, from xen_sysctl_physinfo. */
export interface PhysicalInfo {
  /** HVM guests can run. */
  readonly hvm: boolean;
  readonly pv: boolean;
  /** Devices can be passed through: there is an IOMMU and it is on. */
  readonly directIo: boolean;
  /** Devices can be passed through to HVM guests: what `xl info` calls hvm_directio. */
  readonly hvmDirectIo: boolean;
  readonly hap: boolean;
  readonly shadow: boolean;
  /** The IOMMU can use the guest's own page tables. */
  readonly iommuHapPtShare: boolean;
  readonly cpuCount: number;
  readonly nodeCount: number;
  readonly cpuKhz: number;
  /** 4 KiB pages. */
  readonly totalPages: bigint;
  readonly freePages: bigint;
  readonly maxMfn: bigint;
}

/** Size of the structure in 4.17 to 4.22. */
export const PHYSICAL_INFO_SIZE_BYTES = 112;

/**
 * Decodes the structure (xen/include/public/sysctl.h, little-endian; the same from 4.17 to 4.22):
 * ```
 * 8         16         24        28             40            48           72
 * | nr_cpus | nr_nodes | cpu_khz | capabilities | total_pages | free_pages | max_mfn     (others between them)
 * ```
 * @throws RangeError when there are fewer bytes than that.
 */
export function decodePhysicalInfo(bytes: Uint8Array): PhysicalInfo {
  if (bytes.byteLength < PHYSICAL_INFO_SIZE_BYTES) {
    throw new RangeError(
      `physical info has ${bytes.byteLength} bytes; at least ${PHYSICAL_INFO_SIZE_BYTES} are needed`,
    );
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const capabilities = view.getUint32(28, true);
  const bit = (index: number): boolean => ((capabilities >>> index) & 1) === 1; // XEN_SYSCTL_PHYSCAP_*
  return {
    hvm: bit(0),
    pv: bit(1),
    directIo: bit(2),
    hvmDirectIo: bit(0) && bit(2),
    hap: bit(3),
    shadow: bit(4),
    iommuHapPtShare: bit(5),
    cpuCount: view.getUint32(8, true),
    nodeCount: view.getUint32(16, true),
    cpuKhz: view.getUint32(24, true),
    totalPages: view.getBigUint64(40, true),
    freePages: view.getBigUint64(48, true),
    maxMfn: view.getBigUint64(72, true),
  };
}
