/** The report's tables as cells of text, for HTML and Markdown alike. */

import type { Analysis, BreakEven, CellSummary, OverallRatio } from '../analysis.ts';
import type { RunEnvironment } from '../environment.ts';
import { CALL_PHASES } from '../rows.ts';
import { ratio, ratioInterval, time, timeInterval } from './quantities.ts';

/** A table of a report: titles of the columns, then the lines. */
export interface Table {
  readonly head: readonly string[];
  readonly lines: readonly (readonly string[])[];
}

const estimate = (each: OverallRatio | undefined): string =>
  each === undefined ? '-' : `${ratio(each.ratio.value)} ${ratioInterval(each.ratio)}`;

/** The first function's call as it was measured, then geometric means over the functions of the ratios of totals and of starts. */
export function headlineTable(analysis: Analysis): Table {
  const inputs = [...new Set(analysis.overall.map((each) => each.input))];
  const targets = [...new Set([analysis.reference, ...analysis.overall.map((each) => each.target)])];
  const [example] = analysis.cells;
  const ratioOf = (target: string, input: string, phase: string): string =>
    target === analysis.reference
      ? '1'
      : estimate(
          analysis.overall.find((each) => each.target === target && each.input === input && each.phase === phase),
        );
  const exampleOf = (target: string): string => {
    const isExample = (cell: CellSummary): boolean =>
      cell.target === target && cell.function === example?.function && cell.input === example.input;
    const total = analysis.cells.find(isExample)?.phases['total'];
    return total?.interval === undefined ? '-' : `${time(total.median)} ${timeInterval(total.interval)}`;
  };
  return {
    head: [
      'target',
      `a call of ${example?.function ?? '-'}`,
      ...inputs.map((input) => `whole call, ${input}`),
      ...inputs.map((input) => `start, ${input}`),
    ],
    lines: targets.map((target) => [
      target,
      exampleOf(target),
      ...inputs.map((input) => ratioOf(target, input, 'total')),
      ...inputs.map((input) => ratioOf(target, input, 'start')),
    ]),
  };
}

const medianOf = (cell: CellSummary, name: string): string => time(cell.phases[name]?.median);

/** Medians of whole calls and their phases. */
export function mediansTable(analysis: Analysis): Table {
  return {
    head: ['function', 'input', 'target', 'n', 'failed', 'whole call', '95 % interval', ...CALL_PHASES],
    lines: byFunction(analysis.cells).map((cell) => {
      const total = cell.phases['total'];
      return [
        cell.function,
        cell.input,
        cell.target,
        String(total?.n ?? 0),
        String(cell.failed),
        time(total?.median),
        total?.interval === undefined ? '-' : timeInterval(total.interval),
        ...CALL_PHASES.map((name) => medianOf(cell, name)),
      ];
    }),
  };
}

/** Mean, deviation and percentiles of whole calls. */
export function spreadTable(analysis: Analysis): Table {
  return {
    head: ['function', 'input', 'target', 'mean', 'sd', 'p5', 'p50', 'p95', 'p99', 'max'],
    lines: byFunction(analysis.cells).flatMap((cell) => {
      const total = cell.phases['total'];
      if (total === undefined) return [];
      const { mean, sd, p5, median, p95, p99, max } = total;
      return [[cell.function, cell.input, cell.target, ...[mean, sd, p5, median, p95, p99, max].map((ns) => time(ns))]];
    }),
  };
}

/** Break-evens in words and numbers. */
export function breakEvenTable(analysis: Analysis): Table {
  return {
    head: [
      'function',
      'against',
      'fixed part in Wasm',
      'fixed part natively',
      'slowdown in Wasm',
      'break-even run time',
      '95 % interval',
    ],
    lines: analysis.breakEvens.map((each) => [
      each.function,
      each.native,
      time(each.wasmOverheadNs),
      time(each.nativeOverheadNs),
      each.slowdown === null ? '-' : `${ratio(each.slowdown.value)} ${ratioInterval(each.slowdown)}`,
      breakEvenText(each),
      each.verdict === 'crosses' && each.runNs !== null ? timeInterval(each.runNs) : '-',
    ]),
  };
}

