/** Whole calls against the time the function takes natively, with the break-even. */

import * as Plot from '@observablehq/plot';
import { median, sorted } from '../../../statistics/quantiles.ts';
import type { Analysis, BreakEven } from '../analysis.ts';
import type { Samples } from '../samples.ts';
import { draw, facetTitles, logAxis, timeTick, type Figure } from './drawing.ts';
import { colourOf } from './palette.ts';
import { time } from './quantities.ts';

const colour = (each: { readonly target: string }): string => colourOf(each.target);
const isShort = ({ verdict }: BreakEven): boolean => verdict === 'too-short';
const crossingMs = ({ runNs }: BreakEven): number => (runNs?.value ?? 0) / 1e6;
const crossingText = ({ runNs }: BreakEven): string => time(runNs?.value);

interface Point {
  readonly function: string;
  readonly target: string;
  readonly input: string;
  readonly runMs: number;
  readonly totalMs: number;
}

/** Whose own run stands for the native run time: the first that was measured. */
const CLOCKS = ['process', 'container-warm', 'container-cold'] as const;
const CURVE_POINTS = 60;
const FACET_PX = 108;
/** Room for the names of inputs, as a factor. */
const ROOM_BENEATH = 12;

/** Whole calls against the native run time; undefined where too little of both is known. */
export function drawRunTimes(analysis: Analysis, samples: Samples): Figure | undefined {
  const clock = CLOCKS.find((name) => samples.targets.includes(name));
  if (clock === undefined || analysis.breakEvens.length === 0) return undefined;
  const points = pointsOf(samples, clock);
  const short = new Set(analysis.breakEvens.filter(isShort).map((each) => each.function));
  const functions = [...new Set(points.map((point) => point.function))].filter(
    (each) => samples.inputsOf(each).length > 1 && !short.has(each),
  );
  const shown = points.filter((point) => functions.includes(point.function));
  if (shown.length === 0) return undefined;
  const targets = [...new Set(shown.map((point) => point.target))];
  const crossings = analysis.breakEvens.filter(
    ({ native, verdict, function: name }) =>
      native === 'container-cold' && verdict === 'crosses' && functions.includes(name),
  );
  const curves = analysis.breakEvens
    .filter(({ function: name }) => functions.includes(name))
    .flatMap((each) => curvesOf(each, shown));
  const svg = draw(
    {
      height: functions.length * FACET_PX + 44,
      marginLeft: 44,
      x: {
        ...logAxis(
          [...curves, ...shown].map((point) => point.runMs),
          timeTick,
        ),
        label: `own run of the function natively (${clock})`,
      },
      y: {
        ...logAxis(
          [...curves, ...shown].flatMap(({ totalMs }) => [totalMs, totalMs / ROOM_BENEATH]),
          timeTick,
        ),
        label: null,
      },
      fy: { axis: null, domain: functions, padding: 0.15 },
      marks: [
        Plot.line(curves, {
          fy: 'function',
          x: 'runMs',
          y: 'totalMs',
          z: 'target',
          stroke: colour,
          strokeOpacity: 0.6,
        }),
        Plot.dot(shown, {
          fy: 'function',
          x: 'runMs',
          y: 'totalMs',
          fill: colour,
          r: 2.5,
          title: (point: Point) =>
            `${point.target}, ${point.function} ${point.input}: ${time(point.totalMs * 1e6)} for ${time(point.runMs * 1e6)} of native run`,
        }),
        ...inputMarks(shown, clock),
        ...crossingMarks(crossings),
        facetTitles(functions),
      ],
    },
    targets.map((target) => ({ label: target, colour: colourOf(target) })),
  );
  return {
    id: 'run-times',
    title: 'Whole calls against the run time of each input, with the break-even',
    caption: `Dots: medians of whole calls at each input, against the function's own run time natively with that input; both axes log. Lines: the model behind the break-even, a fixed part plus the own run, in Wasm times its slowdown. Dashed: the native run time from which container-cold is ahead of ${analysis.reference}; a function without it has none, or none that could be told, and one that runs for less than 0.1 ms at its largest input is not shown.`,
    svg,
    series: crossings.length > 0 ? [...targets, 'break-even'] : targets,
  };
}

/** The name of each input beneath its points. */
function inputMarks(points: readonly Point[], clock: string): Plot.Markish[] {
  const named = points.filter((point) => point.target === clock);
  const inputs = [...new Set(named.map((point) => point.input))];
  return [
    Plot.ruleX(named, { fy: 'function', x: 'runMs', strokeOpacity: 0.25 }),
    // In two rows, turn and turn about: inputs can lie close to each other.
    ...[0, 1].map((row) =>
      Plot.text(
        named.filter((point) => inputs.indexOf(point.input) % 2 === row),
        {
          fy: 'function',
          x: 'runMs',
          text: 'input',
          frameAnchor: 'bottom',
          dy: -2 - row * 8,
          fontSize: 8,
          stroke: 'var(--paper, white)',
          fill: 'currentColor',
        },
      ),
    ),
  ];
}

function crossingMarks(crossings: readonly BreakEven[]): Plot.Markish[] {
  return [
    Plot.ruleX(crossings, {
      fy: 'function',
      x: crossingMs,
      strokeDasharray: '3 2',
      title: (each: BreakEven) => `break-even, ${each.function}: ${crossingText(each)}`,
    }),
    Plot.text(crossings, {
      fy: 'function',
      x: crossingMs,
      text: crossingText,
      frameAnchor: 'bottom',
      textAnchor: 'end',
      dx: -3,
      dy: -3,
    }),
  ];
}

function pointsOf(samples: Samples, clock: string): Point[] {
  return samples.cells.flatMap((cell): Point[] => {
    const runs = samples.values({ ...cell, target: clock }, 'run');
    const totals = samples.values(cell, 'total');
    if (runs.length === 0 || totals.length === 0) return [];
    // A guest that does nothing may end in the nanosecond in which it starts, which has no place on a log axis.
    const runMs = Math.max(1, median(sorted(runs))) / 1e6;
    return [
      { function: cell.function, target: cell.target, input: cell.input, runMs, totalMs: median(sorted(totals)) / 1e6 },
    ];
  });
}

/** The model's lines of both sides, from below the smallest input to beyond the largest and the break-even. */
function curvesOf(each: BreakEven, points: readonly Point[]): Omit<Point, 'input'>[] {
  const runs = points.filter((point) => point.function === each.function).map((point) => point.runMs);
  const from = Math.min(...runs) / 2;
  const to = Math.max(...runs, crossingMs(each)) * 2;
  const slowdown = each.slowdown?.value ?? 1;
  const sides = [{ target: each.native, fixedMs: each.nativeOverheadNs / 1e6, factor: 1 }];
  // Its line is the same against each native target.
  if (each.native === 'container-cold')
    sides.push({ target: each.wasm, fixedMs: each.wasmOverheadNs / 1e6, factor: slowdown });
  return sides.flatMap(({ target, fixedMs, factor }) =>
    Array.from({ length: CURVE_POINTS }, (_, at) => {
      const runMs = from * (to / from) ** (at / (CURVE_POINTS - 1));
      return { function: each.function, target, runMs, totalMs: Math.max(1e-6, fixedMs + factor * runMs) };
    }),
  );
}
