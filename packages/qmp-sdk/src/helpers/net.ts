import { isCommandError } from '../qmp/errors.js';
import { unexpectedResult } from './errors.js';
import type { QmpMonitor, ResultOf } from './monitor.js';

/** Where QEMU keeps devices with an id, without one, and those it made by itself. */
const CONTAINERS = ['/machine/peripheral', '/machine/peripheral-anon'];
/** Each costs two round trips; a guest has a handful. */
const MAX_DEVICES = 256;

/** One network card that QEMU emulates. */
export interface NetworkDevice {
  /** '' for one that was given no id. */
  readonly id: string;
  readonly path: string;
  /** QEMU's driver: `e1000`, `rtl8139`, `virtio-net-pci`. */
  readonly driver: string;
  readonly mac: string;
  /** Id of the backend; '' when none is connected. */
  readonly backend: string;
}

/**
 * The network cards of a guest: QMP has no query for them, so these are the devices that have the properties `mac`
 * and `netdev`.
 */
export async function listNetworkDevices(monitor: QmpMonitor): Promise<NetworkDevice[]> {
  const found: NetworkDevice[] = [];
  for (const container of CONTAINERS) {
    const children = (await listProperties(monitor, container)).filter(({ type }) => type.startsWith('child<'));
    for (const { name, type } of children.slice(0, MAX_DEVICES)) {
      const path = `${container}/${name}`;
      const names = new Set((await listProperties(monitor, path)).map((property) => property.name));
      if (!names.has('mac') || !names.has('netdev')) continue;
      found.push({
        id: container.endsWith('-anon') ? '' : name,
        path,
        driver: type.slice('child<'.length, -1),
        mac: await readText(monitor, path, 'mac'),
        backend: await readText(monitor, path, 'netdev'),
      });
    }
  }
  return found;
}

async function listProperties(monitor: QmpMonitor, path: string): Promise<ResultOf<'qom-list'>> {
  try {
    const properties = await monitor.raw<ResultOf<'qom-list'>>('qom-list', { path });
    if (!Array.isArray(properties)) throw unexpectedResult('qom-list', 'list');
    return properties;
  } catch (error) {
    // Unplugged in between.
    if (isCommandError(error)) return [];
    throw error;
  }
}

async function readText(monitor: QmpMonitor, path: string, property: string): Promise<string> {
  try {
    const value = await monitor.raw('qom-get', { path, property });
    return typeof value === 'string' ? value : '';
  } catch (error) {
    if (isCommandError(error)) return '';
    throw error;
  }
}
