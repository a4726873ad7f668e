import type { Commands } from '../types/index.js';
import type { JsonObject } from '../qmp/json.js';
import { unexpectedResult } from './errors.js';
import type { QmpMonitor, ResultOf } from './monitor.js';

/** By QEMU's names: `events`, `pause-before-switchover`, `postcopy-ram`, `multifd`, … */
export type MigrationCapabilities = Readonly<Record<string, boolean>>;
/** By QEMU's names: `max-bandwidth` in bytes per second, `downtime-limit` in ms, `multifd-channels`, … */
export type MigrationParameters = Readonly<Commands['migrate-set-parameters']['args']>;

export interface MigrationSettings {
  readonly capabilities?: MigrationCapabilities;
  readonly parameters?: MigrationParameters;
}

export async function getMigrationCapabilities(monitor: QmpMonitor): Promise<MigrationCapabilities> {
  const list = await monitor.raw<ResultOf<'query-migrate-capabilities'>>('query-migrate-capabilities');
  if (!Array.isArray(list)) throw unexpectedResult('query-migrate-capabilities', 'list');
  return Object.fromEntries(list.map(({ capability, state }) => [capability, state]));
}

/** @throws QmpCommandError when QEMU has no such capability, or a migration runs. */
export async function setMigrationCapabilities(monitor: QmpMonitor, wanted: MigrationCapabilities): Promise<void> {
  const capabilities = Object.entries(wanted).map(([capability, state]) => ({ capability, state }));
  if (capabilities.length > 0) await monitor.raw('migrate-set-capabilities', { capabilities });
}

export async function getMigrationParameters(monitor: QmpMonitor): Promise<ResultOf<'query-migrate-parameters'>> {
  return monitor.raw<ResultOf<'query-migrate-parameters'>>('query-migrate-parameters');
}

export async function setMigrationParameters(monitor: QmpMonitor, wanted: MigrationParameters): Promise<void> {
  if (Object.keys(wanted).length > 0) await monitor.raw('migrate-set-parameters', wanted as JsonObject);
}

/**
 * Applies settings: all of them, or none.
 *
 * @returns what puts back the ones that were changed; it does not throw.
 */
export async function applyMigrationSettings(
  monitor: QmpMonitor,
  { capabilities = {}, parameters = {} }: MigrationSettings,
): Promise<() => Promise<void>> {
  const before = await getMigrationCapabilities(monitor);
  const changed = pick(capabilities, (name, state) => before[name] !== state);
  const parametersBefore =
    Object.keys(parameters).length > 0 ? ((await getMigrationParameters(monitor)) as JsonObject) : {};
  const putBack = async (): Promise<void> => {
    const attempt = (work: Promise<void>) => work.catch(() => {});
    await attempt(
      setMigrationParameters(
        monitor,
        pick(parametersBefore, (name) => name in parameters),
      ),
    );
    await attempt(
      setMigrationCapabilities(
        monitor,
        pick(before, (name) => name in changed),
      ),
    );
  };
  try {
    await setMigrationCapabilities(monitor, changed);
    await setMigrationParameters(monitor, parameters);
  } catch (error) {
    await putBack();
    throw error;
  }
  return putBack;
}

function pick<V>(from: Readonly<Record<string, V>>, wanted: (name: string, value: V) => boolean): Record<string, V> {
  return Object.fromEntries(Object.entries(from).filter(([name, value]) => wanted(name, value)));
}
