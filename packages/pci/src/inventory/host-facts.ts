import type { FunctionIdentity, FunctionRecord } from './function-record.js';

/**
 * Who has a function: a guest, quarantine (nobody yet, assignable), the host (dom0) with or without a driver. Without
 * Xen, or when xenstore cannot be asked, a function on pciback is `unknown`.
 */
export type Owner =
  | {
      readonly kind: 'domain';
      readonly domid: number;
      readonly domainName: string;
      readonly guestSbdf: string | null;
    }
  | { readonly kind: 'assignable' }
  | { readonly kind: 'host'; readonly driver: string | null }
  | { readonly kind: 'unknown' };

/** A function of the inventory: what the tree says of it, and who has it or wants it. */
export interface OwnedFunction extends FunctionRecord {
  readonly owner: Owner;
  /** Names of the guests whose configurations name it, running or not. */
  readonly wantedBy: readonly string[];
}

/** A block device that the host itself uses, and the function that it hangs on. */
export interface DiskUse {
  readonly address: string;
  /** `sda2`, `dm-0`. */
  readonly device: string;
  /** Mount point, or `swap`. */
  readonly use: string;
}

/** A network interface over which the host is reached, and the function behind it. */
export interface ManagementInterface {
  readonly address: string;
  readonly interfaceName: string;
  /** `default route`, `default route by xenbr0`. */
  readonly reason: string;
}

/** A list of functions that pciback is told to take, and where it stands. */
export interface HideParameter {
  /** `kernel command line` or a file. */
  readonly source: string;
  readonly text: string;
  /** Functions, each without those parts that are `*`. Empty when the list cannot be read. */
  readonly functions: readonly HiddenFunction[];
  /** Why the list cannot be read, and pciback will not read it either; null when it can. */
  readonly fault: string | null;
}

export interface HiddenFunction {
  readonly segment: number;
  readonly bus: number;
  readonly device: number | '*';
  readonly function: number | '*';
  /** Written without its segment. */
  readonly short: boolean;
}

/** A guest's configuration file, as far as passthrough is concerned. */
export interface GuestConfig {
  readonly path: string;
  readonly name: string;
  readonly type: 'hvm' | 'pv' | 'pvh';
  readonly memoryMib: number | null;
  readonly maxMemoryMib: number | null;
  readonly mmioHoleMib: number | null;
  /** `rdm=…`, as written. */
  readonly reservedMemory: string | null;
  readonly devices: readonly GuestConfigDevice[];
  /** Why the file, or its list of devices, cannot be read; null when it can. */
  readonly fault: string | null;
}

export interface GuestConfigDevice {
  /** As written. */
  readonly text: string;
  /** The functions that are meant; more than one for `.*`. Empty when it is named by `name=`. */
  readonly addresses: readonly string[];
  readonly seize: boolean;
  /** `rdm_policy=`. */
  readonly reservedMemoryPolicy: 'strict' | 'relaxed';
}

/** A device whose place was recorded: what has to be there. */
export interface ExpectedDevice {
  readonly address: string;
  readonly identity: FunctionIdentity;
  /** Where it is recorded. */
  readonly source: string;
}

export interface XenFacts {
  /** `4.17.6`; null: not known. */
  readonly version: string | null;
  readonly commandLine: string | null;
  /** Whether HVM guests can have devices (XEN_SYSCTL_PHYSCAP_directio); null: not asked. */
  readonly directIo: boolean | null;
}

/** What is known of a host beside its functions; null: could not be found out. */
export interface HostFacts {
  readonly kernelCommandLine: string | null;
  /** Null: not on Xen. */
  readonly xen: XenFacts | null;
  readonly controlDomain: boolean;
  readonly pcibackLoaded: boolean;
  readonly hideParameters: readonly HideParameter[];
  readonly lockdown: 'none' | 'integrity' | 'confidentiality' | null;
  readonly interruptRemapping: boolean | null;
  /** Whether any IOMMU is at work: Xen's word, else the kernel's groups. */
  readonly iommu: boolean | null;
  readonly diskUses: readonly DiskUse[];
  readonly managementInterfaces: readonly ManagementInterface[];
  readonly guestConfigs: readonly GuestConfig[];
  readonly expectedDevices: readonly ExpectedDevice[];
}

/** Everything that rules look at. */
export interface HostInventory {
  readonly functions: readonly OwnedFunction[];
  readonly byAddress: ReadonlyMap<string, OwnedFunction>;
  readonly host: HostFacts;
}
