/** Energy ratios taken apart: energy = time x power. */

import * as Plot from '@observablehq/plot';
import { draw, facetTitles, logAxis, rowFacets, type Figure } from '../../compare/report/drawing.ts';
import { ratio as ratioText } from '../../compare/report/quantities.ts';
import type { EnergyMeasured } from '../summary.ts';

const KINDS = ['energy', 'time', 'power'] as const;
const COLOURS: Readonly<Record<string, string>> = { energy: 'currentColor', time: '#0072b2', power: '#d55e00' };

interface Mark {
  readonly row: string;
  readonly kind: (typeof KINDS)[number];
  readonly value: number;
  readonly low: number;
  readonly high: number;
  readonly about: string;
}

const colour = (mark: Mark): string => COLOURS[mark.kind] as string;

/** Energy ratios split into time and power; undefined where there are none. */
export function drawDecomposition({ ratios, reference }: EnergyMeasured): Figure | undefined {
  const marks = ratios.flatMap((each) =>
    KINDS.flatMap((kind): Mark[] => {
      const { value, low, high } = each[kind];
      if (!(value > 0)) return [];
      const row = `${each.target}, ${each.function} ${each.input}`;
      const about = `${kind}: ${row}: ${ratioText(value)}`;
      return [{ row, kind, value, low: low ?? value, high: high ?? value, about }];
    }),
  );
  if (marks.length === 0) return undefined;
  const rows = [...new Set(marks.map(({ row }) => row))];
  const place = { fy: 'row', y: 'kind', stroke: colour } as const;
  const axis = logAxis([1, ...marks.flatMap(({ low, high }) => [low, high])]);
  const svg = draw(
    {
      ...rowFacets(rows, KINDS.length),
      marginLeft: 44,
      x: { ...axis, label: `times ${reference}` },
      y: { label: null, domain: [...KINDS], tickSize: 0 },
      marks: [
        Plot.ruleX([1], { strokeDasharray: '2 2' }),
        Plot.link(marks, { ...place, x1: 'low', x2: 'high', y1: 'kind', y2: 'kind', strokeWidth: 1.5 }),
        Plot.dot(marks, { ...place, x: 'value', r: 2.4, fill: colour, title: 'about' }),
        facetTitles(rows),
      ],
    },
    [],
  );
  return {
    id: 'energy-ratios',
    title: `Energy, time and power against ${reference}`,
    caption: `Energy ratio = time ratio x power ratio, of a call and above idle, with 95 % intervals on a log axis. Right of the dashed line ${reference} takes less. A mark without a line has no bounds.`,
    svg,
    series: KINDS.filter((kind) => marks.some((mark) => mark.kind === kind)),
  };
}
