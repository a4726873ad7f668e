import { XenptError } from '@xenpt/qmp-sdk';
import type { Io } from './io.js';
import type { VerbOption, VerbOptionValues } from './verb.js';

export const yesOption: VerbOption = {
  flags: '-y, --yes',
  description: 'do not ask on a terminal; off one nothing asks',
};

/** The person at the terminal said no: nothing was done. */
export class Declined extends XenptError {
  constructor() {
    super('XENPT_DECLINED', 'not confirmed; nothing was done', { next: 'Answer y, or give --yes.' });
    this.name = 'Declined';
  }
}

/** Whether somebody would be asked: a script is not, nor who said yes before. */
export function asks({ confirm: ask }: Pick<Io, 'confirm'>, { yes }: VerbOptionValues): boolean {
  return ask !== undefined && yes !== true;
}

/**
 * Shows what is about to be done and asks, on a terminal only: a script has nobody to answer.
 *
 * @throws Declined
 */
export async function confirm(
  { confirm: ask, stderr }: Pick<Io, 'confirm' | 'stderr'>,
  { yes }: VerbOptionValues,
  lines: readonly string[],
): Promise<void> {
  if (lines.length === 0) return;
  stderr(`${lines.join('\n')}\n`);
  if (ask === undefined || yes === true) return;
  if (!(await ask('Go on? [y/N] '))) throw new Declined();
}
