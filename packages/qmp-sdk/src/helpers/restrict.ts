import { QmpOperationError, QmpOperationErrorCode } from './errors.js';
import type { QmpMonitor } from './monitor.js';

/** Commands that change nothing, for {@link restrict}. `query-*` of every QEMU only reads. */
export const readOnlyCommands: readonly string[] = ['query-*', 'qom-list', 'qom-get', 'qom-list-types'];

/**
 * A connection through which only the named commands can be sent, for what is driven by somebody who is trusted
 * less: an agent, a web page. It guards against accidents on this side; QEMU itself knows no such limits.
 *
 * @param allow names, or beginnings of names that end with `*`. `human-monitor-command` allows everything.
 */
export function restrict(monitor: QmpMonitor, allow: readonly string[]): QmpMonitor {
  const isAllowed = (command: string) =>
    allow.some((pattern) => (pattern.endsWith('*') ? command.startsWith(pattern.slice(0, -1)) : command === pattern));
  return {
    raw: (command, args, options) =>
      isAllowed(command) ? monitor.raw(command, args, options) : Promise.reject(notAllowed(command, allow)),
    events: (names, options) => monitor.events(names, options),
    get closed() {
      return monitor.closed;
    },
  };
}

function notAllowed(command: string, allow: readonly string[]): QmpOperationError {
  return new QmpOperationError(
    QmpOperationErrorCode.notAllowed,
    `${command} is not allowed here; allowed are: ${allow.join(', ')}`,
    { next: 'Use another command, or a connection with more rights.' },
  );
}
