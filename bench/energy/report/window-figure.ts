/** A few marked windows of each target close up: whether the edges lie where power changes is seen here, or not at all. */

import * as Plot from '@observablehq/plot';
import { draw, facetTitles, type Figure } from '../../compare/report/drawing.ts';
import { colourOf } from '../../compare/report/palette.ts';
import type { MeasuredRun, MeasuredWindow } from '../joules.ts';
import { envelopeOf, type EnvelopePoint } from './envelope.ts';
import { seconds } from './quantities.ts';

const FACET_PX = 72;
const BUCKETS = 240;
/** Calls that are shown of a target whose calls were marked one by one. */
const CALLS = 3;

interface Shown {
  readonly row: string;
  readonly target: string;
  /** Shares of the row. */
  readonly from: number;
  readonly to: number;
  readonly about: string;
}

interface Point extends EnvelopePoint {
  readonly row: string;
  readonly at: number;
}

interface Row {
  readonly title: string;
  readonly shown: readonly Shown[];
  readonly points: readonly Point[];
}

const colour = ({ target }: Shown): string => colourOf(target);

/** The power around some windows, close up; undefined where nothing was marked. */
export function drawWindows(run: MeasuredRun): Figure | undefined {
  const targets = [...new Set(run.windows.map(({ record }) => record.target))];
  const rows = targets.flatMap((target) => rowOf(run, target));
  const points = rows.flatMap((row) => row.points);
  const shown = rows.flatMap((row) => row.shown);
  if (points.length === 0) return undefined;
  const titles = rows.map(({ title }) => title);
  const svg = draw(
    {
      height: titles.length * FACET_PX + 20,
      marginLeft: 30,
      marginTop: 16,
      marginBottom: 8,
      x: { axis: null, domain: [0, 1] },
      y: { label: null, ticks: 3, grid: true, nice: true },
      fy: { axis: null, domain: titles, padding: 0.28 },
      marks: [
        Plot.rect(shown, {
          fy: 'row',
          x1: 'from',
          x2: 'to',
          y1: Math.min(...points.map(({ lowW }) => lowW)),
          y2: Math.max(...points.map(({ highW }) => highW)),
          fill: colour,
          fillOpacity: 0.3,
          stroke: colour,
          title: (each: Shown) => `${each.target}: ${each.about}`,
        }),
        Plot.areaY(points, { fy: 'row', x: 'at', y1: 'lowW', y2: 'highW', fill: 'currentColor', fillOpacity: 0.2 }),
        Plot.line(points, { fy: 'row', x: 'at', y: 'meanW', z: 'row', stroke: 'currentColor', strokeWidth: 0.8 }),
        facetTitles(titles),
      ],
    },
    [],
  );
  return {
    id: 'power-windows',
    title: 'Marked windows close up',
    caption:
      'W over time around the first batch of each target, or its first calls where each is marked: the edges should lie where power changes. Each row has a time scale of its own.',
    svg,
    series: targets,
  };
}

function rowOf({ windows, integral }: MeasuredRun, target: string): Row[] {
  const some = someOf(windows.filter(({ record }) => record.target === target));
  const [first] = some;
  const last = some.at(-1);
  if (first === undefined || last === undefined) return [];
  const marginS = 0.2 * (last.window.endS - first.window.startS);
  const fromS = first.window.startS - marginS;
  const toS = last.window.endS + marginS;
  const share = (timeS: number): number => (timeS - fromS) / (toS - fromS);
  const lengthS = first.window.endS - first.window.startS;
  const title = `${target}, ${first.record.function} ${first.record.input}: ${seconds(lengthS)}`;
  return [
    {
      title,
      shown: some.map(({ window, state }) => {
        const about = `${seconds(window.endS - window.startS)}, ${state}`;
        return { row: title, target, from: share(window.startS), to: share(window.endS), about };
      }),
      points: envelopeOf(integral, fromS, toS, BUCKETS).map((point) => ({
        ...point,
        row: title,
        at: share(point.timeS),
      })),
    },
  ];
}

function someOf(windows: readonly MeasuredWindow[]): readonly MeasuredWindow[] {
  const calls = windows.filter(({ kind }) => kind === 'call');
  const [first] = calls;
  if (first === undefined) return windows.slice(0, 1);
  return calls.filter(({ record }) => record.batch === first.record.batch).slice(0, CALLS);
}
