import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { formatSbdf, parseSbdf, type Sbdf } from '@xenpt/pci';
import { readFunctionRom } from '@xenpt/pci/sysfs';
import type { Sysfs } from '../host.js';
import { sysfsPath } from '../paths.js';
import { FakeCallError, type Journal } from './journal.js';

export interface FakeFunction {
  readonly sbdf: string;
  /** Name of the driver it is bound to; null for none. */
  readonly driver: string | null;
  readonly vendorId?: number;
  readonly deviceId?: number;
  readonly classCode?: number;
  readonly irq?: number;
  /** Lines of `resource`: start, end, flags. The rest up to 13 is empty. */
  readonly resources?: readonly (readonly [bigint, bigint, bigint])[];
  readonly config?: Uint8Array;
  /** `driver_override`; left out: none. */
  readonly driverOverride?: string;
  /** Default true: the kernel can reset it. */
  readonly resettable?: boolean;
}

const IO = 0x0004_0101n;
const MEMORY = 0x0004_0200n;
const ROM = 0x0004_6200n;

/** A network card with what Intel's 82574L has: memory, flash, ports, the page of MSI-X, a ROM. */
export const fakeNetworkCard: FakeFunction = {
  sbdf: '0000:03:00.0',
  driver: 'e1000e',
  irq: 16,
  resources: [
    [0xfe840000n, 0xfe85ffffn, MEMORY],
    [0xfe860000n, 0xfe87ffffn, MEMORY],
    [0xc000n, 0xc01fn, IO],
    [0xfe880000n, 0xfe883fffn, MEMORY],
    [0n, 0n, 0n],
    [0n, 0n, 0n],
    [0xfe800000n, 0xfe83ffffn, ROM],
  ],
};

/** A folder that looks like the parts of /sys that are read, and a kernel that reacts to the control files. */
export class FakeSysfs implements Sysfs {
  readonly root: string;
  readonly #journal: Journal;
  readonly #functions: string[] = [];
  /** Drivers that refuse to bind, as after a module was unloaded. */
  readonly refusing = new Set<string>();

  constructor(root: string, journal: Journal, functions: readonly FakeFunction[], options: { pciback: boolean }) {
    this.root = root;
    this.#journal = journal;
    mkdirSync(join(root, 'sys/bus/pci/devices'), { recursive: true });
    if (options.pciback) {
      this.#makeDriver('pciback');
      for (const name of ['slots', 'new_slot', 'remove_slot'])
        writeFileSync(root + `${sysfsPath.pciback}/${name}`, '');
    }
    for (const description of functions) this.#makeFunction(description);
  }

  write(path: string, text: string): void {
    this.#journal.enter('write', path, text);
    if (!existsSync(this.root + path)) throw Object.assign(new Error(`${path}: no such file`), { code: 'ENOENT' });
    if (path.endsWith('/driver_override')) {
      writeFileSync(this.root + path, text === '\n' ? '(null)\n' : text);
      return;
    }
    const sbdf = parseSbdf(text);
    const driver = dirname(path);
    if (path.endsWith('/bind')) this.#bind(path, driver, sbdf);
    else if (path.endsWith('/unbind')) this.#unbind(path, driver, sbdf);
    else if (path === sysfsPath.pcibackNewSlot) appendFileSync(this.root + sysfsPath.pcibackSlots, `${text}\n`);
    else if (path === sysfsPath.pcibackRemoveSlot) this.#removeSlot(path, text);
    else throw new Error(`the fake kernel has no reaction to ${path}`);
  }

  reset(sbdf: Sbdf): void {
    this.#journal.enter('reset', formatSbdf(sbdf));
  }

  readRom(sbdf: Sbdf): Uint8Array {
    return readFunctionRom(sbdf, { sysroot: this.root });
  }

  disableBusMaster(sbdf: Sbdf): void {
    this.#journal.enter('disableBusMaster', formatSbdf(sbdf));
  }

  writeConfig(sbdf: Sbdf, offset: number, value: number): void {
    this.#journal.enter('writeConfig', formatSbdf(sbdf), offset, value);
    const path = join(this.root + sysfsPath.device(sbdf), 'config');
    const config = readFileSync(path);
    config.writeUInt32LE(value, offset);
    writeFileSync(path, config);
  }

  /** Another card in the same slot. */
  replace(sbdf: string, { deviceId }: { readonly deviceId: number }): void {
    const folder = this.root + sysfsPath.device(parseSbdf(sbdf));
    writeFileSync(join(folder, 'device'), `0x${deviceId.toString(16).padStart(4, '0')}\n`);
    this.writeConfig(parseSbdf(sbdf), 0, ((deviceId << 16) | 0x8086) >>> 0);
  }

  /** Who is bound to what, and what pciback expects. */
  dump(): string[] {
    const slots = this.root + sysfsPath.pcibackSlots;
    const expected = existsSync(slots) ? readFileSync(slots, 'utf8').split('\n').filter(Boolean) : [];
    return [
      ...this.#functions.map((sbdf) => `${sbdf} driver ${this.#driverOf(sbdf) ?? 'none'}${this.#overrideOf(sbdf)}`),
      ...expected.map((slot) => `slot ${slot}`),
    ];
  }

