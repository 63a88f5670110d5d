/** Sweeps and densities for people. */

import * as Plot from '@observablehq/plot';
import { draw, logAxis, timeTick, type Figure } from '../compare/report/drawing.ts';
import { colourOf } from '../compare/report/palette.ts';
import { time } from '../compare/report/quantities.ts';
import { environmentTable } from '../compare/report/tables.ts';
import { targetTable } from '../compare/report/targets.ts';
import type { RunEnvironment } from '../compare/environment.ts';
import { findMachine } from '../compare/findings.ts';
import { energy as joules, energyInterval, power } from '../energy/report/quantities.ts';
import type { Bounded } from '../energy/bounded.ts';
import type { LoadEnergy } from './energy.ts';
import type { LoadResult, Sweep } from './result.ts';
import type { LoadStep } from './step.ts';

interface Point {
  readonly target: string;
  readonly ratePerSecond: number;
  readonly ms: number;
  readonly percentile: 'p50' | 'p99';
}

const us = (value: number): string => time(value * 1000);
const rate = (perSecond: number): string => perSecond.toFixed(perSecond < 100 ? 1 : 0);

const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;

function table(head: readonly string[], lines: readonly (readonly string[])[]): string {
  return [row(head), row(head.map(() => '---')), ...lines.map(row)].join('\n');
}

function kneeLine({ target, knee, steps }: Sweep): string[] {
  const at = steps.find((step) => step.sustained && step.ratePerSecond === knee.sustainedPerSecond);
  const failed = knee.failedPerSecond === null ? 'none' : `${rate(knee.failedPerSecond)}${blame(steps, knee)}`;
  const latency = at === undefined ? ['-', '-', '-'] : [us(at.p50Us), us(at.p99Us), us(at.lagP99Us)];
  return [target, rate(knee.sustainedPerSecond), failed, ...latency];
}

/** Where the generator was late itself, the step says nothing of the server. */
function blame(steps: readonly LoadStep[], { failedPerSecond }: Sweep['knee']): string {
  const last = steps.findLast((step) => step.ratePerSecond === failedPerSecond);
  const isGenerators = last !== undefined && last.lagP99Us * 2 > last.p99Us;
  return isGenerators ? ' (the generator was late itself: the server may do more)' : '';
}

/** Knees and densities, as Markdown. */
export function loadTables({ sweeps, densities, energy }: LoadResult): string[] {
  const knees = table(
    ['target', 'sustained per second', 'not sustained per second', 'p50 there', 'p99 there', "generator's lag p99"],
    sweeps.map(kneeLine),
  );
  const lines = densities.map((each) => [
    each.target,
    String(each.functions),
    `${(each.bytesPerFunction / 1024).toFixed(0)} KiB`,
    each.perGib === 0 ? 'not bounded by memory' : each.perGib.toLocaleString('en'),
    each.detail,
  ]);
  const head = ['target', 'idle functions measured', 'memory of each', 'fit in 1 GiB', 'what was counted'];
  const energies = energy === undefined ? [] : energyParts(energy);
  return [knees, ...energies, ...(densities.length === 0 ? [] : [table(head, lines)])];
}

const bounded = (value: Bounded | null): string =>
  value === null ? '-' : `${joules(value.value)} ${energyInterval(value)}`;

/** Joules of a call at each rate, under what a reader must know of them. */
function energyParts(told: LoadEnergy): string[] {
  const stamps = [
    ...(told.synthetic ? ['SYNTHETIC: no power was measured. '] : []),
    ...(told.estimate ? ['ESTIMATE. '] : []),
  ];
  const text = `${stamps.join('')}Energy of a call by ${told.source}, above an idle machine of ${power(told.idleW)} and with it; the server, its guests and whoever sends, which runs on this machine, together. 95 % intervals.`;
  const lines = told.steps.map((step) => [
    step.target,
    rate(step.ratePerSecond),
    rate(step.answeredPerSecond),
    step.aboveIdleW === null ? '-' : power(step.aboveIdleW.value),
    bounded(step.netJ),
    bounded(step.grossJ),
    step.reasons.join('; '),
  ]);
  const head = [
    'target',
    'offered per second',
    'answered per second',
    'power above idle',
    'a call above idle',
    'a call with idle',
    'against it',
  ];
  return [text, table(head, lines)];
}

