/** What a container's engine spends, and what is spent on this side of its socket. */

import * as Plot from '@observablehq/plot';
import { ALL_PHASES, WASM_PHASES } from '../../../host/phases.ts';
import type { Analysis } from '../analysis.ts';
import { draw, facetTitles, type Figure } from './drawing.ts';

interface Part {
  readonly target: string;
  readonly phase: string;
  readonly side: 'engine' | 'this side';
  readonly ms: number;
}

const SIDES = ['engine', 'this side'] as const;
const COLOURS: Readonly<Record<string, string>> = { engine: '#d55e00', 'this side': '#0072b2' };
/** Phases that are one request to the engine each. */
const REQUESTS = ALL_PHASES.filter((phase) => !(WASM_PHASES as readonly string[]).includes(phase));
const ROW_PX = 15;
const GAP_PX = 20;

/** How much of each phase of a container call is the engine's; undefined for a run without containers. */
export function drawEngine(analysis: Analysis): Figure | undefined {
  const parts = analysis.cells.flatMap((cell, index): Part[] => {
    // The first cell of each target: what the engine does does not depend on the function.
    const first = analysis.cells.findIndex((each) => each.target === cell.target);
    if (index !== first || cell.phases['engine.create'] === undefined) return [];
    return REQUESTS.flatMap((phase): Part[] => {
      const whole = (cell.phases[`executor.${phase}`]?.median ?? 0) / 1e6;
      const engine = Math.min(whole, (cell.phases[`engine.${phase}`]?.median ?? 0) / 1e6);
      return [
        { target: cell.target, phase, side: 'engine', ms: engine },
        { target: cell.target, phase, side: 'this side', ms: whole - engine },
      ];
    });
  });
  if (parts.length === 0) return undefined;
  const targets = [...new Set(parts.map((part) => part.target))];
  const svg = draw(
    {
      height: targets.length * (REQUESTS.length * ROW_PX + GAP_PX) + 40,
      marginLeft: 46,
      x: { label: 'ms', grid: true, ticks: 6 },
      y: { label: null, domain: [...REQUESTS], tickSize: 0, padding: 0.2 },
      fy: { axis: null, domain: targets, padding: 0.15 },
      marks: [
        Plot.barX(parts, {
          fy: 'target',
          y: 'phase',
          x: 'ms',
          z: 'side',
          order: [...SIDES],
          fill: (part: Part) => COLOURS[part.side] as string,
          title: (part: Part) => `${part.side}: ${part.target} ${part.phase}: ${part.ms.toFixed(2)} ms`,
        }),
        facetTitles(targets),
      ],
    },
    SIDES.map((side) => ({ label: side, colour: COLOURS[side] as string })),
  );
  return {
    id: 'engine',
    title: "The engine's share of a cold call",
    caption:
      'Medians. engine: from the last byte of a request over its socket to the first of its answer. this side: the rest of the phase, spent in dockerode and Node.',
    svg,
    series: [...SIDES],
  };
}
