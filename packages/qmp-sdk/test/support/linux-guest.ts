import { execFile } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { createCpio } from './cpio.js';
import { labCache } from './programs.js';

const run = promisify(execFile);

/** In the order in which they are loaded; pciehp and acpiphp are built into Debian's kernel. */
const modules = [
  'drivers/virtio/virtio',
  'drivers/virtio/virtio_ring',
  'drivers/virtio/virtio_pci_modern_dev',
  'drivers/virtio/virtio_pci_legacy_dev',
  'drivers/virtio/virtio_pci',
  'net/core/failover',
  'drivers/net/net_failover',
  'drivers/net/virtio_net',
  'drivers/block/virtio_blk',
];

/** Runs each line it is sent, and prints what that printed between two lines of its own. */
const init = `#!/bin/busybox sh
/bin/busybox mkdir -p /proc /sys /dev /bin /tmp
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t sysfs sysfs /sys
/bin/busybox mount -t devtmpfs devtmpfs /dev
/bin/busybox --install -s /bin
export PATH=/bin
exec 3<>/dev/ttyS0 >&3 2>&1
stty raw -echo <&3
for module in /modules/*; do insmod $module; done
echo @ready
while read -r line <&3; do echo; echo @begin; eval "$line"; echo "@end $?"; done
`;

/** What `-kernel` and `-initrd` take. */
export interface LinuxGuestFiles {
  readonly kernel: string;
  readonly initramfs: string;
}

/** Why there can be no Linux guest here; undefined when there can. */
export function noLinuxGuest(): string | undefined {
  if (findBusybox() === undefined) return `no static busybox here or in ${labCache}/qemus: npm test fetches it`;
  if (findKernelPackage() === undefined) return `no kernel in ${labCache}/downloads: npm test fetches it`;
  return undefined;
}

/**
 * Unpacks Debian's kernel from the lab's downloads and packs an initramfs: ten seconds at first, then from the
 * cache.
 */
export async function linuxGuestFiles(): Promise<LinuxGuestFiles> {
  const [busybox, kernelPackage] = [findBusybox(), findKernelPackage()];
  if (busybox === undefined || kernelPackage === undefined) throw new Error(noLinuxGuest());
  const home = join(labCache, 'linux-guest', basename(kernelPackage, '.deb'));
  const files = { kernel: join(home, 'vmlinuz'), initramfs: join(home, 'initramfs.cpio') };
  if (!existsSync(files.kernel)) await unpackKernel(kernelPackage, home);
  const loaded = modules.map((path, index) => ({
    path: `modules/${index}${basename(path)}`,
    content: readFileSync(join(home, `${basename(path)}.ko`)),
  }));
  const archive = createCpio([
    { path: 'bin/' },
    { path: 'dev/' },
    { path: 'modules/' },
    { path: 'bin/busybox', content: readFileSync(busybox), mode: 0o755 },
    { path: 'init', content: Buffer.from(init), mode: 0o755 },
    ...loaded,
  ]);
  const aside = `${files.initramfs}.${process.pid}`;
  writeFileSync(aside, archive);
  renameSync(aside, files.initramfs);
  return files;
}

async function unpackKernel(kernelPackage: string, home: string): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'xenpt-kernel-'));
  try {
    const tar = join(folder, 'files.tar');
    await run('sh', ['-c', 'dpkg-deb --fsys-tarfile "$1" > "$2"', 'sh', kernelPackage, tar]);
    const { stdout } = await run('tar', ['-tf', tar], { maxBuffer: 64 * 1024 * 1024 });
    const paths = stdout.split('\n');
    const wanted = [/boot\/vmlinuz-/, ...modules.map((path) => new RegExp(`/kernel/${path}\\.ko(\\.xz)?$`))];
    const members = wanted.map((pattern) => paths.find((path) => pattern.test(path)));
    await run('tar', ['-xf', tar, '-C', folder, ...members.filter((path) => path !== undefined)]);
    mkdirSync(home, { recursive: true });
    for (const [index, member = ''] of members.entries()) {
      const name = index === 0 ? 'vmlinuz' : `${basename(modules[index - 1] ?? '')}.ko`;
      if (member.endsWith('.xz')) await run('xz', ['-d', join(folder, member)]);
      // The kernel last: it says that all is there.
      const target = join(home, index === 0 ? 'vmlinuz.part' : name);
      writeFileSync(target, readFileSync(join(folder, member.replace(/\.xz$/, ''))));
    }
    renameSync(join(home, 'vmlinuz.part'), join(home, 'vmlinuz'));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function findBusybox(): string | undefined {
  const fetched = join(labCache, 'qemus/bookworm/usr/bin/busybox');
  return [fetched, '/usr/bin/busybox', '/bin/busybox'].find((path) => existsSync(path));
}

function findKernelPackage(): string | undefined {
  for (const release of ['bookworm', 'trixie']) {
    const folder = join(labCache, 'downloads', release);
    const name = existsSync(folder) && readdirSync(folder).find((file) => /^linux-image-[0-9].*\.deb$/.test(file));
    if (name) return join(folder, name);
  }
  return undefined;
}

/** The serial port of a guest with the initramfs above. */
export class GuestShell {
  readonly #socket: Socket;
  #text = '';
  #wake: () => void = () => {};

  constructor(socketPath: string) {
    this.#socket = connect(socketPath);
    this.#socket.on('data', (chunk: Buffer) => {
      this.#text += chunk.toString('latin1');
      this.#wake();
    });
    this.#socket.on('error', () => {});
  }

  async ready(): Promise<void> {
    await this.#find(/@ready/);
  }

  /** Runs one line of busybox shell; resolves with what it printed. */
  async run(line: string): Promise<string> {
    this.#text = '';
    this.#socket.write(`${line}\n`);
    const [, output = ''] = await this.#find(/@begin\r?\n([^]*)@end \d+/);
    return output;
  }

  close(): void {
    this.#socket.destroy();
  }

  async #find(pattern: RegExp): Promise<RegExpExecArray> {
    const untilMs = performance.now() + 60_000;
    for (;;) {
      const match = pattern.exec(this.#text);
      if (match) return match;
      if (performance.now() > untilMs) throw new Error(`the guest did not print ${String(pattern)}: ${this.#text}`);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        setTimeout(resolve, 1000);
      });
    }
  }
}
