/** What a guest's requests are counted as, and where. `refused` and `faulted` are counted beside their kind. */
export const requestIndex = {
  config: 0,
  copy: 1,
  port: 2,
  timeOffset: 3,
  invalidate: 4,
  unknown: 5,
  refused: 6,
  faulted: 7,
} as const;

export type RequestKind = keyof typeof requestIndex;

export const requestKinds = Object.keys(requestIndex) as readonly RequestKind[];
