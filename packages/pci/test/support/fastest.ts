/** The shortest of a few runs, in milliseconds: what the work takes, not what the machine does beside it. */
export function fastestMs(run: () => void, enoughMs: number, most = 5): number {
  let fastest = Infinity;
  for (let round = 0; round < most && fastest >= enoughMs; round += 1) {
    const started = performance.now();
    run();
    fastest = Math.min(fastest, performance.now() - started);
  }
  return fastest;
}