function failuresOf({ failures }: LoadStep): string {
  return Object.entries(failures)
    .map(([reason, count]) => `${count} ${reason}`)
    .join(', ');
}

/** The report of a sweep as Markdown. */
export function toMarkdown(result: LoadResult, environment: RunEnvironment): string {
  const steps = result.sweeps.flatMap((sweep) => [...sweep.steps].sort((a, b) => a.ratePerSecond - b.ratePerSecond));
  const lines = steps.map((step) => [
    step.target,
    rate(step.ratePerSecond),
    rate(step.answeredPerSecond),
    us(step.p50Us),
    us(step.p90Us),
    us(step.p99Us),
    us(step.p999Us),
    step.sustained ? 'yes' : 'no',
    failuresOf(step),
  ]);
  const head = [
    'target',
    'offered per second',
    'answered per second',
    'p50',
    'p90',
    'p99',
    'p99.9',
    'sustained',
    'failed',
  ];
  const targets = targetTable(result.sweeps.map(({ target }) => target));
  const { head: environmentHead, lines: environmentLines } = environmentTable(environment);
  return `${[
    `# Load on ${result.function}`,
    ...(result.stopped === null ? [] : [`**${result.stopped}**`]),
    `Requests leave at a constant rate; latency counts from when a request should have left. ${result.criterion}`,
    table(targets.head, targets.lines),
    ...loadTables(result),
    '![latency against rate](figures/load.svg)',
    table(head, lines),
    ...result.missing.map((line) => `Not measured: ${line}`),
    ...findMachine({ environment }).map(({ severity, message }) => `${severity}: ${message}`),
    '## Environment',
    table(environmentHead, environmentLines),
  ].join('\n\n')}\n`;
}

const colour = (each: { readonly target: string }): string => colourOf(each.target);

/** Of each rate the try that decided: one that was sustained, or the last. */
function lastTries(steps: readonly LoadStep[]): LoadStep[] {
  return [...new Map(steps.map((step) => [step.ratePerSecond, step])).values()];
}

/** Latency against rate, all targets in one figure. */
export function drawLoad({ sweeps }: LoadResult): Figure {
  const points = sweeps.flatMap(({ target, steps }) =>
    lastTries(steps)
      .filter((step) => step.answered > 0)
      .sort((left, right) => left.ratePerSecond - right.ratePerSecond)
      .flatMap(({ ratePerSecond, p50Us, p99Us }): Point[] => [
        { target, ratePerSecond, ms: p50Us / 1000, percentile: 'p50' },
        { target, ratePerSecond, ms: p99Us / 1000, percentile: 'p99' },
      ]),
  );
  const targets = sweeps.map((sweep) => sweep.target);
  const place = { x: 'ratePerSecond', y: 'ms', stroke: colour } as const;
  const svg = draw(
    {
      height: 220,
      marginLeft: 46,
      x: { ...logAxis(points.map((point) => point.ratePerSecond)), label: 'offered per second' },
      y: {
        ...logAxis(
          points.map((point) => point.ms),
          timeTick,
        ),
        label: 'from the intended start to the answer',
      },
      marks: [
        Plot.line(
          points.filter((point) => point.percentile === 'p50'),
          { ...place, z: 'target' },
        ),
        Plot.line(
          points.filter((point) => point.percentile === 'p99'),
          { ...place, z: 'target', strokeDasharray: '3 2' },
        ),
        Plot.dot(points, {
          ...place,
          r: 2,
          title: (point: Point) =>
            `${point.target} ${point.percentile} at ${rate(point.ratePerSecond)}/s: ${time(point.ms * 1e6)}`,
        }),
        Plot.ruleX(sweeps, {
          x: (sweep: Sweep) => Math.max(0.1, sweep.knee.sustainedPerSecond),
          stroke: colour,
          strokeOpacity: 0.5,
          title: (sweep: Sweep) => `knee of ${sweep.target}: ${rate(sweep.knee.sustainedPerSecond)}/s`,
        }),
      ],
    },
    targets.map((target) => ({ label: target, colour: colourOf(target) })),
  );
  const caption = 'Solid: p50. Dashed: p99. Vertical: the highest rate that was sustained.';
  return { id: 'load', title: 'Latency against rate', caption, svg, series: targets };
}
