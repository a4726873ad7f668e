import type { DefaultCommands, DefaultEvents } from './default-maps.js';
import { QmpClient as GenericClient } from './generic-client.js';
import type { QmpClientOptions } from './options.js';
import type { QmpTransport } from './transport.js';

/**
 * A connected, negotiated QMP session. Without maps of commands and events every command of every supported QEMU is
 * known.
 *
 * @example
 * await using client = await connect({ unix: '/run/vm.qmp' });
 * const { status } = await client.execute('query-status');
 */
export type QmpClient<C = DefaultCommands, E = DefaultEvents> = GenericClient<C, E>;

/** The class itself, for `instanceof` and for streams that are open already. */
// Its constructor is protected: a NewableFunction it is not.
// eslint-disable-next-line @typescript-eslint/no-unsafe-function-type
interface QmpClientClass extends Function {
  readonly prototype: GenericClient<unknown, unknown>;

  /**
   * Greets and negotiates over a stream that is open already.
   *
   * @throws QmpMonitorBusyError when nobody greets, QmpConnectError when the other side leaves, is no QMP server or
   * refuses the negotiation, QmpAbortedError for `signal`. The transport is closed then.
   */
  connect<C = DefaultCommands, E = DefaultEvents>(
    transport: QmpTransport,
    options?: QmpClientOptions,
  ): Promise<QmpClient<C, E>>;
}

export const QmpClient: QmpClientClass = GenericClient;
