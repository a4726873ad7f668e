import type { LinkState, PowerState, VirtualFunctionRole } from '../inventory/function-record.js';
import { readLinkName, readOptionalAttribute } from './attributes.js';

/** What newer kernels, and only some devices, have beside the files of every function. */
export interface SysfsDetails {
  readonly driverOverride: string | null;
  readonly bootDisplay: boolean | null;
  readonly powerState: PowerState | null;
  readonly virtualFunctions: VirtualFunctionRole | null;
  /** The firmware's name of a built-in device. */
  readonly label: string | null;
}

const powerStates: readonly string[] = ['D0', 'D1', 'D2', 'D3hot', 'D3cold'] satisfies PowerState[];

/**
 * Reads the optional files of one function; what is not there or makes no sense is null.
 *
 * @param brief leaves out the power state
 */
export function readDetails(directory: string, names: ReadonlySet<string>, brief = false): SysfsDetails {
  const text = optionalText(directory, names);
  const override = text('driver_override');
  const boot = text('boot_vga');
  return {
    driverOverride: override === null || override === '' || override === '(null)' ? null : override,
    bootDisplay: boot === null ? null : boot === '1',
    powerState: brief ? null : readPowerState(directory, names),
    virtualFunctions: readRole(directory, names, text),
    label: printable(text('label')),
  };
}

/** What the kernel thinks; null where it does not say. */
export function readPowerState(directory: string, names: ReadonlySet<string>): PowerState | null {
  const power = optionalText(directory, names)('power_state');
  return power !== null && powerStates.includes(power) ? (power as PowerState) : null;
}

/** PCI Express Base 5.0 §7.5.3.6 has no such width: all ones of six bits, of a function that does not answer. */
const noWidth = 63;

/**
 * Linux Documentation/ABI/testing/sysfs-bus-pci: `8.0 GT/s PCIe`, and a bare number of lanes. The kernel reads them
 * from configuration space, as we do where we may: this is for who may not.
 */
export function readLink(directory: string, names: ReadonlySet<string>): LinkState | null {
  const text = optionalText(directory, names);
  const numbers = ['current_link_speed', 'current_link_width', 'max_link_speed', 'max_link_width'].map((name) => {
    const value = Number.parseFloat(text(name) ?? '');
    return Number.isFinite(value) && value >= 0 ? value : null;
  });
  const [speed, width, maxSpeed, maxWidth] = numbers;
  if (typeof maxSpeed !== 'number' || typeof maxWidth !== 'number' || maxWidth === 0 || maxWidth >= noWidth)
    return null;
  return { speed: speed ?? 0, width: width ?? 0, maxSpeed, maxWidth };
}

function optionalText(directory: string, names: ReadonlySet<string>): (name: string) => string | null {
  return (name) => (names.has(name) ? (readOptionalAttribute(`${directory}/${name}`)?.trim() ?? null) : null);
}

function readRole(
  directory: string,
  names: ReadonlySet<string>,
  text: (name: string) => string | null,
): VirtualFunctionRole | null {
  if (names.has('physfn')) {
    const physicalFunction = readLinkName(`${directory}/physfn`);
    return physicalFunction === null ? null : { kind: 'virtual', physicalFunction };
  }
  const total = text('sriov_totalvfs');
  if (total === null || !/^[0-9]{1,5}$/.test(total)) return null;
  const enabled = [...names]
    .filter((name) => /^virtfn[0-9]+$/.test(name))
    .map((name) => readLinkName(`${directory}/${name}`))
    .filter((name) => name !== null);
  return { kind: 'physical', total: Number(total), enabled: enabled.sort() };
}

function printable(label: string | null): string | null {
  const shown = label?.replace(/\p{C}/gu, '?').slice(0, 64) ?? '';
  return shown === '' ? null : shown;
}
