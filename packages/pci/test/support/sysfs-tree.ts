import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import { e1000eConfig } from './e1000e.js';

const line = (start: number, end: number, flags: number): string =>
  `${[start, end, flags].map((value) => `0x${value.toString(16).padStart(16, '0')}`).join(' ')}\n`;
const empty = line(0, 0, 0);

/** The `resource` file of the e1000e on a kernel with SR-IOV: 13 lines. */
export const e1000eResourceText = [
  line(0xfebc_0000, 0xfebd_ffff, 0x4_0200),
  line(0xfebe_0000, 0xfebf_ffff, 0x4_0200),
  line(0xc040, 0xc05f, 0x4_0101),
  line(0xfec4_0000, 0xfec4_3fff, 0x4_0200),
  empty,
  empty,
  line(0xfeb8_0000, 0xfebb_ffff, 0x4_6200),
  ...Array.from({ length: 6 }, () => empty),
].join('');

/** A host's `/` in a temporary folder. */
export class SysfsTree implements Disposable {
  readonly sysroot = mkdtempSync(join(tmpdir(), 'xenpt-sysfs-'));

  /** Files of an e1000e at the address; `files` replaces, adds or, by null, leaves out. */
  add(sbdf: string, files: Readonly<Record<string, string | Uint8Array | null>> = {}): this {
    const attributes: Record<string, string | Uint8Array | null> = {
      vendor: '0x8086\n',
      device: '0x10d3\n',
      subsystem_vendor: '0x8086\n',
      subsystem_device: '0xa01f\n',
      class: '0x020000\n',
      revision: '0x00\n',
      irq: '11\n',
      numa_node: '-1\n',
      reset_method: 'flr bus\n',
      reset: '',
      resource: e1000eResourceText,
      config: e1000eConfig(),
      ...files,
    };
    mkdirSync(this.path(sbdf), { recursive: true });
    for (const [name, content] of Object.entries(attributes)) {
      if (content !== null) writeFileSync(this.path(sbdf, name), content);
    }
    return this;
  }

  /** A link of the function, e.g. `driver`; its target need not exist. */
  link(sbdf: string, name: string, target: string): this {
    symlinkSync(target, this.path(sbdf, name));
    return this;
  }

  /** A file anywhere under the root. */
  file(path: string, content: string): this {
    mkdirSync(dirname(join(this.sysroot, path)), { recursive: true });
    writeFileSync(join(this.sysroot, path), content);
    return this;
  }

  path(sbdf: string, name = ''): string {
    return join(this.sysroot, 'sys/bus/pci/devices', sbdf, name);
  }

  [Symbol.dispose](): void {
    rmSync(this.sysroot, { recursive: true, force: true });
  }
}
