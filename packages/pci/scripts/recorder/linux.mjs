// Three models under a real Linux: its /sys/bus/pci/devices/*/config against what was recorded without one.
import { execFileSync, spawn } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { toBytes } from './format.mjs';

const busybox = '/usr/bin/busybox';
const deadlineMs = 300_000;
const models = [
  { name: 'e1000e', options: 'e1000e' },
  { name: 'rtl8139', options: 'rtl8139' },
  { name: 'ich9-intel-hda', options: 'ich9-intel-hda' },
  { name: 'qemu-xhci', options: 'qemu-xhci' },
];

const begin = 'IMAGE-BEGIN';
const end = 'IMAGES-END';

// Mounted by hand: the kernel has no other file system than this one.
const init = `#!/bin/busybox sh
/bin/busybox mount -t proc none /proc
/bin/busybox mount -t sysfs none /sys
for device in /sys/bus/pci/devices/*; do
  echo "${begin} $(/bin/busybox cat $device/vendor) $(/bin/busybox cat $device/device)"
  /bin/busybox cat $device/resource
  /bin/busybox od -A n -v -t x1 $device/config
done
echo ${end}
echo o > /proc/sysrq-trigger
/bin/busybox sleep 60
`;

/** What an operating system and a firmware choose freely: everything else must be equal, bit by bit. */
const chosen = [
  { what: 'Command and Status', offset: 0x04, sizeBytes: 4 },
  { what: 'cache line size and latency timer', offset: 0x0c, sizeBytes: 2 },
  { what: 'BAR addresses', offset: 0x10, sizeBytes: 24 },
  { what: 'ROM address', offset: 0x30, sizeBytes: 4 },
  { what: 'interrupt line', offset: 0x3c, sizeBytes: 1 },
];

/** By capability id: bytes from its start. Linux's PCI core sets these without a driver. */
const chosenInCapability = {
  0x01: [{ what: 'power management control and status', offset: 4, sizeBytes: 2 }],
  0x10: [
    { what: 'device control and status', offset: 0x08, sizeBytes: 4 },
    { what: 'link control and status', offset: 0x10, sizeBytes: 4 },
    { what: 'device control 2', offset: 0x28, sizeBytes: 2 },
  ],
};

/** The same in the extended space; the core clears what firmware left in the error status. */
const chosenExtended = { 0x0001: [{ what: 'error masks and control', offset: 0x04, sizeBytes: 0x18 }] };

