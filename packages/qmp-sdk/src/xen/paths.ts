import { formatSbdf, type Sbdf } from '@xenpt/pci';

/** `0000-03-00-0`: how libxl names a function below `/libxl/pci`. */
function storeName(sbdf: Sbdf): string {
  return formatSbdf(sbdf).replace(/[:.]/g, '-');
}

/** Nodes of xenstore, as libxl lays them out (tools/libs/light/libxl_pci.c, docs/misc/xenstore-paths.pandoc). */
export const storePath = {
  domainName: (domid: number) => `/local/domain/${domid}/name`,
  domainType: (domid: number) => `/libxl/${domid}/type`,
  deviceModelState: (domid: number) => `/local/domain/0/device-model/${domid}/state`,
  allFunctionInfo: '/libxl/pci',
  functionInfo: (sbdf: Sbdf) => `/libxl/pci/${storeName(sbdf)}`,
  inUse: (sbdf: Sbdf) => `/libxl/pci/${storeName(sbdf)}/domid`,
  driverPath: (sbdf: Sbdf) => `/libxl/pci/${storeName(sbdf)}/driver_path`,
  assignableName: (sbdf: Sbdf) => `/libxl/pci/${storeName(sbdf)}/name`,
  allBackends: '/local/domain/0/backend/pci',
  backends: (domid: number) => `/local/domain/0/backend/pci/${domid}`,
  backend: (domid: number) => `/local/domain/0/backend/pci/${domid}/0`,
  frontends: (domid: number) => `/local/domain/${domid}/device/pci`,
  frontend: (domid: number) => `/local/domain/${domid}/device/pci/0`,
} as const;

const PCIBACK = '/sys/bus/pci/drivers/pciback';

/** Files of the kernel, without the root of the tree. */
export const sysfsPath = {
  device: (sbdf: Sbdf) => `/sys/bus/pci/devices/${formatSbdf(sbdf)}`,
  driverLink: (sbdf: Sbdf) => `/sys/bus/pci/devices/${formatSbdf(sbdf)}/driver`,
  driverOverride: (sbdf: Sbdf) => `/sys/bus/pci/devices/${formatSbdf(sbdf)}/driver_override`,
  reset: (sbdf: Sbdf) => `/sys/bus/pci/devices/${formatSbdf(sbdf)}/reset`,
  pciback: PCIBACK,
  pcibackSlots: `${PCIBACK}/slots`,
  pcibackNewSlot: `${PCIBACK}/new_slot`,
  pcibackRemoveSlot: `${PCIBACK}/remove_slot`,
  pcibackBind: `${PCIBACK}/bind`,
  pcibackUnbind: `${PCIBACK}/unbind`,
  /** Present while dom0's xen-pciback holds the devices of a backend directory. */
  kernelBackend: (domid: number) => `/sys/bus/xen-backend/devices/pci-${domid}-0`,
} as const;
