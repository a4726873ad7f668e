import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readFileSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { assetsDirectory, readAssets } from '../assets.js';
import { run } from '../host/run.js';
import type { Profile } from '../profile.js';

/** Where the lab's own files are in dom0. */
export const labHome = '/usr/lib/xenpt-lab';

const agentUnit = 'xenpt-lab-agent.service';

/** Units of systemd that wait for a person at a console, or for a message bus, which is not there. */
const maskedUnits = ['getty@.service', 'getty-static.service', 'serial-getty@.service', 'systemd-logind.service'];

/** Does by hand what the packages' maintainer scripts would have done for a dom0 of this kind. */
export async function configureRoot(root: string, profile: Profile, signal?: AbortSignal): Promise<void> {
  for (const name of ['passwd', 'group']) {
    copyFileSync(join(root, `usr/share/base-passwd/${name}.master`), join(root, `etc/${name}`));
  }
  const files: Record<string, string> = {
    'etc/hostname': 'xenpt-lab\n',
    'etc/hosts': '127.0.0.1 localhost xenpt-lab\n',
    'etc/resolv.conf': '',
    'etc/fstab': '',
    // The chip set's other functions: nobody uses them here, and their drivers take two seconds.
    'etc/modprobe.d/xenpt-lab.conf': ['ahci', 'i2c_i801', 'lpc_ich'].map((name) => `blacklist ${name}\n`).join(''),
    'etc/xenpt-lab': `${profile.name}\n`,
    'root/.npmrc': 'audit=false\nfund=false\nupdate-notifier=false\noffline=true\n',
    'root/.bashrc': `PS1='dom0 (${profile.name}) \\w # '\n`,
    'root/.profile': '. ~/.bashrc\n',
    'etc/inittab': readFileSync(join(assetsDirectory, 'dom0/inittab'), 'utf8'),
  };
  for (const [path, text] of Object.entries(files)) writeFileSync(join(root, path), text);
  link(root, 'usr/bin/awk', 'mawk');
  link(root, 'etc/mtab', '/proc/self/mounts');
  for (const name of ['share', 'var/log/xen/console', 'var/lib/xen/dump']) {
    mkdirSync(join(root, name), { recursive: true });
  }
  installAssets(root);
  if (profile.init === 'systemd') await configureSystemd(root, profile, signal);
  else link(root, 'usr/sbin/init', '../bin/busybox');
  await run('chroot', [root, 'ldconfig'], { signal });
  await run('chroot', [root, 'depmod', kernelVersion(root)], { signal });
}

/** The release of the image's one kernel, as in /lib/modules. */
export function kernelVersion(root: string): string {
  const [version] = readdirSync(join(root, 'usr/lib/modules'));
  if (version === undefined) throw new Error('the image has no kernel modules');
  return version;
}

/** Has systemd start Xen's daemons by Debian's own scripts, and the lab's agent. */
async function configureSystemd(root: string, { name }: Profile, signal?: AbortSignal): Promise<void> {
  const units = join(root, 'etc/systemd/system');
  const wanted = (unit: string, target: string) =>
    link(root, `etc/systemd/system/multi-user.target.wants/${unit}`, target);
  for (const [script, service] of Object.entries({ S01xen: 'xen', S02xendomains: 'xendomains' })) {
    link(root, `etc/rc2.d/${script}`, `../init.d/${service}`);
    // Debian 13 has units of its own for the same scripts; systemd makes none of the links above then.
    const unit = `/usr/lib/systemd/system/${service}.service`;
    if (existsSync(join(root, unit))) wanted(basename(unit), unit);
  }
  copyFileSync(join(assetsDirectory, 'dom0', agentUnit), join(units, agentUnit));
  wanted(agentUnit, `../${agentUnit}`);
  // As an operator does who gives cards away: nothing else loads it.
  writeFileSync(join(root, 'etc/modules-load.d/xenpt-lab.conf'), 'xen-pciback\n');
  link(root, 'etc/systemd/system/default.target', '/usr/lib/systemd/system/multi-user.target');
  for (const unit of maskedUnits) link(root, `etc/systemd/system/${unit}`, '/dev/null');
  // Without it, every boot is systemd's first.
  writeFileSync(join(root, 'etc/machine-id'), `${createHash('sha256').update(name).digest('hex').slice(0, 32)}\n`);
  await run('chroot', [root, 'systemd-sysusers'], { signal });
}

function link(root: string, path: string, target: string): void {
  const whole = join(root, path);
  mkdirSync(dirname(whole), { recursive: true });
  if (!existsSync(whole)) symlinkSync(target, whole);
}

function installAssets(root: string): void {
  for (const asset of readAssets()) {
    if (!asset.path.startsWith('dom0/')) continue;
    const path = join(root, labHome, basename(asset.path));
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, asset.content, { mode: 0o755 });
  }
}