/** A break-even in words. */
export function breakEvenText({ verdict, runNs, wasm, native }: BreakEven): string {
  switch (verdict) {
    case 'crosses':
      return time(runNs?.value);
    case 'wasm-ahead':
      return `none: ${wasm} is ahead however long it runs`;
    case 'native-ahead':
      return `none: ${native} is ahead from the start`;
    case 'reversed':
      return `none: ${native} is ahead while it is short, ${wasm} where it is long`;
    case 'unresolved':
      return `not resolved: the slowdown may be 1${(runNs?.low ?? 0) > 0 ? `; not below ${time(runNs?.low)}` : ''}`;
    case 'too-short':
      return 'not known: it runs for less than 0.1 ms';
    default:
      return verdict satisfies never;
  }
}

const mhz = (value: number | null | undefined): string =>
  value === null || value === undefined ? 'unknown' : `${value.toFixed(0)} MHz`;

function cgroupText({ cgroupLimits: { cpus, memoryBytes } }: RunEnvironment): string {
  const memory = memoryBytes === null ? 'no limit on memory' : `${(memoryBytes / 2 ** 30).toFixed(1)} GiB`;
  return `${cpus === null ? 'all cores' : `${cpus} cores`}, ${memory}`;
}

/** What the machine was during a run. */
export function environmentTable(environment: RunEnvironment): Table {
  const steals = environment.blocks.flatMap((block) => (block.stealShare === null ? [] : [block.stealShare]));
  const steal = steals.length === 0 ? 'unknown' : `${(Math.max(...steals) * 100).toFixed(2)} % in the worst block`;
  return {
    head: ['what', 'value'],
    lines: [
      ['date', environment.date],
      ['processor', `${environment.cpu}, ${environment.cores} cores`],
      ['frequency before and after', `${mhz(environment.frequencyMhz)}, ${mhz(environment.frequencyAfterMhz)}`],
      ['frequency governor', environment.governor ?? 'unknown'],
      ['memory', `${(environment.memoryBytes / 2 ** 30).toFixed(1)} GiB`],
      ['kernel', `${environment.kernel} ${environment.arch}`],
      ['Node', `${environment.node}, V8 ${environment.v8}`],
      ['container engine', environment.engine],
      ['control group', (environment.cgroup ?? 'unknown').replaceAll('\n', ' ')],
      ['limits of the control group', cgroupText(environment)],
      ['load before and after', `${environment.loadBefore}, ${environment.loadAfter}`],
      ['processor time taken by the machine beneath', steal],
      ['garbage collected before each turn', environment.collectsGarbage ? 'yes' : 'no'],
      ['commit', environment.commit ?? 'unknown'],
      ['command', environment.command],
    ],
  };
}

/** Digests of what was run: a target differs from the next in how, not in what. */
export function digestTable(environment: RunEnvironment): Table {
  return {
    head: ['target', 'function', 'bytes', 'SHA-256', 'image', 'deployed as'],
    lines: Object.entries(environment.deployed).flatMap(([target, deployed]) =>
      deployed.map((each) => [
        target,
        each.function,
        String(each.sizeBytes),
        each.digest.slice(0, 16),
        each.imageId?.slice('sha256:'.length, 'sha256:'.length + 16) ?? '-',
        each.detail ?? '',
      ]),
    ),
  };
}

/** Cells of one function and input side by side. */
function byFunction(cells: readonly CellSummary[]): CellSummary[] {
  const functions = [...new Set(cells.map((cell) => cell.function))];
  const inputs = [...new Set(cells.map((cell) => cell.input))];
  return functions.flatMap((name) =>
    inputs.flatMap((input) => cells.filter((cell) => cell.function === name && cell.input === input)),
  );
}
