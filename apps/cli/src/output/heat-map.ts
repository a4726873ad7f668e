/** What a terminal can show: 24 or 8 bits of colour (4 counts as none: its sixteen are the user's), or none. */
export type ColorDepth = 24 | 8 | 1;

export interface HeatMapSize {
  readonly columns: number;
  readonly rows: number;
}

export interface HeatMapView extends HeatMapSize {
  readonly depth: ColorDepth;
  /** Puts an address before each row and names the stretches that were never written. */
  readonly label: (region: number) => string;
  readonly quiet: (firstRegion: number, endRegion: number) => string;
}

/** A cell is this many characters high: two to a character where it has a colour for each half. */
const halves = (depth: ColorDepth) => (depth === 1 ? 1 : 2);
/** Dark to bright, each darker one also darker on a screen without colours. */
const RAMP: readonly (readonly [number, number, number])[] = [
  [24, 24, 36],
  [58, 15, 110],
  [120, 28, 109],
  [187, 55, 84],
  [237, 105, 37],
  [252, 170, 40],
  [252, 255, 164],
];
const MARKS = ' .:-=+*#%@';
const STEPS = 24;
/** A cell with one page of a thousand dirty is the first that shows; the scale is logarithmic. */
const DECADES = 3;

/** 0 to 1: where a density stands on the scale; 0 is "nothing at all" only. */
export function intensityOf(density: number): number {
  if (density <= 0) return 0;
  return Math.min(1, Math.max(0.06, 1 + Math.log10(density) / DECADES));
}

/** The colour of an intensity from 0 to 1. */
export function rampColor(intensity: number): [number, number, number] {
  const place = Math.min(1, Math.max(0, intensity)) * (RAMP.length - 1);
  const below = RAMP[Math.floor(place)] ?? [0, 0, 0];
  const above = RAMP[Math.ceil(place)] ?? below;
  const part = place - Math.floor(place);
  const mix = (index: 0 | 1 | 2) => Math.round(below[index] + (above[index] - below[index]) * part);
  return [mix(0), mix(1), mix(2)];
}

/**
 * Guest memory as lines of a terminal, left to right and downwards; each cell is the hottest of its regions. Long
 * stretches that were never dirty are one faint line.
 *
 * @param densities of the regions, now: dirty part, 0 to 1
 * @param touched regions that were ever dirty
 */
export function renderHeatMap(densities: ArrayLike<number>, touched: ArrayLike<number>, view: HeatMapView): string[] {
  const segments = findSegments(touched, view.rows);
  if (segments.length === 0) return [view.quiet(0, touched.length)];
  const gaps = countGaps(segments, touched.length);
  const rows = shareRows(segments, Math.max(segments.length, view.rows - gaps));
  const lines: string[] = [];
  let end = 0;
  for (const [index, segment] of segments.entries()) {
    if (segment.first > end) lines.push(view.quiet(end, segment.first));
    lines.push(...renderSegment(densities, segment, rows[index] ?? 1, view));
    end = segment.end;
  }
  if (end < touched.length) lines.push(view.quiet(end, touched.length));
  return lines;
}

interface Segment {
  readonly first: number;
  readonly end: number;
}

/** A row of a picture of memory: its regions, and whether it follows a stretch that is left out. */
export interface MemoryRow {
  readonly first: number;
  readonly end: number;
  readonly afterGap: boolean;
}

/** Divides the memory that was touched into `rows` rows, low addresses first; long quiet stretches are left out. */
export function layOutRows(touched: ArrayLike<number>, rows: number): MemoryRow[] {
  const segments = findSegments(touched, rows);
  const shares = shareRows(segments, Math.max(segments.length, rows));
  return segments.flatMap(({ first, end }, index) => {
    const count = Math.min(shares[index] ?? 1, end - first);
    const border = (row: number) => first + Math.floor((row * (end - first)) / count);
    return Array.from({ length: count }, (_, row) => ({
      first: border(row),
      end: border(row + 1),
      afterGap: row === 0 && first > (segments[index - 1]?.end ?? 0),
    }));
  });
}

/** Runs of touched regions; the smallest gaps are closed until each can have four rows. */
function findSegments(touched: ArrayLike<number>, rows: number): Segment[] {
  const most = Math.max(1, Math.floor(rows / 4));
  const segments: Segment[] = [];
  const leastGap = Math.ceil(touched.length / 16);
  for (let region = 0; region < touched.length; region++) {
    if ((touched[region] ?? 0) === 0) continue;
    const last = segments.at(-1);
    if (last && region - last.end < leastGap) segments[segments.length - 1] = { first: last.first, end: region + 1 };
    else segments.push({ first: region, end: region + 1 });
  }
  while (segments.length > most) {
    const gaps = segments.slice(1).map((segment, index) => segment.first - (segments[index]?.end ?? 0));
    const smallest = gaps.indexOf(Math.min(...gaps));
    const [a, b] = segments.slice(smallest, smallest + 2);
    if (!a || !b) break;
    segments.splice(smallest, 2, { first: a.first, end: b.end });
  }
  return segments;
}

