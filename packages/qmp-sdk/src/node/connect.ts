import type { QmpClient } from '../qmp/client.js';
import type { DefaultCommands, DefaultEvents } from '../qmp/default-maps.js';
import { connect as connectGeneric, type ConnectOptions, type QmpAddress } from './generic-connect.js';

export { describeAddress, type ConnectOptions, type QmpAddress } from './generic-connect.js';

/**
 * Connects to a monitor: dials, as often as the deadline allows while QEMU is not there yet, greets and negotiates.
 *
 * @throws QmpConnectError, QmpMonitorBusyError, QmpAbortedError, RangeError for an option out of range.
 */
export const connect: <C = DefaultCommands, E = DefaultEvents>(
  address: QmpAddress,
  options?: ConnectOptions,
) => Promise<QmpClient<C, E>> = connectGeneric;
