import type { QmpClient } from '../qmp/client.js';
import type { DefaultCommands, DefaultEvents } from '../qmp/default-maps.js';
import type { QmpClientOptions } from '../qmp/options.js';
import {
  listen as listenGeneric,
  type ListenAddress,
  type QmpListener as GenericListener,
} from './generic-listen.js';

export type { ListenAddress } from './generic-listen.js';

export interface QmpListener extends GenericListener {
  /** Waits for the next QEMU, greets and negotiates; without a limit of time but `signal`. */
  accept<C = DefaultCommands, E = DefaultEvents>(options?: QmpClientOptions): Promise<QmpClient<C, E>>;
}

/** Listens for QEMUs that connect out. @throws QmpConnectError when the address can not be had. */
export const listen: (address: ListenAddress) => Promise<QmpListener> = listenGeneric;
