/** Ratios of totals with their intervals. */

import * as Plot from '@observablehq/plot';
import type { Analysis, Ratio } from '../analysis.ts';
import { draw, facetTitles, LOG, type Figure } from './drawing.ts';
import { colourOf } from './palette.ts';
import { ratio as ratioText } from './quantities.ts';

const ROW_PX = 11;
const GAP_PX = 16;

const titleOf = (each: Ratio): string =>
  `${each.target}, ${each.function} ${each.input}: ${ratioText(each.ratio.value)} times ${each.against}`;

export function drawRatios(analysis: Analysis): Figure | undefined {
  const shown = analysis.ratios.filter((each) => each.phase === 'total');
  if (shown.length === 0) return undefined;
  const functions = [...new Set(shown.map((each) => each.function))];
  const targets = [...new Set(shown.map((each) => each.target))];
  const inputs = [...new Set(shown.map((each) => each.input))];
  const place = { fy: 'function', y: 'target', stroke: (each: Ratio): string => colourOf(each.target) } as const;
  const svg = draw(
    {
      height: functions.length * (targets.length * ROW_PX + GAP_PX) + 40,
      x: { ...LOG, label: `total, times ${analysis.reference}` },
      y: { label: null, domain: targets, tickSize: 0 },
      fy: { axis: null, domain: functions, padding: 0.12 },
      symbol: { domain: inputs },
      marks: [
        Plot.ruleX([1], { strokeDasharray: '2 2' }),
        Plot.link(shown, {
          ...place,
          x1: (each: Ratio) => each.ratio.low ?? each.ratio.value ?? 1,
          x2: (each: Ratio) => each.ratio.high ?? each.ratio.value ?? 1,
          y1: 'target',
          y2: 'target',
          strokeWidth: 1.5,
        }),
        Plot.dot(shown, {
          ...place,
          x: (each: Ratio) => each.ratio.value ?? 1,
          symbol: 'input',
          r: 2.2,
          title: titleOf,
        }),
        facetTitles(functions),
      ],
    },
    [],
  );
  return {
    id: 'ratios',
    title: `How many times longer than ${analysis.reference}`,
    caption: `Ratio of the medians of whole calls with its 95 % interval, on a log axis; one mark for each input (${inputs.join(', ')}: circle, cross, diamond). Right of the dashed line ${analysis.reference} is faster.`,
    svg,
    series: targets,
  };
}
