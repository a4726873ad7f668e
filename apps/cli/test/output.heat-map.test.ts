import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  cubeIndex,
  intensityOf,
  layOutRows,
  rampColor,
  renderBars,
  renderHeatMap,
  renderLegend,
} from '../src/output/heat-map.js';

const view = {
  columns: 8,
  rows: 8,
  depth: 1 as const,
  label: (region: number) => `${String(region).padStart(4)} `,
  quiet: (first: number, end: number) => `${String(first).padStart(4)} quiet ${end - first}`,
};

function regions(count: number, dirty: Readonly<Record<number, number>>): Float64Array {
  const densities = new Float64Array(count);
  for (const [region, density] of Object.entries(dirty)) densities[Number(region)] = density;
  return densities;
}

describe('the map', () => {
  it('draws memory that was written, and names what was not', () => {
    const densities = regions(1024, { 100: 1, 101: 0.1, 102: 0.01, 103: 0, 104: 0.001, 1000: 1 });
    expect(renderHeatMap(densities, densities, view)).toEqual([
      '   0 quiet 100',
      ' 100 @*- .   ',
      ' 105 quiet 895',
      '1000 @       ',
      '1001 quiet 23',
    ]);
  });

  it('says it in one line where nothing was ever written', () => {
    expect(renderHeatMap(new Float64Array(16), new Float64Array(16), view)).toEqual(['   0 quiet 16']);
  });

  it('keeps to its size, shows every dirty region, and leaves nothing out, whatever is written', () => {
    const scenario = fc.record({
      touched: fc.array(fc.boolean(), { minLength: 1, maxLength: 300 }),
      columns: fc.integer({ min: 1, max: 40 }),
      rows: fc.integer({ min: 8, max: 40 }),
    });
    fc.assert(
      fc.property(scenario, ({ touched, columns, rows }) => {
        const densities = touched.map(Number);
        const lines = renderHeatMap(densities, densities, { ...view, columns, rows });
        expect(lines.length).toBeLessThanOrEqual(rows + 2);
        for (const line of lines) if (!line.includes('quiet')) expect(line).toHaveLength(5 + columns);
        const cells = lines.filter((line) => !line.includes('quiet')).map((line) => line.slice(5));
        expect(cells.join('').includes('@')).toBe(touched.some(Boolean));
        const quiet = lines.flatMap((line) => Number(/quiet (\d+)/.exec(line)?.[1] ?? 0));
        const left = quiet.reduce((sum, regions) => sum + regions, 0);
        expect(left).toBeLessThanOrEqual(touched.filter((is) => !is).length);
      }),
    );
  });

  it('with colours puts two rows of cells in a line', () => {
    const densities = regions(16, { 0: 1, 15: 0.001 });
    const [line, ...more] = renderHeatMap(densities, densities, { ...view, columns: 8, rows: 1, depth: 24 });
    expect(more).toEqual([]);
    expect(line?.match(/▀/g)).toHaveLength(8);
    expect(line).toMatch(/^ {3}0 \x1b\[38;2;252;255;164;48;2;\d+;\d+;\d+m▀/);
    expect(line?.endsWith('\x1b[0m')).toBe(true);
    expect(renderHeatMap(densities, densities, { ...view, rows: 1, depth: 8 })[0]).toMatch(/38;5;\d+;48;5;\d+m▀/);
  });
});

it('layOutRows: rows of growing regions that cover what was touched, gaps marked', () => {
  const rows = layOutRows(regions(4096, { 10: 1, 60: 1, 4000: 1 }), 16);
  expect(rows[0]).toMatchObject({ first: 10, afterGap: true });
  expect(rows.filter(({ afterGap }) => afterGap)).toHaveLength(2);
  expect(rows.at(-1)).toEqual({ first: 4000, end: 4001, afterGap: true });
  for (const [index, { first, end }] of rows.entries()) {
    expect(end).toBeGreaterThan(first);
    expect(first).toBeGreaterThanOrEqual(rows[index - 1]?.end ?? 0);
  }
});

it('the scale is logarithmic, never 0 for a dirty page, and each step is brighter', () => {
  expect(intensityOf(0)).toBe(0);
  expect(intensityOf(1e-9)).toBeGreaterThan(0);
  expect(intensityOf(1)).toBe(1);
  expect(intensityOf(0.1)).toBeCloseTo(2 / 3);
  const brightness = Array.from({ length: 21 }, (_, step) => rampColor(step / 20)).map(
    ([red, green, blue]) => 0.2126 * red + 0.7152 * green + 0.0722 * blue,
  );
  expect([...brightness].sort((a, b) => a - b)).toEqual(brightness);
});

it('cubeIndex: corners and greys of the 256-colour cube', () => {
  expect(cubeIndex(0, 0, 0)).toBe(16);
  expect(cubeIndex(255, 255, 255)).toBe(231);
  expect(cubeIndex(255, 0, 0)).toBe(196);
  expect(cubeIndex(95, 135, 175)).toBe(67);
});

it('bars and legend', () => {
  expect(renderBars([0, 1, 2, 4, 8], 4)).toBe('▂▃▅█');
  expect(renderBars([], 4)).toBe('');
  expect(renderBars([0, 0], 4)).toBe('▁▁');
  expect(renderLegend(9, 1)).toBe('::-++*%%@');
});