  #makeFunction(description: FakeFunction): void {
    const { sbdf, driver, resettable = true } = description;
    const folder = this.root + sysfsPath.device(parseSbdf(sbdf));
    const hex = (value: number, digits: number) => `0x${value.toString(16).padStart(digits, '0')}\n`;
    mkdirSync(folder, { recursive: true });
    this.#functions.push(sbdf);
    const files: Record<string, string | Uint8Array> = {
      vendor: hex(description.vendorId ?? 0x8086, 4),
      device: hex(description.deviceId ?? 0x10d3, 4),
      subsystem_vendor: hex(0x8086, 4),
      subsystem_device: hex(0, 4),
      class: hex(description.classCode ?? 0x020000, 6),
      revision: hex(0, 2),
      irq: `${description.irq ?? 0}\n`,
      numa_node: '-1\n',
      driver_override: `${description.driverOverride ?? '(null)'}\n`,
      resource: formatResources(description.resources ?? []),
      config: description.config ?? fakeConfig(description),
      ...(resettable ? { reset: '', reset_method: 'flr bus\n' } : {}),
    };
    for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
    if (driver === null) return;
    this.#makeDriver(driver);
    this.#link(parseSbdf(sbdf), `/sys/bus/pci/drivers/${driver}`);
  }

  #makeDriver(name: string): void {
    const folder = join(this.root, 'sys/bus/pci/drivers', name);
    mkdirSync(folder, { recursive: true });
    for (const file of ['bind', 'unbind']) writeFileSync(join(folder, file), '');
  }

  #bind(path: string, driver: string, sbdf: Sbdf): void {
    const name = formatSbdf(sbdf);
    if (this.#driverOf(name) !== undefined) throw new FakeCallError(`write ${path}`, 'ENODEV');
    const expected = driver !== sysfsPath.pciback || this.dump().includes(`slot ${name}`);
    const override = this.#overrideOf(name);
    const allowed = override === '' || override === ` override ${basename(driver)}`;
    if (!expected || !allowed || this.refusing.has(driver)) throw new FakeCallError(`write ${path}`, 'ENODEV');
    this.#link(sbdf, driver);
  }

  #unbind(path: string, driver: string, sbdf: Sbdf): void {
    const name = formatSbdf(sbdf);
    if (`/sys/bus/pci/drivers/${this.#driverOf(name) ?? ''}` !== driver)
      throw new FakeCallError(`write ${path}`, 'ENODEV');
    rmSync(this.root + sysfsPath.driverLink(sbdf));
    rmSync(join(this.root + driver, name));
  }

  #removeSlot(path: string, text: string): void {
    const file = this.root + sysfsPath.pcibackSlots;
    const slots = readFileSync(file, 'utf8').split('\n').filter(Boolean);
    if (!slots.includes(text)) throw new FakeCallError(`write ${path}`, 'ENODEV');
    writeFileSync(
      file,
      slots
        .filter((slot) => slot !== text)
        .map((slot) => `${slot}\n`)
        .join(''),
    );
  }

  #link(sbdf: Sbdf, driver: string): void {
    const device = this.root + sysfsPath.device(sbdf);
    symlinkSync(relative(device, this.root + driver), join(device, 'driver'));
    symlinkSync(relative(this.root + driver, device), join(this.root + driver, formatSbdf(sbdf)));
  }

  /** As the kernel matches: with an override, by it alone. */
  #overrideOf(name: string): string {
    const text = readFileSync(this.root + sysfsPath.driverOverride(parseSbdf(name)), 'utf8').trim();
    return text === '(null)' ? '' : ` override ${text}`;
  }

  #driverOf(name: string): string | undefined {
    try {
      return readlinkSync(this.root + sysfsPath.driverLink(parseSbdf(name)))
        .split('/')
        .pop();
    } catch {
      return undefined;
    }
  }
}

/** One line of three numbers for each of the 13 resources that a function has. */
function formatResources(resources: NonNullable<FakeFunction['resources']>): string {
  const hex = (value: bigint) => `0x${value.toString(16).padStart(16, '0')}`;
  return Array.from({ length: 13 }, (_, index) => resources[index] ?? ([0n, 0n, 0n] as const))
    .map((line) => `${line.map(hex).join(' ')}\n`)
    .join('');
}

/** A type 0 header with ids, class and nothing else. */
function fakeConfig({ vendorId = 0x8086, deviceId = 0x10d3, classCode = 0x020000 }: FakeFunction): Uint8Array {
  const config = new DataView(new ArrayBuffer(256));
  config.setUint16(0, vendorId, true);
  config.setUint16(2, deviceId, true);
  config.setUint32(8, classCode << 8, true);
  return new Uint8Array(config.buffer);
}
