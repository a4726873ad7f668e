import { type Override, overrides, type Reason, type SetAside } from '@xenpt/qmp-sdk/xen';
import type { VerbOption, VerbOptionValues } from '../verb.js';
import type { Style } from './style.js';

/** Each sets aside the rules it names, no other one, and is recorded. There is no option that overrides everything. */
export const overrideOptions: readonly VerbOption[] = [
  {
    flags: '--accept-siblings',
    description: 'although others of its group or bus stay behind (group-incomplete, bus-shared)',
  },
  {
    flags: '--allow-critical',
    description: 'although the host needs it (boot-disk, management-route, only-display)',
  },
  { flags: '--no-reset-ok', description: 'although nothing resets it between guests (no-reset)' },
];

/** Commander reads `--no-reset-ok` as `resetOk: false`. */
const isGiven: Readonly<Record<Override, (options: VerbOptionValues) => boolean>> = {
  'accept-siblings': ({ acceptSiblings }) => acceptSiblings === true,
  'allow-critical': ({ allowCritical }) => allowCritical === true,
  'no-reset-ok': ({ resetOk }) => resetOk === false,
};

export function readOverrides(options: VerbOptionValues): Override[] {
  return overrides.filter((name) => isGiven[name](options));
}

/** A rule's word against a device, as an error tells it. */
export function formatReason({ rule, message, cause, evidence, fix, override }: Reason): string[] {
  return [
    `  ${rule}: ${message}`,
    `    why:  ${cause}`,
    ...evidence.map((line) => `    seen: ${line}`),
    ...(fix === null ? [] : [`    fix:  ${fix}`]),
    ...(override === null ? [] : [`    or:   --${override}`]),
  ];
}

/** What was set aside, one line for each. */
export function formatSetAside(sbdf: string, setAside: readonly SetAside[], style: Style): string[] {
  return setAside.map(({ rule, message, override }) => `${sbdf}: ${style.warning(rule)}: ${message} (--${override})`);
}
