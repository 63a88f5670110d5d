/** The power of a session, a row for each block, with the windows that were marked in it. */

import * as Plot from '@observablehq/plot';
import { draw, facetTitles, type Figure } from '../../compare/report/drawing.ts';
import { colourOf } from '../../compare/report/palette.ts';
import type { MeasuredRun, MeasuredWindow } from '../joules.ts';
import { envelopeOf, type EnvelopePoint } from './envelope.ts';

const BUCKETS = 300;
const ROWS_MAX = 8;
const FACET_PX = 72;
const IDLE = 'idle';
const IDLE_COLOUR = '#c5d86d';

interface Band {
  readonly row: string;
  readonly what: string;
  readonly fromS: number;
  readonly toS: number;
  readonly about: string;
}

interface Point extends EnvelopePoint {
  readonly row: string;
}

interface Row {
  readonly points: readonly Point[];
  readonly bands: readonly Band[];
}

const colour = (what: string): string => (what === IDLE ? IDLE_COLOUR : colourOf(what));

/** The power of the whole run with its guards and batches; undefined where nothing was marked. */
export function drawTrace(run: MeasuredRun): Figure | undefined {
  const batches = run.windows.filter(({ kind }) => kind === 'batch');
  const blocks = [...new Set(batches.map(({ record }) => record.block))];
  if (blocks.length === 0) return undefined;
  const rows = blocks.slice(0, ROWS_MAX).map((block) => rowOf(run, batches, block));
  const points = rows.flatMap((row) => row.points);
  const bands = rows.flatMap((row) => row.bands);
  const names = [...new Set(bands.map(({ what }) => what))];
  const titles = [...new Set(points.map(({ row }) => row))];
  const lowestW = Math.min(...points.map(({ lowW }) => lowW));
  const highestW = Math.max(...points.map(({ highW }) => highW));
  const svg = draw(
    {
      height: titles.length * FACET_PX + 44,
      marginLeft: 30,
      marginTop: 16,
      x: { label: 'seconds from the idle guard before the block', ticks: 6 },
      y: { label: null, domain: [lowestW, highestW], ticks: 3, grid: true, nice: true },
      fy: { axis: null, domain: titles, padding: 0.28 },
      marks: [
        Plot.rect(bands, {
          fy: 'row',
          x1: 'fromS',
          x2: 'toS',
          y1: lowestW,
          y2: highestW,
          fill: (band: Band) => colour(band.what),
          fillOpacity: 0.3,
          title: (band: Band) => `${band.what}: ${band.about}`,
        }),
        Plot.areaY(points, { fy: 'row', x: 'timeS', y1: 'lowW', y2: 'highW', fill: 'currentColor', fillOpacity: 0.2 }),
        Plot.line(points, { fy: 'row', x: 'timeS', y: 'meanW', z: 'row', stroke: 'currentColor', strokeWidth: 0.8 }),
        facetTitles(titles),
      ],
    },
    names.map((name) => ({ label: name, colour: colour(name) })),
  );
  const part = blocks.length > ROWS_MAX ? ` The first ${ROWS_MAX} of ${blocks.length} blocks.` : '';
  return {
    id: 'power-trace',
    title: 'Power in W, with the windows that were marked',
    caption: `Mean (line), lowest and highest sample (band). In colour the marked batches by target, in light green the idle guards, between which the idle power is taken.${part}`,
    svg,
    series: names,
  };
}

/** A block with the guards right before and after it. */
function rowOf({ integral, guards }: MeasuredRun, batches: readonly MeasuredWindow[], block: number): Row {
  const of = batches.filter(({ record }) => record.block === block);
  const firstS = Math.min(...of.map(({ window }) => window.startS));
  const lastS = Math.max(...of.map(({ window }) => window.endS));
  const levels = guards.baseline?.levels ?? [];
  const around = [levels.filter(({ endS }) => endS <= firstS).at(-1), levels.find(({ startS }) => startS >= lastS)];
  const [before, after] = around;
  const fromS = before?.startS ?? firstS;
  const row = `block ${block + 1}`;
  const band = (what: string, startS: number, endS: number, about: string): Band => ({
    row,
    what,
    fromS: startS - fromS,
    toS: endS - fromS,
    about,
  });
  const points = envelopeOf(integral, fromS, after?.endS ?? lastS, BUCKETS);
  return {
    points: points.map((point) => ({ ...point, row, timeS: point.timeS - fromS })),
    bands: [
      ...around.flatMap((level) => (level === undefined ? [] : band(IDLE, level.startS, level.endS, row))),
      ...of.map(({ record, window }) => {
        const about = `${record.function} ${record.input}, ${record.calls} calls`;
        return band(record.target, window.startS, window.endS, about);
      }),
    ],
  };
}