/** @returns whether nothing differs but what is listed above */
export async function checkUnderLinux(qemu, kernel, records) {
  const folder = mkdtempSync(join(tmpdir(), 'xenpt-linux-'));
  try {
    const text = await boot(qemu, kernel, initramfs(folder));
    const images = parseImages(text);
    const verdicts = models.map((model) => compare(model.name, images, records));
    return verdicts.every(Boolean);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function initramfs(folder) {
  const root = join(folder, 'root');
  for (const name of ['bin', 'proc', 'sys', 'dev']) mkdirSync(join(root, name), { recursive: true });
  copyFileSync(busybox, join(root, 'bin/busybox'));
  writeFileSync(join(root, 'init'), init, { mode: 0o755 });
  const archive = join(folder, 'initramfs');
  execFileSync('sh', ['-c', `find . | cpio -o -H newc --quiet > ${archive}`], { cwd: root });
  return archive;
}

function boot(qemu, kernel, archive) {
  const devices = models.flatMap(({ options }, index) => [
    ...['-device', `pcie-root-port,id=rootport${index},chassis=${index + 1}`],
    ...[
      '-device',
      options.startsWith('rtl') || options.startsWith('ich9') ? options : `${options},bus=rootport${index}`,
    ],
  ]);
  const machine = spawn(qemu, [
    ...['-machine', 'q35', '-accel', 'tcg', '-cpu', 'max', '-m', '512M', '-nodefaults', '-display', 'none'],
    ...['-no-reboot', '-kernel', kernel, '-initrd', archive, '-append', 'console=ttyS0 quiet panic=-1'],
    ...['-serial', 'stdio', ...devices],
  ]);
  return new Promise((resolve, reject) => {
    let text = '';
    const timer = setTimeout(() => machine.kill('SIGKILL'), deadlineMs);
    machine.stderr.on('data', (chunk) => (text += chunk));
    machine.stdout.on('data', (chunk) => {
      text += chunk;
      if (text.includes(end)) machine.kill('SIGTERM');
    });
    machine.on('close', () => {
      clearTimeout(timer);
      if (text.includes(end)) resolve(text);
      else reject(new Error(`Linux did not get to the end:\n${text.slice(-2000)}`));
    });
  });
}

function parseImages(text) {
  return text
    .slice(text.indexOf(begin), text.indexOf(end))
    .split(begin)
    .slice(1)
    .map((part) => {
      const [ids, ...lines] = part.trim().split(/\r?\n/);
      const [vendorId, deviceId] = ids.trim().split(' ').map(Number);
      const ranges = lines.filter((line) => line.startsWith('0x')).map((line) => line.split(' ').map(BigInt));
      const bytes = lines.filter((line) => !line.startsWith('0x')).join(' ');
      return {
        vendorId,
        deviceId,
        ranges,
        config: Uint8Array.from(bytes.match(/[0-9a-f]{2}/g) ?? [], (byte) => Number.parseInt(byte, 16)),
      };
    });
}

function compare(name, images, records) {
  const record = records.find((one) => one.name === name);
  const linux = images.find(
    ({ vendorId, deviceId }) => vendorId === record?.vendorId && deviceId === record.deviceId,
  );
  if (record === undefined || linux === undefined) {
    process.stdout.write(`${name}: ${record === undefined ? 'not recorded' : 'not found under Linux'}\n`);
    return false;
  }
  const recorded = toBytes(record);
  const free = freeBytes(recorded);
  const differing = [...recorded.keys()].filter(
    (offset) => !free.has(offset) && recorded[offset] !== linux.config[offset],
  );
  const sizes = record.resources.filter(({ index, sizeBytes }) => {
    const [start, last] = linux.ranges[index] ?? [0n, 0n];
    // Linux does not place the ROM of a function that nobody uses; it knows its size all the same.
    return last - start + 1n !== BigInt(sizeBytes);
  });
  const lengthEqual = recorded.length === linux.config.length;
  process.stdout.write(
    `${name}: ${recorded.length} bytes, Linux ${linux.config.length}; ${free.size} bytes chosen by the system; ` +
      `differing: ${differing.map((offset) => `0x${offset.toString(16)}`).join(' ') || 'none'}; ` +
      `BAR sizes differing: ${sizes.map(({ index }) => index).join(' ') || 'none'}\n`,
  );
  return lengthEqual && differing.length === 0 && sizes.length === 0;
}

function freeBytes(config) {
  const free = new Set();
  const add = (base, ranges) => {
    for (const { offset, sizeBytes } of ranges) {
      for (let byte = 0; byte < sizeBytes; byte += 1) free.add(base + offset + byte);
    }
  };
  add(0, chosen);
  let pointer = (config[6] & 0x10) === 0 ? 0 : config[0x34];
  for (let hop = 0; pointer >= 0x40 && hop < 48; hop += 1) {
    add(pointer, chosenInCapability[config[pointer]] ?? []);
    pointer = config[pointer + 1];
  }
  const view = new DataView(config.buffer);
  let extended = config.length > 256 ? 0x100 : 0;
  for (let hop = 0; extended >= 0x100 && hop < 480; hop += 1) {
    const header = view.getUint32(extended, true);
    add(extended, chosenExtended[header & 0xffff] ?? []);
    extended = (header >>> 20) & 0xffc;
  }
  return free;
}