function countGaps(segments: readonly Segment[], regions: number): number {
  const before = segments.filter(({ first }, index) => first > (segments[index - 1]?.end ?? 0)).length;
  return before + ((segments.at(-1)?.end ?? 0) < regions ? 1 : 0);
}

/** Rows by size, one at least. */
function shareRows(segments: readonly Segment[], rows: number): number[] {
  const total = segments.reduce((sum, { first, end }) => sum + end - first, 0);
  const shares = segments.map(({ first, end }) => Math.max(1, Math.floor(((end - first) / total) * rows)));
  const largest = segments.reduce(
    (best, { first, end }, index) =>
      end - first > (segments[best]?.end ?? 0) - (segments[best]?.first ?? 0) ? index : best,
    0,
  );
  const left = rows - shares.reduce((sum, share) => sum + share, 0);
  shares[largest] = Math.max(1, (shares[largest] ?? 1) + left);
  return shares;
}

function renderSegment(densities: ArrayLike<number>, segment: Segment, rows: number, view: HeatMapView): string[] {
  const rowCells = halves(view.depth) * view.columns;
  const width = segment.end - segment.first;
  // Few regions are not blown up: then each is a cell, and what is left of the last row stays dark.
  const used = Math.min(rows, Math.ceil(width / rowCells));
  const cells = Math.min(width, used * rowCells);
  const border = (cell: number) => segment.first + Math.floor((cell * width) / cells);
  const hottest = (cell: number) => {
    let most = 0;
    if (cell < cells) {
      for (let region = border(cell); region < border(cell + 1); region++)
        most = Math.max(most, densities[region] ?? 0);
    }
    return Math.round(intensityOf(most) * STEPS);
  };
  return Array.from({ length: used }, (_, row) => {
    const start = row * rowCells;
    const upper = Array.from({ length: view.columns }, (_, column) => hottest(start + column));
    const lower = Array.from({ length: view.columns }, (_, column) => hottest(start + view.columns + column));
    return view.label(border(start)) + (view.depth === 1 ? marks(upper) : blocks(upper, lower, view.depth));
  });
}

function marks(steps: readonly number[]): string {
  return steps.map((step) => MARKS[Math.ceil((step / STEPS) * (MARKS.length - 1))] ?? ' ').join('');
}

/** Two cells in one character: the upper in its colour, the lower in that of the ground. */
function blocks(upper: readonly number[], lower: readonly number[], depth: 24 | 8): string {
  let line = '';
  let before = '';
  for (const [column, step] of upper.entries()) {
    const color = `\x1b[38;${colorCode(step, depth)};48;${colorCode(lower[column] ?? 0, depth)}m`;
    line += (color === before ? '' : color) + '▀';
    before = color;
  }
  return `${line}\x1b[0m`;
}

function colorCode(step: number, depth: 24 | 8): string {
  const [red, green, blue] = rampColor(step / STEPS);
  if (depth === 24) return `2;${red};${green};${blue}`;
  return `5;${cubeIndex(red, green, blue)}`;
}

/**
 * The nearest colour of the 6 x 6 x 6 cube that 256-colour terminals have from 16 on, with levels 0, 95, 135 … 255.
 */
export function cubeIndex(red: number, green: number, blue: number): number {
  const level = (value: number) => (value < 48 ? 0 : value < 115 ? 1 : Math.min(5, Math.floor((value - 35) / 40)));
  return 16 + 36 * level(red) + 6 * level(green) + level(blue);
}

/** The scale, from one page of a thousand to all, `width` characters long. */
export function renderLegend(width: number, depth: ColorDepth): string {
  const steps = Array.from({ length: width }, (_, index) => Math.round(((index + 1) / width) * STEPS));
  return depth === 1 ? marks(steps) : blocks(steps, steps, depth);
}

const BARS = '▁▂▃▄▅▆▇█';

/** The last `width` values as bars; the highest is full. */
export function renderBars(values: readonly number[], width: number): string {
  const shown = values.slice(-width);
  const most = Math.max(...shown, Number.MIN_VALUE);
  return shown.map((value) => BARS[Math.min(7, Math.floor((value / most) * 8))] ?? ' ').join('');
}
