import type { FunctionIdentity } from '@xenpt/pci';
import { type Assignment, ASSIGNMENTS_PATH, formatAssignments } from './assignments.js';

/** A file that keeps devices assignable over restarts; null: it is to go. */
export interface PersistFile {
  readonly path: string;
  readonly content: string | null;
  readonly mode: number;
  /** A link to this instead of a file. */
  readonly target?: string;
}

/** What the host has that reads such files. */
export interface BootFacts {
  readonly systemd: boolean;
  readonly initramfsTools: boolean;
  readonly dracut: boolean;
  /** How this program is started, word by word. */
  readonly command: readonly string[];
}

const UNIT = 'xenpt-assignments.service';
const RULES = '/etc/udev/rules.d/60-xenpt.rules';
const MODULES = '/etc/modprobe.d/xenpt.conf';
const HEAD = '# Written by xenpt: `xenpt assignable add --persist` and `remove --persist` change it.\n';

/**
 * The files for these devices, in the order in which they are written; all of them to go for none.
 *
 *     initramfs, udev   finds a card by what it is, before any driver: driver_override = pciback
 *     modprobe          pciback is loaded before the driver that would take the card
 *     systemd           xenpt assignable restore: quarantine, or the difference if it is another card
 */
export function persistFiles(assignments: readonly Assignment[], facts: BootFacts): readonly PersistFile[] {
  const file = (path: string, content: string, mode = 0o644): PersistFile => {
    return { path, content: assignments.length === 0 ? null : content, mode };
  };
  const unit = `/etc/systemd/system/${UNIT}`;
  const wanted = file(`/etc/systemd/system/multi-user.target.wants/${UNIT}`, '');
  return [
    file(ASSIGNMENTS_PATH, formatAssignments(assignments)),
    file(RULES, HEAD + assignments.map(udevRule).join('')),
    file(MODULES, HEAD + softDependencies(assignments)),
    ...(facts.systemd ? [file(unit, unitText(facts.command)), { ...wanted, target: `../${UNIT}` }] : []),
    ...(facts.initramfsTools ? [file('/etc/initramfs-tools/hooks/xenpt', initramfsHook, 0o755)] : []),
    ...(facts.dracut ? [file('/etc/dracut.conf.d/xenpt.conf', dracutConfiguration)] : []),
  ];
}

/** Before 80-drivers.rules, which loads the driver (udev(7)). Any bus number will do: what counts is the way. */
function udevRule({ identity, address }: Assignment): string {
  const [root = '', ...steps] = identity.path.split('/');
  const segment = root.slice(0, 4);
  const matches = [
    'ACTION=="add"',
    'SUBSYSTEM=="pci"',
    `DEVPATH=="/devices/pci${root}/${steps.map((step) => `${segment}:??:${step}`).join('/')}"`,
    ...idAttributes(identity).map(([name, value]) => `ATTR{${name}}=="${value}"`),
  ];
  return `# ${address} when it was recorded\n${matches.join(', ')}, ATTR{driver_override}="pciback"\n`;
}

function idAttributes(identity: FunctionIdentity): (readonly [name: string, value: string])[] {
  const hex = (value: number, digits: number) => `0x${value.toString(16).padStart(digits, '0')}`;
  return [
    ['vendor', hex(identity.vendorId, 4)],
    ['device', hex(identity.deviceId, 4)],
    ['subsystem_vendor', hex(identity.subsystemVendorId, 4)],
    ['subsystem_device', hex(identity.subsystemDeviceId, 4)],
    ['class', hex(identity.classCode, 6)],
  ];
}

function softDependencies(assignments: readonly Assignment[]): string {
  const drivers = new Set(assignments.flatMap(({ driver }) => driver?.split('/').pop() ?? []));
  return [...drivers].map((driver) => `softdep ${driver} pre: xen-pciback\n`).join('');
}

const unitText = (command: readonly string[]): string => `${HEAD}[Unit]
Description=PCI devices that xenpt keeps assignable
ConditionPathExists=${ASSIGNMENTS_PATH}
ConditionPathExists=/proc/xen/capabilities
After=xen.service xenstored.service xen-init-dom0.service
Before=xendomains.service

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=${command.map(unitWord).join(' ')} assignable restore

[Install]
WantedBy=multi-user.target
`;

/** systemd.service(5): blanks end a word, % and $ begin something else. */
export function unitWord(word: string): string {
  const escaped = word.replace(/[\\"]/g, '\\$&').replaceAll('%', '%%').replaceAll('$', '$$$$');
  return /[\s"'\\]/.test(word) ? `"${escaped}"` : escaped;
}

const initramfsHook = `#!/bin/sh
${HEAD}[ "$1" = prereqs ] && exit 0
. /usr/share/initramfs-tools/hook-functions
manual_add_modules xen-pciback
mkdir -p "$DESTDIR/lib/udev/rules.d"
cp ${RULES} "$DESTDIR/lib/udev/rules.d/"
`;

const dracutConfiguration = `${HEAD}add_drivers+=" xen-pciback "
install_items+=" ${RULES} ${MODULES} "
`;
