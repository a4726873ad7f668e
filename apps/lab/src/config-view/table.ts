import { readFileSync } from 'node:fs';
import { type ExplainedDifference, reasons } from './differences.js';

/** Every difference there is, with its reason: kept by hand, checked by the scenarios, published in `document`. */
export const differenceTable = JSON.parse(
  readFileSync(new URL('differences.json', import.meta.url), 'utf8'),
) as readonly ExplainedDifference[];

/** docs/qemu-differences.md */
export function differenceDocument(table: readonly ExplainedDifference[]): string {
  const counted = reasons.map((reason) => `${reason}: ${table.filter((line) => line.reason === reason).length}`);
  return [
    '# Where a guest sees something else than under QEMU’s own model',
    '',
    'On a real Xen, a guest reads and writes every register of three devices in each width: all ones, all zeros, each',
    'bit alone in both directions, and back. It does so under QEMU’s passthrough model and under ours (`npm test`, on',
    'both hosts of the lab). These are all the differences; one that is not here fails the test, and so does a line',
    'that no longer occurs. “1s, 2” is what a register reads after all ones were written to it two bytes at a time,',
    '“1 alone” what each bit reads after it alone was 1, “beside” what an access changed that did not cover it.',
    '',
    `Lines: ${counted.join(', ')}.`,
    '',
    '| register | devices | hosts | access | QEMU | xenpt | reason | because |',
    '|---|---|---|---|---|---|---|---|',
    ...table.map(row),
    '',
    'Made from `apps/lab/src/config-view/differences.json` by',
    '`XENPT_WRITE_DOCS=1 npx vitest run --project lab-unit table`.',
    '',
  ].join('\n');
}

function row({ register, offset, devices, hosts, accesses, qemu, ours, reason, why }: ExplainedDifference): string {
  const place = `${register} (0x${offset.toString(16).padStart(2, '0')})`;
  const cells = [place, devices.join(', '), hosts.join(', '), accesses.join('; '), qemu, ours, reason, why];
  return `| ${cells.join(' | ')} |`;
}
