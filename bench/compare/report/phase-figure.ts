/** What a call consists of, on every target alike. */

import * as Plot from '@observablehq/plot';
import type { Analysis } from '../analysis.ts';
import { CALL_PHASES } from '../rows.ts';
import { draw, facetTitles, rowFacets, type Figure } from './drawing.ts';
import { PHASE_COLOURS } from './palette.ts';
import { time } from './quantities.ts';

interface Part {
  readonly function: string;
  readonly target: string;
  readonly phase: string;
  readonly ns: number;
  readonly share: number;
}

/** Shares of the phases in a call at one input; undefined where no phases are known. */
export function drawPhases(analysis: Analysis, input: string): Figure | undefined {
  const cells = analysis.cells.filter((cell) => cell.input === input && cell.phases['start'] !== undefined);
  if (cells.length === 0) return undefined;
  const parts = cells.flatMap((cell): Part[] => {
    const phases = CALL_PHASES.map((phase) => ({ phase, ns: Math.max(0, cell.phases[phase]?.median ?? 0) }));
    const sum = phases.reduce((total, { ns }) => total + ns, 0);
    return phases.map(({ phase, ns }) => ({
      function: cell.function,
      target: cell.target,
      phase,
      ns,
      share: ns / sum,
    }));
  });
  const functions = [...new Set(cells.map((cell) => cell.function))];
  const targets = [...new Set(cells.map((cell) => cell.target))];
  const svg = draw(
    {
      ...rowFacets(functions, targets.length),
      marginRight: 44,
      x: { label: '% of the call and its teardown', percent: true, domain: [0, 100], ticks: 5 },
      y: { label: null, domain: targets, tickSize: 0, padding: 0.15 },
      marks: [
        Plot.barX(parts, {
          fy: 'function',
          y: 'target',
          x: 'share',
          order: [...CALL_PHASES],
          z: 'phase',
          fill: (part: Part) => PHASE_COLOURS[part.phase] as string,
          title: (part: Part) => `${part.phase}: ${part.target}, ${part.function} ${input}: ${time(part.ns)}`,
        }),
        Plot.text(cells, {
          fy: 'function',
          y: 'target',
          text: (cell) => time(cell.phases['total']?.median),
          frameAnchor: 'right',
          textAnchor: 'start',
          dx: 4,
        }),
        facetTitles(functions),
      ],
    },
    CALL_PHASES.map((phase) => ({ label: phase, colour: PHASE_COLOURS[phase] as string })),
  );
  return {
    id: `phases-${input}`,
    title: `What a call consists of, ${input} input`,
    caption:
      "Medians of the phases as shares; on the right the median of the whole call. start: request to the guest's first own instruction. run: the guest's own. answer: its end to the whole answer with the caller. teardown: what putting the target back took after the answer.",
    svg,
    series: [...CALL_PHASES].filter((phase) => parts.some((part) => part.phase === phase && part.ns > 0)),
  };
}
