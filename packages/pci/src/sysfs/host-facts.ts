import { join } from 'node:path';

import type { HostFacts } from '../inventory/host-facts.js';
import { exists, readNames, readOptionalText, type SysfsOptions } from './attributes.js';
import { readDiskUses } from './disk-uses.js';
import { readGuestConfigs } from './guest-configs.js';
import { readHideParameters } from './hide-parameters.js';
import { readManagementInterfaces } from './management-interfaces.js';

/**
 * What a tree tells of the host beside its functions. A file that is not there, or that only root may read, is null.
 * What only Xen knows is null too.
 */
export function readHostFacts(options: SysfsOptions = {}): HostFacts {
  const { sysroot = '/' } = options;
  const text = (path: string): string | null => readOptionalText(join(sysroot, path))?.trim() ?? null;
  const onXen = text('sys/hypervisor/type') === 'xen';
  const kernelCommandLine = text('proc/cmdline');
  return {
    kernelCommandLine,
    xen: onXen ? { version: readXenVersion(text), commandLine: null, directIo: null } : null,
    controlDomain: text('proc/xen/capabilities')?.includes('control_d') ?? false,
    pcibackLoaded: exists(join(sysroot, 'sys/bus/pci/drivers/pciback')),
    hideParameters: readHideParameters(kernelCommandLine, options),
    lockdown: readLockdown(text('sys/kernel/security/lockdown')),
    interruptRemapping: null,
    iommu: onXen ? null : hasGroups(sysroot),
    diskUses: readDiskUses(options),
    managementInterfaces: readManagementInterfaces(options),
    guestConfigs: readGuestConfigs(options),
    expectedDevices: [],
  };
}

function readXenVersion(text: (path: string) => string | null): string | null {
  const [major, minor, extra] = ['major', 'minor', 'extra'].map((part) => text(`sys/hypervisor/version/${part}`));
  return major === null || minor === null ? null : `${major}.${minor}${extra ?? ''}`;
}

/** `none [integrity] confidentiality`: the one that counts stands in brackets. */
function readLockdown(text: string | null): HostFacts['lockdown'] {
  const [, state] = /\[(none|integrity|confidentiality)\]/.exec(text ?? '') ?? [];
  return state === undefined ? null : (state as HostFacts['lockdown']);
}

/** A kernel without IOMMU support has no such folder at all: then nothing is known of the firmware's. */
function hasGroups(sysroot: string): boolean | null {
  const folder = join(sysroot, 'sys/kernel/iommu_groups');
  return exists(folder) ? readNames(folder).some((name) => /^[0-9]+$/.test(name)) : null;
}
