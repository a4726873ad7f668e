import { buildGuestView, type FunctionImage, type GuestViewOptions, PciError } from '@xenpt/pci';
import { canResetFunction } from '@xenpt/pci/sysfs';
import { describeError, nextStepOf, XenErrorCode, XenOperationError } from './errors.js';
import type { RecordedOptions } from './grants.js';
import type { Sysfs } from './host.js';
import { sysfsOptions } from './pciback.js';
import type { RdmPolicy } from './spec.js';

/** What the operator decides for one device beyond the policy of the house. */
export interface DeviceOptions {
  /** The guest's writes reach the device in every byte from 0x40 on that no register describes. Default false. */
  readonly permissive?: boolean;
  /** The same for single fields: `vendor-specific@0x90+4:0xff`, as `GuestViewOptions.allow` of `@xenpt/pci`. */
  readonly allow?: readonly string[];
  /**
   * `on`: the guest finds a copy of the device's expansion ROM; `off`: none; bytes: these. Left out, it finds a BAR
   * that reads all ones.
   */
  readonly rom?: 'on' | 'off' | Uint8Array;
  /** `relaxed`: reserved memory of the device is no reason to refuse it. Default `strict`. */
  readonly rdmPolicy?: RdmPolicy;
}

/** What is in effect of the options of xl-pci-configuration(5). */
export interface EffectiveOptions {
  readonly permissive: boolean;
  readonly rdmPolicy: RdmPolicy;
  /** The device was taken from its driver in dom0 for this. */
  readonly seized: boolean;
}

/** Which device model serves a function. */
export type ServingModel = 'xenpt' | 'qemu';

export type SettledOptions = Pick<GuestViewOptions, 'permissive' | 'allow' | 'expansionRom' | 'romImage'>;

/** Exit codes tell a typo from what cannot be. */
const errorCodes: Readonly<Partial<Record<string, XenErrorCode>>> = {
  PCI_ALLOW_SYNTAX: XenErrorCode.specSyntax,
  PCI_ALLOW_REFUSED: XenErrorCode.optionRefused,
  PCI_ROM_INVALID: XenErrorCode.optionRefused,
  SYSFS_ROM_ABSENT: XenErrorCode.optionRefused,
};

/**
 * Checks that the options fit the device, by building the guest's view with them as the model will.
 *
 * @throws XenOperationError XENPT_SPEC_SYNTAX, XENPT_OPTION_REFUSED; XENPT_DEVICE_UNSUITABLE when no view can be built
 */
export function settleOptions(
  sysfs: Sysfs,
  image: FunctionImage,
  { permissive = false, allow = [], rom }: DeviceOptions,
): SettledOptions {
  try {
    const options = { permissive, allow: [...allow], ...romOptions(sysfs, image, rom) };
    buildGuestView(image, { ...options, functionReset: canResetFunction(image.sbdf, sysfsOptions(sysfs)) });
    return options;
  } catch (error) {
    if (!(error instanceof PciError)) throw error;
    throw new XenOperationError(errorCodes[error.code] ?? XenErrorCode.deviceUnsuitable, describeError(error), {
      cause: error,
      next: nextStepOf(error) ?? error.nextStep,
    });
  }
}

/**
 * The same for QEMU's model, which knows one of them.
 *
 * @throws XenOperationError XENPT_OPTION_REFUSED
 */
export function settleForQemu({ permissive = false, allow = [], rom }: DeviceOptions): SettledOptions {
  const [refused] = [...(allow.length > 0 ? ['--allow'] : []), ...(rom === undefined ? [] : ['--rom'])];
  if (refused === undefined) return { permissive };
  throw new XenOperationError(XenErrorCode.optionRefused, `QEMU's model of a device has no ${refused}`, {
    next: `Leave ${refused} out, or have it served by the model xenpt.`,
  });
}

/** The same, for the record: undefined when nothing was decided. */
export function recordOptions(options: DeviceOptions): RecordedOptions | undefined {
  const { permissive, allow = [], rom, rdmPolicy } = options;
  const isRelaxed = rdmPolicy === 'relaxed';
  if (permissive !== true && allow.length === 0 && rom === undefined && !isRelaxed) return undefined;
  return {
    ...(permissive === true ? { permissive } : {}),
    ...(allow.length > 0 ? { allow } : {}),
    ...(rom === undefined ? {} : { rom: typeof rom === 'string' ? rom : 'file' }),
    ...(isRelaxed ? { rdmPolicy } : {}),
  };
}

function romOptions(sysfs: Sysfs, { sbdf }: FunctionImage, rom: DeviceOptions['rom']): SettledOptions {
  if (rom === undefined) return {};
  if (rom === 'off') return { expansionRom: false };
  return { romImage: rom === 'on' ? sysfs.readRom(sbdf) : rom };
}
