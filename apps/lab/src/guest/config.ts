import { LabError, LabErrorCode } from '../errors.js';
import { guestAddresses } from '../image/linux-image.js';

/** Where the image keeps the guest's kernel, initramfs and drivers. */
export const guestHome = '/usr/lib/xenpt-lab/guest';

/** A guest as its scenario wants it. */
export interface GuestOptions {
  /** A word; unique among the host's guests. */
  readonly name: string;
  /** Default: `hvm`. The others have no device model, and no devices. */
  readonly type?: 'hvm' | 'pv' | 'pvh';
  /** For `pv` and `pvh`, which need one: an ELF kernel in dom0, gzipped or not. */
  readonly kernel?: string;
  /** Default: 256, at least 192: the initramfs is put at 128 MiB. */
  readonly memoryMiB?: number;
  /** Default: 1. */
  readonly vcpus?: number;
  /** Devices passed through by QEMU's own model: `0000:01:00.0`. They must be assignable. */
  readonly pci?: readonly string[];
  /** For devices that the toolstack does not attach itself. */
  readonly passthrough?: 'sync_pt';
  /** Created but not started: see {@link Guest.unpause}. */
  readonly paused?: boolean;
  /** What `xl` does when the guest reboots. Default: `destroy`, so that there is a moment in which to look. */
  readonly onReboot?: 'destroy' | 'restart';
  /** Drivers that the guest loads when it starts. Default: e1000e. */
  readonly modules?: readonly string[];
  /** A busybox shell script that the guest runs before it takes commands; it prints to the console. */
  readonly script?: string;
  /** Appended to the guest's kernel command line. */
  readonly kernelArguments?: readonly string[];
  /** Lines added to xl's configuration. */
  readonly extraConfig?: readonly string[];
}

export const defaultMemoryMiB = 256;
const minimumMemoryMiB = 192;
export const defaultGuestModules: readonly string[] = ['e1000e'];

/** The files of one guest in dom0. */
export function guestFiles(name: string) {
  if (!/^[a-z][a-z0-9-]{0,30}$/.test(name)) {
    throw new LabError(
      LabErrorCode.unknown,
      `A guest's name is a lower-case word of up to 31 letters, not "${name}".`,
    );
  }
  const base = `/run/xenpt-lab/guest-${name}`;
  return {
    config: `${base}.cfg`,
    entry: `${base}.entry`,
    initramfs: `${base}.cpio`,
    script: `${base}-script.cpio`,
    serial: `${base}-serial.sock`,
  };
}

/**
 * Why what is not obvious is there:
 * - `tsc_mode`, `cpuid`: TCG does not report the next instruction pointer for an intercepted RDTSCP, and Xen then
 *   cannot step over it; so no read of the counter is to be intercepted. After an interrupted CMPXCHG16B its flags were
 *   once the low half of RAX, VM and TF among them, and the guest's Linux died of a double fault before it was up.
 * - `quiet`, and no `nographic`, which makes SeaBIOS print its own console on the serial port: each character on an
 *   emulated serial port of an emulated machine takes a millisecond.
 * - `pci=noearly`: on what looks like an old AMD processor Linux searches 256 buses for an AGP bridge (aperture_64.c),
 *   8192 config reads that each take a trip to QEMU: two minutes.
 */
export function guestConfig(options: GuestOptions): string {
  const type = options.type ?? 'hvm';
  const modules = options.modules ?? defaultGuestModules;
  const kernelArguments = [
    ...[
      `console=${type === 'hvm' ? 'ttyS0' : 'hvc0'}`,
      'quiet',
      'clocksource=tsc',
      'tsc=reliable',
      'mitigations=off',
      'panic=-1',
      'pci=noearly',
    ],
    ...(modules.length > 0 ? [`lab.modules=${modules.join(',')}`] : []),
    ...(options.kernelArguments ?? []),
  ];
  const memoryMiB = options.memoryMiB ?? defaultMemoryMiB;
  if (memoryMiB < minimumMemoryMiB) {
    throw new LabError(
      LabErrorCode.unknown,
      `A guest has at least ${minimumMemoryMiB} MiB of memory, not ${memoryMiB}.`,
    );
  }
  const lines = [
    `name=${quoted(options.name)}`,
    `type=${quoted(type)}`,
    `memory=${memoryMiB}`,
    `vcpus=${options.vcpus ?? 1}`,
    `cmdline=${quoted(kernelArguments.join(' '))}`,
    ...(type === 'hvm' ? emulatedMachine(options) : builtByToolstack(options)),
    ...(options.pci?.length ? [`pci=[${options.pci.map(quoted).join(', ')}]`] : []),
    ...(options.passthrough ? [`passthrough=${quoted(options.passthrough)}`] : []),
    'tsc_mode="native"',
    'cpuid="host,rdtscp=0,cmpxchg16=0"',
    'on_poweroff="destroy"',
    `on_reboot=${quoted(options.onReboot ?? 'destroy')}`,
    'on_crash="destroy"',
    ...(options.extraConfig ?? []),
  ];
  return `${lines.join('\n')}\n`;
}

function emulatedMachine({ name }: GuestOptions): string[] {
  const files = guestFiles(name);
  return [
    `kernel=${quoted(`${guestHome}/real-mode`)}`,
    `device_model_args_hvm=[${deviceModelArguments(files).map(quoted).join(', ')}]`,
    `serial=${quoted(`unix:${files.serial}`)}`,
    'vga="none"',
    'vnc=0',
    'usb=0',
  ];
}

function builtByToolstack({ name, kernel }: GuestOptions): string[] {
  if (kernel === undefined)
    throw new LabError(LabErrorCode.unknown, `The guest ${name} is not HVM: give it a kernel.`);
  return [`kernel=${quoted(kernel)}`, `ramdisk=${quoted(guestFiles(name).initramfs)}`];
}

/**
 * Has QEMU write the kernel, its entry and the initramfs into the guest's memory: QEMU 7.2 hands a Xen guest its kernel
 * through an I/O port, byte by byte, which takes half a minute here; its loader device writes a file at once.
 */
function deviceModelArguments({ entry, initramfs }: ReturnType<typeof guestFiles>): string[] {
  const load = (path: string, address: number) => {
    return ['-device', `loader,file=${path},addr=0x${address.toString(16)},force-raw=on`];
  };
  return [
    ...load(entry, guestAddresses.entry),
    ...load(`${guestHome}/kernel`, guestAddresses.kernel),
    ...load(initramfs, guestAddresses.initramfs),
  ];
}

function quoted(text: string): string {
  if (/["\\\n]/.test(text)) throw new LabError(LabErrorCode.unknown, `xl cannot take ${JSON.stringify(text)}.`);
  return `"${text}"`;
}
