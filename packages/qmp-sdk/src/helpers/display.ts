import { isCommandError } from '../qmp/errors.js';
import { unexpectedResult } from './errors.js';
import type { QmpMonitor, ResultOf } from './monitor.js';

/** One address under which a guest's screen can be looked at. */
export interface DisplayServer {
  readonly protocol: 'vnc' | 'spice';
  /** An IP address; '' for a socket in the file system. */
  readonly host: string;
  /** A port, or the path of the socket. */
  readonly service: string;
  /** `none` lets everybody in who can connect. */
  readonly authentication: string;
  readonly clients: number;
}

/** The VNC and SPICE servers of a QEMU; none where it was built without. */
export async function listDisplayServers(monitor: QmpMonitor): Promise<DisplayServer[]> {
  const servers = (await ifKnown<ResultOf<'query-vnc-servers'>>(monitor, 'query-vnc-servers')) ?? [];
  if (!Array.isArray(servers)) throw unexpectedResult('query-vnc-servers', 'list');
  const vnc = servers.flatMap(({ server, clients }) =>
    server.map(({ host, service, auth }): DisplayServer => {
      return { protocol: 'vnc', host, service, authentication: auth, clients: clients.length };
    }),
  );
  const spice = await ifKnown<ResultOf<'query-spice'>>(monitor, 'query-spice');
  if (spice?.enabled !== true) return vnc;
  const { host = '', port, auth = 'none', channels = [] } = spice;
  const service = String(port ?? spice['tls-port'] ?? '');
  return [...vnc, { protocol: 'spice', host, service, authentication: auth, clients: channels.length }];
}

async function ifKnown<R>(monitor: QmpMonitor, command: string): Promise<R | undefined> {
  try {
    return await monitor.raw<R>(command);
  } catch (error) {
    if (isCommandError(error, 'CommandNotFound')) return undefined;
    throw error;
  }
}
