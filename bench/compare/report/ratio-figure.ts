/** Ratios of totals with their intervals. */

import * as Plot from '@observablehq/plot';
import type { Analysis, Ratio } from '../analysis.ts';
import { INPUTS } from '../plan.ts';
import { draw, facetTitles, logAxis, rowFacets, type Figure } from './drawing.ts';
import { colourOf } from './palette.ts';
import { ratio as ratioText } from './quantities.ts';

/** A mark for each input. */
const SYMBOLS = ['circle', 'plus', 'diamond'] as const;
/** And for cases that are no size. */
const OTHERS = 'square';

const titleOf = (each: Ratio): string =>
  `${each.target}, ${each.function} ${each.input}: ${ratioText(each.ratio.value)} times ${each.against}`;

/** Ratios to the reference with their intervals; undefined for a run of one target. */
export function drawRatios(analysis: Analysis): Figure | undefined {
  const shown = analysis.ratios.filter((each) => each.phase === 'total');
  if (shown.length === 0) return undefined;
  const functions = [...new Set(shown.map((each) => each.function))];
  const targets = [...new Set(shown.map((each) => each.target))];
  const inputs = [...new Set(shown.map((each) => each.input))];
  const sizes = inputs.filter((input) => (INPUTS as readonly string[]).includes(input));
  const symbolOf = (input: string): string => SYMBOLS[sizes.indexOf(input)] ?? OTHERS;
  const place = { fy: 'function', y: 'target', stroke: (each: Ratio): string => colourOf(each.target) } as const;
  const svg = draw(
    {
      ...rowFacets(functions, targets.length),
      x: {
        ...logAxis([1, ...shown.flatMap(({ ratio: { low, value, high } }) => [low ?? 1, value ?? 1, high ?? 1])]),
        label: `whole call, times ${analysis.reference}`,
      },
      y: { label: null, domain: targets, tickSize: 0 },
      symbol: { domain: inputs, range: inputs.map(symbolOf) },
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
    caption: `Ratio of the medians of whole calls with its 95 % interval, on a log axis; one mark for each input (${[...sizes.map((input) => `${input}: ${symbolOf(input)}`), ...(sizes.length < inputs.length ? [`others: ${OTHERS}`] : [])].join(', ')}). Right of the dashed line ${analysis.reference} is faster.`,
    svg,
    series: targets,
  };
}
