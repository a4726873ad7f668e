import type { OperationPlan } from '@xenpt/qmp-sdk/xen';
import type { VerbOption } from '../verb.js';

/** xl's letter; xl's own PCI commands refuse it. */
export const dryRunOption: VerbOption = {
  flags: '-N, --dry-run',
  description: 'write nothing: print what would be written where, in order',
};

/** Steps with their writes; one that only looks has none. */
export function formatPlan(plans: readonly OperationPlan[]): string {
  return plans
    .flatMap(({ sbdf, steps }) => [`${sbdf}: nothing is written; this would be done:`, ...formatSteps(steps)])
    .join('\n');
}

export function formatSteps(steps: OperationPlan['steps']): string[] {
  return steps.flatMap(({ title, writes }, index) => [
    `  ${index + 1}. ${title}`,
    ...writes.map((write) => `       ${write}`),
  ]);
}
