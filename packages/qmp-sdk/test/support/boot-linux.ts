import type { QmpClient } from '../../src/qmp/client.js';
import { GuestShell, linuxGuestFiles } from './linux-guest.js';
import { Qemu } from './qemu.js';

export interface RunningLinux {
  readonly qemu: Qemu;
  readonly client: QmpClient;
  readonly shell: GuestShell;
}

/**
 * A Linux that has started, with a shell.
 *
 * @param machine further arguments of QEMU
 * @param parameters further ones of the kernel
 */
export async function bootLinux({
  program,
  machine = ['-m', '128'],
  parameters = '',
}: {
  readonly program: string;
  readonly machine?: readonly string[];
  readonly parameters?: string;
}): Promise<RunningLinux> {
  const { kernel, initramfs } = await linuxGuestFiles();
  const all = [
    ...['-machine', 'pc', ...machine, '-kernel', kernel, '-initrd', initramfs],
    ...['-append', `console=ttyS0 quiet mitigations=off tsc=reliable panic=-1 ${parameters}`],
    ...['-chardev', 'socket,id=serial,path={}/serial,server=on,wait=off', '-serial', 'chardev:serial'],
  ];
  const qemu = new Qemu(all, { program });
  const client = await qemu.connect();
  const shell = new GuestShell(qemu.path('serial'));
  await shell.ready();
  return { qemu, client, shell };
}
