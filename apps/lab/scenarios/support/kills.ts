import { expect } from 'vitest';
import type { Lab } from '../../src/lab.js';

/** Ends the process that passes the fault point, as the kernel would for want of memory. */
const killHook = `
globalThis[Symbol.for('xenpt.faultPoint')] = (point) => {
  if (point === process.env.KILL_AT) process.kill(process.pid, 'SIGKILL');
};
`;
const killed = 137;
const moments = ['before', 'intended', 'performed', 'after'];
const steps = {
  add: ['record-driver', 'unbind', 'new-slot', 'bind-pciback', 'check', 'quarantine'],
  remove: ['leave-quarantine', 'unbind-pciback', 'remove-slot', 'repair-config', 'bind-driver', 'forget'],
} as const;
/** With a `driver_override`, which is one step more. */
const overrideSteps = { add: ['clear-override'], remove: ['restore-override'] } as const;

export interface Kills {
  readonly verb: 'add' | 'remove';
  /** `unbind:performed` */
  readonly points: readonly string[];
  /** What stands in `driver_override` before the card is taken, and after all. */
  readonly override: string | null;
}

/** Between two drivers. */
export const oneKill: Kills = { verb: 'add', points: ['unbind:performed'], override: null };

/** Before and after each write of the journal and each effect. */
export const everyKill: readonly Kills[] = (['add', 'remove'] as const).flatMap((verb) => [
  { verb, points: pointsOf(steps[verb]), override: null },
  { verb, points: pointsOf(overrideSteps[verb]), override: 'e1000e' },
]);

function pointsOf(names: readonly string[]): string[] {
  return names.flatMap((name) => moments.map((moment) => `${name}:${moment}`));
}

/**
 * One line of JSON for each kill: how the killed command ended, what `recover` did, and how the card is afterwards. All
 * of it in one go in dom0, whose processor takes longer for a call from here than for what is called.
 */
function script(sbdf: string, { verb, points, override }: Kills): string {
  const device = `/sys/bus/pci/devices/${sbdf}`;
  return [
    `override() { printf '%s\\n' "$1" >${device}/driver_override; }`,
    `for point in ${points.join(' ')}; do`,
    ...(override === null ? [] : [`  override ${override}`]),
    ...(verb === 'remove' ? [`  xenpt assignable add ${sbdf} >/dev/null || exit`] : []),
    `  NODE_OPTIONS=--import=/tmp/kill.mjs KILL_AT=$point xenpt assignable ${verb} ${sbdf} >/tmp/killed 2>&1`,
    '  code=$?',
    '  recovered=$(xenpt recover --json | tr -d "\\n")',
    `  driver=$(basename "$(readlink ${device}/driver)")`,
    `  listed=$(xl pci-assignable-list | grep -c ${sbdf})`,
    `  left=$(cat ${device}/driver_override)`,
    `  slots=$(grep -c ${sbdf} /sys/bus/pci/drivers/pciback/slots)`,
    `  printf '{"point":"%s","exitCode":%s,"driver":"%s","listed":%s,"override":"%s","slots":%s,"recovered":%s}\\n' \\`,
    '    "$point" "$code" "$driver" "$listed" "$left" "$slots" "${recovered:-null}"',
    'done',
    ...(override === null ? [] : ["override ''"]),
  ].join('\n');
}

/** Kills the command at each point in turn; `recover` puts the card back on its driver each time. */
export async function surviveKillsAt(lab: Lab, sbdf: string, kills: Kills): Promise<void> {
  await lab.writeFile('/tmp/kill.mjs', killHook);
  const output = await lab.run(script(sbdf, kills), { timeoutMs: 1_500_000 });
  const seen = output.split('\n').filter(Boolean);
  const outcome = kills.verb === 'add' ? 'rolled-back' : 'completed';
  expect(seen.map((line) => JSON.parse(line) as unknown)).toMatchObject(
    kills.points.map((point) => ({
      point,
      exitCode: killed,
      recovered: { transactions: [{ sbdf, outcome }] },
      driver: 'e1000e',
      listed: 0,
      override: kills.override ?? '(null)',
      slots: 0,
    })),
  );
}
