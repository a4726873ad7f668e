import type { ExecuteOptions } from '../qmp/options.js';
import { unexpectedResult } from './errors.js';
import type { QmpMonitor } from './monitor.js';

/**
 * Runs a command of the human monitor and returns what it printed.
 *
 * Its errors are text like any other: "unknown command: …" comes back as a success, and what is printed changes
 * from one release to the next. So it is for people and for what QMP cannot do; never decide by its output.
 */
export async function runHumanMonitorCommand(
  monitor: QmpMonitor,
  commandLine: string,
  options: ExecuteOptions & { readonly cpuIndex?: number } = {},
): Promise<string> {
  const { cpuIndex, ...execute } = options;
  const args = { 'command-line': commandLine, 'cpu-index': cpuIndex };
  const text = await monitor.raw('human-monitor-command', args, execute);
  if (typeof text !== 'string') throw unexpectedResult('human-monitor-command', 'text');
  return text.replaceAll('\r\n', '\n');
}
