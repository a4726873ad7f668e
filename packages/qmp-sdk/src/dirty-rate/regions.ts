/** Frames of guest memory that are dirtied about equally. */
export interface HotRegion {
  readonly startFrame: number;
  /** Behind the last. */
  readonly endFrame: number;
  /** Dirty pages per second, each counted once in each sample. */
  readonly pagesPerSecond: number;
  /** Part of all dirty pages, 0 to 1. */
  readonly share: number;
  /** Part of the region's pages that is dirty in a sample, 0 to 1. */
  readonly density: number;
}

/** Finer regions are put together first: in small ones chance alone makes neighbours differ. */
const MOST_REGIONS = 4096;
/** Neighbours belong together while their density is within this factor of the mean so far. */
const SIMILAR = 3;

/**
 * The ranges of frames with the most dirty pages, the busiest first.
 *
 * @param counts dirty pages of each region, added up over `samples` samples that took `elapsedMs` together
 */
export function findHotRegions(
  counts: ArrayLike<number>,
  scale: {
    readonly regionPages: number;
    readonly pageCount: number;
    readonly samples: number;
    readonly elapsedMs: number;
  },
  limit: number,
): HotRegion[] {
  const { pageCount, samples, elapsedMs } = scale;
  const all = Array.from(counts).reduce((sum, count) => sum + count, 0);
  const joined = 2 ** Math.max(0, Math.ceil(Math.log2(counts.length / MOST_REGIONS)));
  const regionPages = scale.regionPages * joined;
  return joinEdges(groupSimilar(coarsen(counts, joined)))
    .map(({ first, end, dirty }) => {
      const startFrame = first * regionPages;
      const endFrame = Math.min(pageCount, end * regionPages);
      return {
        startFrame,
        endFrame,
        pagesPerSecond: (dirty * 1000) / elapsedMs,
        share: dirty / all,
        density: dirty / (samples * (endFrame - startFrame)),
      };
    })
    .sort((a, b) => b.pagesPerSecond - a.pagesPerSecond || a.startFrame - b.startFrame)
    .slice(0, limit);
}

function coarsen(counts: ArrayLike<number>, joined: number): Float64Array {
  const sums = new Float64Array(Math.ceil(counts.length / joined));
  for (let index = 0; index < counts.length; index++) {
    const to = Math.floor(index / joined);
    sums[to] = (sums[to] ?? 0) + (counts[index] ?? 0);
  }
  return sums;
}

interface Group {
  readonly first: number;
  end: number;
  dirty: number;
}

function groupSimilar(counts: ArrayLike<number>): Group[] {
  const groups: Group[] = [];
  let open: Group | undefined;
  for (let index = 0; index < counts.length; index++) {
    const count = counts[index] ?? 0;
    const mean = open ? open.dirty / (open.end - open.first) : 0;
    if (open && count > 0 && count <= mean * SIMILAR && count * SIMILAR >= mean) {
      open.end = index + 1;
      open.dirty += count;
    } else {
      open = count > 0 ? { first: index, end: index + 1, dirty: count } : undefined;
      if (open) groups.push(open);
    }
  }
  return groups;
}

/** A lone region beside a denser group is one that the group covers in part. */
function joinEdges(groups: readonly Group[]): Group[] {
  const joined: Group[] = [];
  for (const group of groups) {
    const before = joined.at(-1);
    if (!before || before.end !== group.first || !(isEdgeOf(group, before) || isEdgeOf(before, group))) {
      joined.push({ ...group });
    } else {
      before.end = group.end;
      before.dirty += group.dirty;
    }
  }
  return joined;
}

function isEdgeOf(edge: Group, group: Group): boolean {
  const regions = group.end - group.first;
  return edge.end - edge.first === 1 && edge.dirty * regions < group.dirty;
}
