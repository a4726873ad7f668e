// The kernels under test, through the same wrapper that a user has.

/** Every batch is consumed; `check` folds the numbers. */
export function kernelOperations({ bitmap, into, check }) {
  return {
    count: () => bitmap.count(),
    extract() {
      let total = 0;
      for (let from = 0; from < bitmap.endFrame;) {
        const { pages, nextFrame } = bitmap.extract(from);
        total += pages.length;
        check?.(pages, pages.length);
        from = nextFrame;
      }
      return total;
    },
    runs() {
      let total = 0;
      for (let from = 0; from < bitmap.endFrame;) {
        const { pairs, runCount, nextFrame } = bitmap.runs(from);
        total += runCount;
        check?.(pairs, pairs.length);
        from = nextFrame;
      }
      return total;
    },
    harvest: () => bitmap.harvest(into),
    harvestAtomic: () => bitmap.harvestAtomic(into),
    histogram: (regionPages) => {
      let total = 0;
      for (let from = 0; from < bitmap.endFrame;) {
        const { counts, nextFrame } = bitmap.histogram(regionPages, from);
        total += counts.length;
        check?.(counts, counts.length);
        from = nextFrame;
      }
      return total;
    },
  };
}
