/** Empirical distributions of whole calls, a line for each target. */

import * as Plot from '@observablehq/plot';
import { sorted } from '../../../statistics/quantiles.ts';
import type { Samples } from '../samples.ts';
import { draw, facetTitles, logAxis, timeTick, type Figure } from './drawing.ts';
import { colourOf } from './palette.ts';

interface Step {
  readonly function: string;
  readonly target: string;
  readonly ms: number;
  readonly share: number;
}

const STEPS_MAX = 200;
const FACET_PX = 84;

/** Every call of every target at one input, as a strip for each. */
export function drawDistribution(samples: Samples, input: string): Figure {
  const cells = samples.cells.filter((cell) => cell.input === input && samples.values(cell, 'total').length > 0);
  const steps = cells.flatMap((cell) =>
    stepsOf(samples.values(cell, 'total')).map((step) => ({ function: cell.function, target: cell.target, ...step })),
  );
  const functions = [...new Set(cells.map((cell) => cell.function))];
  const targets = [...new Set(cells.map((cell) => cell.target))];
  const svg = draw(
    {
      height: functions.length * FACET_PX + 40,
      marginLeft: 42,
      x: {
        ...logAxis(
          steps.map((step) => step.ms),
          timeTick,
        ),
        label: 'request to answer',
      },
      y: {
        label: null,
        domain: [0, 1],
        ticks: [0, 0.5, 1],
        tickFormat: (share: number) => `${share * 100} %`,
        grid: true,
      },
      fy: { axis: null, domain: functions, padding: 0.25 },
      marks: [
        Plot.line(steps, {
          fy: 'function',
          x: 'ms',
          y: 'share',
          z: 'target',
          stroke: (step: Step) => colourOf(step.target),
          curve: 'step-after',
          strokeWidth: 1.3,
          title: (step: Step) => `${step.target}, ${step.function} ${input}`,
        }),
        facetTitles(functions),
      ],
    },
    targets.map((target) => ({ label: target, colour: colourOf(target) })),
  );
  return {
    id: `distribution-${input}`,
    title: `Calls answered within a time, ${input} input`,
    caption: `Share of the measured calls whose answer was there within the time (ECDF), on a log axis.`,
    svg,
    series: targets,
  };
}

/** Thinned where there are more steps than a figure can show; the first and the last stay. */
function stepsOf(values: readonly number[]): { readonly ms: number; readonly share: number }[] {
  const ascending = sorted(values);
  const count = Math.min(ascending.length, STEPS_MAX);
  const steps = Array.from({ length: count }, (_, step) => {
    const at = count === 1 ? 0 : Math.round((step * (ascending.length - 1)) / (count - 1));
    return { ms: (ascending[at] as number) / 1e6, share: (at + 1) / ascending.length };
  });
  // The line rises from nothing.
  return [{ ms: (ascending[0] as number) / 1e6, share: 0 }, ...steps];
}
