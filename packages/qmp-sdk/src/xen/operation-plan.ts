/** What an operation would do, in order. */
export interface OperationPlan {
  readonly sbdf: string;
  /** `writes`: one line for each; none for a step that only looks. */
  readonly steps: readonly PlanStep[];
}

export interface PlanStep {
  readonly title: string;
  readonly writes: readonly string[];
}

export function describePlan(sbdf: string, steps: readonly PlanStep[]): OperationPlan {
  return { sbdf, steps: steps.map(({ title, writes }) => ({ title, writes })) };
}
