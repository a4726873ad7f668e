import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { assetsDirectory } from '../assets.js';
import type { Profile } from '../profile.js';
import { cpioDirectory, cpioFile, cpioLink, createCpio } from './cpio.js';
import { readModules } from './kernel-modules.js';
import { extractKernel, flattenKernel, guestEntry, realModePart } from './linux-image.js';
import { kernelVersion, labHome } from './root.js';

/** What dom0's kernel needs before it can read its disk. */
const dom0Modules = ['virtio_pci', 'virtio_blk', 'crc32c_generic', 'ext4'];

/** Drivers that a guest may be given, each with its dependencies a fragment of the guest's initramfs. */
export const guestModules = [
  ...['e1000e', 'e1000', '8139cp', 'nvme', 'xhci_pci'],
  // The driver of a codec is asked for by name, not by dependency.
  ...['snd_hda_codec_generic', 'snd_hda_intel'],
] as const;

/** The files that QEMU loads by itself: Xen, dom0's kernel and its initramfs. */
export function writeBootFiles(root: string, profile: Profile, directory: string): void {
  const version = kernelVersion(root);
  const xen = readFileSync(join(root, `boot/xen-${profile.xenVersion}-amd64.gz`));
  writeFileSync(join(directory, 'xen'), gunzipSync(xen));
  const bzImage = readFileSync(join(root, `boot/vmlinuz-${version}`));
  writeFileSync(join(directory, 'vmlinux'), extractKernel(bzImage));
  const modules = readModules(join(root, 'usr/lib/modules', version), dom0Modules);
  const numbered = modules.map(({ name, content }, index) => {
    const position = String(index).padStart(2, '0');
    return cpioFile(`modules/${position}-${name}.ko`, content);
  });
  const initramfs = createCpio([...busyboxEntries(root, 'initrd/init'), ...numbered]);
  writeFileSync(join(directory, 'initrd.img'), initramfs);
}

/** The guest's kernel and initramfs, inside dom0. */
export function writeGuestFiles(root: string): void {
  const version = kernelVersion(root);
  const home = join(root, labHome, 'guest');
  mkdirSync(join(home, 'modules'), { recursive: true });
  const bzImage = readFileSync(join(root, `boot/vmlinuz-${version}`));
  writeFileSync(join(home, 'real-mode'), realModePart(bzImage));
  const kernel = flattenKernel(extractKernel(bzImage));
  writeFileSync(join(home, 'entry'), guestEntry(kernel.entry));
  writeFileSync(join(home, 'kernel'), kernel.image);
  writeFileSync(join(home, 'base.cpio'), createCpio(busyboxEntries(root, 'guest/init')));
  for (const name of guestModules) {
    const modules = readModules(join(root, 'usr/lib/modules', version), [name]);
    const numbered = modules.map((module, index) => {
      const position = String(index).padStart(2, '0');
      return cpioFile(`modules/${name}/${position}-${module.name}.ko`, module.content);
    });
    writeFileSync(join(home, 'modules', `${name}.cpio`), createCpio(numbered));
  }
}

function busyboxEntries(root: string, init: string) {
  const busybox = readFileSync(join(root, 'usr/bin/busybox'));
  return [
    ...['dev', 'proc', 'sys', 'tmp', 'sbin', 'root', 'etc'].map(cpioDirectory),
    cpioFile('bin/busybox', busybox, 0o755),
    cpioLink('bin/sh', 'busybox'),
    cpioFile('init', readFileSync(join(assetsDirectory, init)), 0o755),
  ];
}

/** Kernels that the image keeps only in the form in which they are used. */
export function bootLeftovers(root: string): string[] {
  return readdirSync(join(root, 'boot')).map((name) => join(root, 'boot', name));
}
