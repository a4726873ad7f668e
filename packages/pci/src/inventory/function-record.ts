import type { Resource } from '../resource.js';
import type { Sbdf } from '../sbdf.js';

/** One function as the host's kernel describes it. */
export interface FunctionSummary {
  readonly sbdf: Sbdf;
  readonly vendorId: number;
  readonly deviceId: number;
  readonly subsystemVendorId: number;
  readonly subsystemDeviceId: number;
  /** 24 bits: base class, subclass, programming interface. */
  readonly classCode: number;
  readonly className: string;
  readonly revision: number;
  /** The host's driver; null when none is bound. */
  readonly driver: string | null;
  /** Line interrupt; 0 = none. */
  readonly irq: number;
  /** −1 = none. */
  readonly numaNode: number;
  readonly iommuGroup: number | null;
  readonly resources: readonly Resource[];
  /** In the order the kernel tries them, e.g. `flr`, `pm`, `bus`. */
  readonly resetMethods: readonly string[];
  readonly hasReset: boolean;
  readonly isVirtualFunction: boolean;
  /** From pci.ids, where it is installed. */
  readonly vendorName?: string;
  readonly deviceName?: string;
}

/** What tells one card from another, wherever it is plugged in after a restart. */
export interface FunctionIdentity {
  /**
   * Device and function numbers from the root bus down, `0000:00/1c.0/00.0`: bus numbers change when a card is added
   * elsewhere, these do not.
   */
  readonly path: string;
  readonly vendorId: number;
  readonly deviceId: number;
  readonly subsystemVendorId: number;
  readonly subsystemDeviceId: number;
  readonly classCode: number;
  /** 16 hexadecimal digits of the serial number capability; null when there is none, or only root could read it. */
  readonly serialNumber: string | null;
  /** What is printed beside the slot, or the firmware's name of a built-in device. */
  readonly slotLabel: string | null;
}

/** Where the message-signalled interrupts of a function are, and how many it may want. */
export interface FunctionInterrupts {
  readonly msi: { readonly vectorCount: number; readonly maskable: boolean; readonly enabled: boolean } | null;
  readonly msix: MsixPlace | null;
}

export interface MsixPlace {
  readonly vectorCount: number;
  readonly tableBarIndex: number;
  readonly tableOffset: number;
  readonly pbaBarIndex: number;
  readonly pbaOffset: number;
  readonly enabled: boolean;
  /** Whether other registers stand on the page of 4 KiB where the table starts: accesses to them are trapped too. */
  readonly sharesPage: boolean;
}

export interface LinkState {
  /** Gigatransfers per second; 0: no link. */
  readonly speed: number;
  readonly width: number;
  readonly maxSpeed: number;
  readonly maxWidth: number;
}

export type PowerState = 'D0' | 'D1' | 'D2' | 'D3hot' | 'D3cold';

/** What configuration space tells beside the header. */
export interface ConfigFacts {
  /** Bytes that could be read: 64 (not root), 256 or 4096. */
  readonly sizeBytes: number;
  /** 0 endpoint, 1 bridge. */
  readonly headerType: number;
  readonly multifunction: boolean;
  /** A function that answers nothing but ones is gone, or asleep without power. */
  readonly answers: boolean;
  /** 1 to 4 for A to D; 0: no line interrupt. */
  readonly interruptPin: number;
  /** Of a bridge. */
  readonly buses: { readonly secondary: number; readonly subordinate: number } | null;
  /** Device/port type of the Express capability; null: conventional PCI, or not readable. */
  readonly expressType: number | null;
  readonly functionLevelReset: boolean;
  readonly advancedFeaturesReset: boolean;
  /** The Power Management reset restores nothing when the device keeps its state from D3hot to D0. */
  readonly noSoftReset: boolean | null;
  readonly powerState: PowerState | null;
  readonly interrupts: FunctionInterrupts;
  readonly link: LinkState | null;
  readonly serialNumber: string | null;
  /** Bits of ACS capability and control; null: no such capability. */
  readonly accessControl: { readonly capability: number; readonly control: number } | null;
  /** Names of the extended capabilities, which no guest on Xen sees. */
  readonly extendedCapabilities: readonly string[];
}

export type ResetGrade = 'safe' | 'same-guest' | 'host-reboot';

export interface ResetReport {
  /** As the kernel tries them. */
  readonly methods: readonly string[];
  readonly grade: ResetGrade;
  /** Why, in one sentence. */
  readonly reason: string;
  /** Other functions that a reset of the bus would hit. */
  readonly busNeighbours: readonly string[];
}

/** Memory that firmware keeps for a device's DMA: RMRR on Intel, IVMD on AMD. */
export interface ReservedRegion {
  readonly start: bigint;
  /** Last byte. */
  readonly end: bigint;
  readonly source: 'dmar' | 'ivrs' | 'kernel' | 'xen';
}

/** Functions that cannot be kept apart, the function itself among them, by address; null: not known. */
export interface IsolationGroups {
  readonly kernel: readonly string[] | null;
  readonly acs: readonly string[] | null;
  readonly xen: readonly string[] | null;
}

export type VirtualFunctionRole =
  | { readonly kind: 'physical'; readonly total: number; readonly enabled: readonly string[] }
  | { readonly kind: 'virtual'; readonly physicalFunction: string };

/** Everything that is known of one function. `docs/inventory.md` says where each field comes from. */
export interface FunctionRecord extends FunctionSummary {
  /** Canonical, lower case, with the segment: four digits, more above ffff. */
  readonly address: string;
  readonly identity: FunctionIdentity;
  /** The bridge above; null on a root bus. */
  readonly parent: string | null;
  readonly subsystemName: string | null;
  readonly driverOverride: string | null;
  /** The firmware's display (`boot_vga`); null for what is no display. */
  readonly bootDisplay: boolean | null;
  readonly config: ConfigFacts;
  readonly interrupts: FunctionInterrupts;
  readonly link: LinkState | null;
  readonly powerState: PowerState | null;
  readonly virtualFunctions: VirtualFunctionRole | null;
  readonly reset: ResetReport;
  readonly groups: IsolationGroups;
  readonly reservedRegions: readonly ReservedRegion[];
}

/** Whether it is a bridge: header type 1 or class 06. */
export function isBridge({ classCode, config }: Pick<FunctionRecord, 'classCode' | 'config'>): boolean {
  return classCode >>> 16 === 0x06 || config.headerType === 1;
}
