/** Energy of a call above idle, by function and target. */

import * as Plot from '@observablehq/plot';
import { draw, facetTitles, logAxis, rowFacets, type Figure } from '../../compare/report/drawing.ts';
import { colourOf } from '../../compare/report/palette.ts';
import type { EnergyMeasured } from '../summary.ts';
import { energy } from './quantities.ts';

interface Dot {
  readonly row: string;
  readonly target: string;
  readonly valueJ: number;
  readonly lowJ: number;
  readonly highJ: number;
  readonly about: string;
}

const tick = (value: number): string => energy(Number(value.toPrecision(3))).replace(/\.0+ /, ' ');

/** Net energy of a call with its interval; undefined where none can be told. */
export function drawEnergies({ cells }: EnergyMeasured): Figure | undefined {
  const dots = cells.flatMap(({ netJ, target, function: name, input }): Dot[] => {
    // What is not above 0 has no place on a logarithmic axis; the table has it.
    if (netJ === null || !(netJ.value > 0)) return [];
    const { value } = netJ;
    const lowJ = netJ.low !== null && netJ.low > value / 10 ? netJ.low : value / 10;
    const highJ = Math.min(netJ.high ?? Number.POSITIVE_INFINITY, 10 * value);
    const about = `${target}: ${name} ${input}: ${energy(value)} per call`;
    return [{ row: `${name}, ${input}`, target, valueJ: value, lowJ, highJ, about }];
  });
  if (dots.length === 0) return undefined;
  const rows = [...new Set(dots.map(({ row }) => row))];
  const targets = [...new Set(dots.map(({ target }) => target))];
  const left = cells.length - dots.length;
  const place = { fy: 'row', y: 'target', stroke: (dot: Dot): string => colourOf(dot.target) } as const;
  const svg = draw(
    {
      ...rowFacets(rows, targets.length),
      x: {
        ...logAxis(
          dots.flatMap(({ lowJ, highJ }) => [lowJ, highJ]),
          tick,
        ),
        label: 'energy of a call above idle',
      },
      y: { label: null, domain: targets, tickSize: 0 },
      marks: [
        Plot.link(dots, { ...place, x1: 'lowJ', x2: 'highJ', y1: 'target', y2: 'target', strokeWidth: 1.5 }),
        Plot.dot(dots, { ...place, x: 'valueJ', r: 2.4, fill: (dot: Dot) => colourOf(dot.target), title: 'about' }),
        facetTitles(rows),
      ],
    },
    [],
  );
  const missing = left > 0 ? ` ${left} cells without an energy above 0 are in the table only.` : '';
  return {
    id: 'energy',
    title: 'Energy of a call above idle',
    caption: `Mean with its 95 % interval, on a log axis; a bound is cut at a tenth or ten times the value.${missing}`,
    svg,
    series: targets,
  };
}
