import { join } from 'node:path';

import type { ManagementInterface } from '../inventory/host-facts.js';
import { readNames, readOptionalText, type SysfsOptions } from './attributes.js';
import { functionOfLink } from './device-links.js';

/** A VLAN on a bridge on a bond. */
const layersMax = 6;
const sshPort = 22;
/** include/net/tcp_states.h */
const established = '01';

interface Route {
  readonly interfaceName: string;
  readonly destination: number;
  readonly mask: number;
}

/** The functions behind the default routes, and behind the routes of the ssh sessions that are open now. */
export function readManagementInterfaces({ sysroot = '/' }: SysfsOptions): ManagementInterface[] {
  const text = (path: string): string => readOptionalText(join(sysroot, path)) ?? '';
  const routes = readRoutes(text('proc/net/route'));
  const reasons = new Map<string, string>();
  for (const { interfaceName, mask } of routes) if (mask === 0) reasons.set(interfaceName, 'default route');
  for (const name of readDefaultRoutes6(text('proc/net/ipv6_route'))) reasons.set(name, 'default route');
  for (const peer of readSshPeers(text('proc/net/tcp'))) {
    const name = routeTo(peer, routes)?.interfaceName;
    if (name !== undefined && !reasons.has(name)) reasons.set(name, 'route of an open ssh session');
  }
  return [...reasons].flatMap(([name, reason]) =>
    portsOf(sysroot, name, layersMax).map(({ address, interfaceName }) => ({
      address,
      interfaceName,
      reason: interfaceName === name ? reason : `${reason} by ${name}`,
    })),
  );
}

/** Addresses are 8 hexadecimal digits in the byte order of the machine, the same for all. */
function readRoutes(text: string): Route[] {
  return text
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter(
      (fields) => fields.length >= 8 && /^[0-9A-F]{8}$/.test(`${fields[1]}`) && /^[0-9A-F]{8}$/.test(`${fields[7]}`),
    )
    .map((fields) => ({
      interfaceName: fields[0] ?? '',
      destination: Number.parseInt(fields[1] ?? '', 16),
      mask: Number.parseInt(fields[7] ?? '', 16),
    }));
}

/** Destination, length of its prefix, source, …, interface. The route of `lo` stands for "unreachable". */
function readDefaultRoutes6(text: string): string[] {
  return text
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(
      ([destination, prefix, , , gateway]) =>
        prefix === '00' && /^0{32}$/.test(`${destination}`) && !/^0*$/.test(`${gateway}`),
    )
    .map((fields) => fields.at(-1) ?? '')
    .filter((name) => name !== 'lo');
}

function readSshPeers(text: string): number[] {
  return text.split('\n').flatMap((line) => {
    const [, port, peer, state] =
      /^\s*\d+: [0-9A-F]{8}:([0-9A-F]{4}) ([0-9A-F]{8}):[0-9A-F]{4} ([0-9A-F]{2}) /.exec(line) ?? [];
    return state === established && Number.parseInt(port ?? '', 16) === sshPort
      ? [Number.parseInt(peer ?? '', 16)]
      : [];
  });
}

function routeTo(peer: number, routes: readonly Route[]): Route | undefined {
  const bits = (mask: number): number => mask.toString(2).replaceAll('0', '').length;
  return routes
    .filter(({ destination, mask }) => (peer & mask) >>> 0 === destination)
    .sort((a, b) => bits(b.mask) - bits(a.mask))[0];
}

/** A card, or the cards below a bridge, a bond or a VLAN. */
function portsOf(
  sysroot: string,
  name: string,
  layers: number,
): Pick<ManagementInterface, 'address' | 'interfaceName'>[] {
  if (layers === 0 || !/^[^/\s]{1,32}$/.test(name) || name.startsWith('.')) return [];
  const folder = join(sysroot, 'sys/class/net', name);
  const address = functionOfLink(folder);
  if (address !== null) return [{ address, interfaceName: name }];
  const lower = readNames(folder)
    .filter((entry) => entry.startsWith('lower_'))
    .map((entry) => entry.slice(6));
  const below = new Set([...readNames(join(folder, 'brif')), ...lower]);
  return [...below].flatMap((port) => portsOf(sysroot, port, layers - 1));
}
