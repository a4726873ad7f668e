import type { JournalRecord } from './journal.js';
import type { PlannedStep } from './journal-steps.js';

/** What a transaction would do, in order, or has done. */
export interface AssignablePlan {
  readonly sbdf: string;
  readonly steps: readonly { readonly title: string; readonly writes: readonly string[] }[];
}

export function describePlan({ sbdf }: Pick<JournalRecord, 'sbdf'>, steps: readonly PlannedStep[]): AssignablePlan {
  return { sbdf, steps: steps.map(({ title, writes }) => ({ title, writes })) };
}
