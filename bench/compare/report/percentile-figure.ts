/** Percentiles of whole calls. */

import * as Plot from '@observablehq/plot';
import type { Analysis, CellSummary } from '../analysis.ts';
import { draw, facetTitles, logAxis, rowFacets, timeTick, type Figure } from './drawing.ts';
import { colourOf } from './palette.ts';
import { time } from './quantities.ts';

const ms =
  (percentile: 'p5' | 'median' | 'p95' | 'p99') =>
  (cell: CellSummary): number =>
    (cell.phases['total']?.[percentile] ?? Number.NaN) / 1e6;

/** Percentiles of whole calls at one input; undefined where nothing was measured with it. */
export function drawPercentiles(analysis: Analysis, input: string): Figure | undefined {
  const cells = analysis.cells.filter((cell) => cell.input === input && cell.phases['total'] !== undefined);
  if (cells.length === 0) return undefined;
  const functions = [...new Set(cells.map((cell) => cell.function))];
  const targets = [...new Set(cells.map((cell) => cell.target))];
  const place = { fy: 'function', y: 'target', stroke: (cell: CellSummary): string => colourOf(cell.target) } as const;
  const titleOf = (cell: CellSummary): string => {
    const { median, p5, p95, p99 } = cell.phases['total'] as NonNullable<CellSummary['phases'][string]>;
    return `${cell.target}, ${cell.function} ${input}: p5 ${time(p5)}, p50 ${time(median)}, p95 ${time(p95)}, p99 ${time(p99)}`;
  };
  const svg = draw(
    {
      ...rowFacets(functions, targets.length),
      x: {
        ...logAxis(
          cells.flatMap((cell) => [ms('p5')(cell), ms('p99')(cell)]),
          timeTick,
        ),
        label: 'request to answer',
      },
      y: { label: null, domain: targets, tickSize: 0 },
      marks: [
        Plot.link(cells, { ...place, x1: ms('p5'), x2: ms('p95'), y1: 'target', y2: 'target', strokeWidth: 2 }),
        Plot.tickX(cells, { ...place, x: ms('p99') }),
        Plot.dot(cells, { ...place, x: ms('median'), r: 2.5, fill: place.stroke, title: titleOf }),
        facetTitles(functions),
      ],
    },
    [],
  );
  return {
    id: `percentiles-${input}`,
    title: `Percentiles of whole calls, ${input} input`,
    caption:
      'Dot: median. Line: p5 to p95. Tick: p99, which is the longest call where there are fewer than a hundred. Log axis.',
    svg,
    series: targets,
  };
}
