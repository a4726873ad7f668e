import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';

import { parseLocation } from '../../inventory/location.js';
import { configImage, type ConfigImageOptions } from './config-image.js';

/** One invented function. Ids default to a network card, `files` adds, replaces or, by null, leaves out. */
export interface TreeFunction extends Partial<ConfigImageOptions> {
  readonly address: string;
  /** The bridge above, which must have been added before; left out: a root bus. */
  readonly parent?: string;
  readonly driver?: string;
  readonly subsystem?: readonly [vendorId: number, deviceId: number];
  /** Lines of `resource`, from BAR 0 on; 6 is the ROM. */
  readonly resources?: readonly (readonly [start: bigint, end: bigint, flags: bigint] | null)[];
  readonly iommuGroup?: number;
  /** `reset_method`; none: the kernel cannot reset it. */
  readonly resetMethods?: string;
  readonly irq?: number;
  readonly files?: Readonly<Record<string, string | Uint8Array | null>>;
}

export const treeFlags = { io: 0x4_0101n, memory: 0x4_0200n, memory64: 0x14_220cn, rom: 0x4_6200n } as const;

/** A host's `/` in a temporary folder, with links as the kernel makes them. */
export class HostTree implements Disposable {
  readonly sysroot = mkdtempSync(join(tmpdir(), 'xenpt-tree-'));
  readonly #folders = new Map<string, string>();

  constructor() {
    mkdirSync(join(this.sysroot, 'sys/bus/pci/devices'), { recursive: true });
  }

  add(description: TreeFunction): this {
    const { address, parent, driver, iommuGroup } = description;
    const root = `sys/devices/pci${address.slice(0, address.indexOf(':') + 3)}`;
    const above = parent === undefined ? root : this.#folders.get(parent);
    if (above === undefined) throw new Error(`the bridge ${parent ?? ''} is not in the tree`);
    const folder = `${above}/${address}`;
    this.#folders.set(address, folder);
    for (const [name, content] of Object.entries(attributesOf(description))) {
      if (content !== null) this.file(`${folder}/${name}`, content);
    }
    this.link(`sys/bus/pci/devices/${address}`, folder);
    if (driver !== undefined) {
      this.folder(`sys/bus/pci/drivers/${driver}`).link(`${folder}/driver`, `sys/bus/pci/drivers/${driver}`);
      this.link(`sys/bus/pci/drivers/${driver}/${address}`, folder);
    }
    if (iommuGroup !== undefined) {
      this.folder(`sys/kernel/iommu_groups/${iommuGroup}`);
      this.link(`${folder}/iommu_group`, `sys/kernel/iommu_groups/${iommuGroup}`);
    }
    return this;
  }

  /** A file anywhere, by its path below the root. */
  file(path: string, content: string | Uint8Array): this {
    mkdirSync(dirname(join(this.sysroot, path)), { recursive: true });
    writeFileSync(join(this.sysroot, path), content);
    return this;
  }

  folder(path: string): this {
    mkdirSync(join(this.sysroot, path), { recursive: true });
    return this;
  }

  /** A link from one path below the root to another, relative as in sysfs. */
  link(path: string, target: string): this {
    const from = join(this.sysroot, path);
    mkdirSync(dirname(from), { recursive: true });
    symlinkSync(relative(dirname(from), join(this.sysroot, target)), from);
    return this;
  }

  /** Where the files of a function are, below the root. */
  folderOf(address: string): string {
    const folder = this.#folders.get(address);
    if (folder === undefined) throw new Error(`${address} is not in the tree`);
    return folder;
  }

  [Symbol.dispose](): void {
    rmSync(this.sysroot, { recursive: true, force: true });
  }
}

function attributesOf(description: TreeFunction): Record<string, string | Uint8Array | null> {
  const { vendorId = 0x8086, deviceId = 0x10d3, classCode = 0x020000, subsystem = [0x8086, 0xa01f] } = description;
  if (parseLocation(description.address) === null) throw new Error(`${description.address} is no address`);
  const hex = (value: number, digits: number): string => `0x${value.toString(16).padStart(digits, '0')}\n`;
  return {
    vendor: hex(vendorId, 4),
    device: hex(deviceId, 4),
    subsystem_vendor: hex(subsystem[0], 4),
    subsystem_device: hex(subsystem[1], 4),
    class: hex(classCode, 6),
    revision: hex(0, 2),
    uevent: eventText({ ...description, vendorId, deviceId, classCode, subsystem }),
    irq: `${description.irq ?? 0}\n`,
    numa_node: '-1\n',
    resource: resourceText(description),
    config: configImage({ ...description, vendorId, deviceId, classCode }),
    ...(description.resetMethods === undefined ? {} : { reset: '', reset_method: `${description.resetMethods}\n` }),
    ...description.files,
  };
}

/** As the kernel's pci_uevent writes it. */
function eventText({ address, driver, vendorId = 0, deviceId = 0, classCode = 0, subsystem = [0, 0] }: TreeFunction) {
  const digits = (value: number): string => value.toString(16).toUpperCase().padStart(4, '0');
  return [
    ...(driver === undefined ? [] : [`DRIVER=${driver}`]),
    `PCI_CLASS=${digits(classCode)}`,
    `PCI_ID=${digits(vendorId)}:${digits(deviceId)}`,
    `PCI_SUBSYS_ID=${subsystem.map(digits).join(':')}`,
    `PCI_SLOT_NAME=${address}\n`,
  ].join('\n');
}

function resourceText({ resources = [], buses }: TreeFunction): string {
  const hex = (value: bigint): string => `0x${value.toString(16).padStart(16, '0')}`;
  return Array.from({ length: buses === undefined ? 13 : 17 }, (_, index) => resources[index] ?? [0n, 0n, 0n])
    .map((numbers) => `${numbers.map(hex).join(' ')}\n`)
    .join('');
}
