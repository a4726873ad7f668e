import { join } from 'node:path';
import type { Image } from '../image/build.js';
import { deviceArguments, escaped, type LabDevice } from './devices.js';

/** A machine's state after its boot, as files in one folder of the cache. */
export interface SavedState {
  readonly directory: string;
  /** Memory and devices: QEMU's migration stream. */
  readonly memory: string;
  /** What the boot wrote to the disk, over the image. */
  readonly disk: string;
  /** What Xen and dom0 had printed. */
  readonly serialLog: string;
}

export interface MachineOptions {
  /** QEMU's program: a path, or a name to be found by PATH. */
  readonly emulator: string;
  readonly image: Pick<Image, 'disk' | 'xen' | 'kernel' | 'initramfs'>;
  readonly devices: readonly LabDevice[];
  /** Folder for the sockets and the serial log. */
  readonly runDirectory: string;
  /** Without: no IOMMU in the machine, and Xen is told so. Default: with. */
  readonly iommu?: boolean;
  /** Of the machine, and of dom0. One makes a request of a guest cheaper on a busy host: see the README. Default: 2. */
  readonly processors?: 1 | 2;
  /** Appended to Xen's command line. */
  readonly xenArguments?: readonly string[];
  /** Appended to dom0's kernel command line. */
  readonly kernelArguments?: readonly string[];
  /** Goes on from there instead of booting. */
  readonly resume?: SavedState;
}

/** The machine's files in its run folder. */
export function runFiles(runDirectory: string) {
  return {
    serialLog: join(runDirectory, 'serial.log'),
    qemuLog: join(runDirectory, 'qemu.log'),
    agentSocket: join(runDirectory, 'agent.sock'),
    terminalSocket: join(runDirectory, 'terminal.sock'),
    monitorSocket: join(runDirectory, 'monitor.sock'),
    disk: join(runDirectory, 'disk.qcow2'),
  };
}

export const agentPortName = 'xenpt.agent';

const defaultProcessors = 2;

/**
 * SMAP, SMEP, PKU and LA57 are off: with SMAP a PV dom0 dies at its first bounce frame. XSAVE is off because TCG's does
 * not trap when CR0.TS is set, which is what Xen's lazy switching of registers relies on.
 */
const processorModel = 'max,-smap,-smep,-pku,-la57,-xsave';

/**
 * QEMU's command line. The processor is emulated: no KVM is needed, and TCG's AMD model gives Xen nested paging.
 * - `no-sharept`, because VT-d's table format is not AMD's.
 * - XSAVE is off, and `spec-ctrl=eager-fpu`: TCG's XSAVE does not trap when CR0.TS is set, so that with Xen's lazy
 *   switching dom0 would save a guest's registers as its own. Seen: Node and bash in dom0 crash while a guest runs.
 * - `kernel-irqchip=off` is what the IOMMU's interrupt remapping asks for.
 */
export function qemuArguments(options: MachineOptions): string[] {
  const { image, runDirectory } = options;
  const withIommu = options.iommu ?? true;
  const processors = options.processors ?? defaultProcessors;
  const files = runFiles(runDirectory);
  const socket = (id: string, path: string) => `socket,id=${id},path=${escaped(path)},server=on,wait=off`;
  return [
    ...['-machine', 'q35,kernel-irqchip=off', '-accel', 'tcg,thread=multi', '-cpu', processorModel],
    ...['-smp', String(processors), '-m', '4G'],
    ...['-nodefaults', '-no-reboot', '-display', 'none', '-vga', 'none', '-monitor', 'none', '-nic', 'none'],
    ...['-chardev', `file,id=serial,path=${escaped(files.serialLog)},append=on`, '-serial', 'chardev:serial'],
    ...['-chardev', socket('monitor', files.monitorSocket), '-mon', 'chardev=monitor,mode=control'],
    ...['-kernel', image.xen, '-append', xenArguments(withIommu, processors, options.xenArguments ?? [])],
    ...['-initrd', dom0Modules(image, options.kernelArguments ?? [])],
    ...(withIommu ? ['-device', 'intel-iommu,intremap=on'] : []),
    // Nobody reads this disk after the machine's end.
    ...['-drive', `if=none,id=disk,file=${escaped(files.disk)},format=qcow2,cache=unsafe`],
    ...['-device', 'virtio-blk-pci,drive=disk,bus=pcie.0,addr=0x02'],
    ...['-device', 'virtio-serial-pci,id=channels,bus=pcie.0,addr=0x03'],
    ...['-chardev', socket('agent', files.agentSocket)],
    ...['-device', `virtserialport,bus=channels.0,nr=1,chardev=agent,name=${agentPortName}`],
    ...['-chardev', socket('terminal', files.terminalSocket)],
    ...['-device', 'virtconsole,bus=channels.0,nr=2,chardev=terminal'],
    ...deviceArguments(options.devices),
    ...(options.resume ? ['-incoming', `exec:exec cat '${options.resume.memory.replaceAll("'", `'\\''`)}'`] : []),
  ];
}

/** qemu-img's arguments for the machine's disk: a throw-away layer over the image, or over what the boot wrote. */
export function diskLayerArguments({ image, resume, runDirectory }: MachineOptions): string[] {
  const below = resume ? ['-F', 'qcow2', '-b', resume.disk] : ['-F', 'raw', '-b', image.disk];
  return ['create', '-q', '-f', 'qcow2', ...below, runFiles(runDirectory).disk];
}

function xenArguments(withIommu: boolean, processors: number, extra: readonly string[]): string {
  const iommu = withIommu ? 'iommu=verbose,required,no-sharept' : 'iommu=0';
  const memory = `dom0_mem=1536M,max:1536M dom0_max_vcpus=${processors}`;
  const console = 'console=com1 com1=115200 conring_size=1m loglvl=all guest_loglvl=all';
  return [console, memory, iommu, 'spec-ctrl=eager-fpu', ...extra].join(' ');
}

// Multiboot modules: the first's arguments follow its path; commas part the modules.
function dom0Modules(image: MachineOptions['image'], extra: readonly string[]): string {
  const kernelArguments = ['console=hvc0', 'quiet', 'mitigations=off', 'panic=-1', 'pci=noearly', ...extra]
    .map(escaped)
    .join(' ');
  return `${escaped(image.kernel)} ${kernelArguments},${escaped(image.initramfs)}`;
}
