/** What a reader must know before believing the numbers, as data. Pure. */

import { standardDeviation } from '../../statistics/moments.ts';
import { median, sorted } from '../../statistics/quantiles.ts';
import { modifiedZScore } from '../../statistics/robust.ts';
import type { RunEnvironment } from './environment.ts';
import type { Plan } from './plan.ts';
import type { CellName, Samples } from './samples.ts';

/** Something a reader must know, with its severity and what it is about. */
export interface Finding {
  readonly code: FindingCode;
  /** `void`: nothing may be concluded. `warning`: read with care. `note`: good to know. */
  readonly severity: 'void' | 'warning' | 'note';
  readonly message: string;
  /** The cells, targets or blocks it is about. */
  readonly about: readonly string[];
}

/** What kind of finding it is; stable, for whoever reads analysis.json. */
export type FindingCode =
  | 'void'
  | 'interrupted'
  | 'failed-calls'
  | 'missing-target'
  | 'too-few-blocks'
  | 'noisy-machine'
  | 'unstable-cell'
  | 'first-call-outlier'
  | 'tier-up'
  | 'no-difference'
  | 'no-stamps'
  | 'short-run'
  | 'garbage-collection'
  | 'frequency-unknown';

/** What findings are looked for in. */
export interface FindingsInput {
  readonly plan: Plan;
  readonly environment: RunEnvironment;
  readonly samples: Samples;
  /** Cells whose total cannot be told from the reference's. */
  readonly undecided: readonly CellName[];
}

const FEWEST_BLOCKS = 10;
const STEAL_SHARE_MAX = 0.01;
/** Spread of the medians of the blocks, over the median of all. */
const BLOCK_SPREAD_MAX = 0.25;
/** As hyperfine has it: ten times sqrt(2.2), where Iglewicz and Hoaglin call 3.5 an outlier. */
const OUTLIER_SCORE = 14.826;
const OUTLIER_RATIO = 2;
const TIER_UP_RATIO = 1.25;
/** Below this own run the slowdown of a break-even is the clock's and the caches' more than the function's. */
const SHORT_RUN_NS = 100_000;

const nameOf = (cell: CellName): string => `${cell.target} ${cell.function} ${cell.input}`;
/** A number of things. */
export const counted = (count: number, thing: string): string => `${count} ${thing}${count === 1 ? '' : 's'}`;
const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;

/** Finds everything that a reader of a comparison must know. */
export function findAll(input: FindingsInput): Finding[] {
  return [
    ...findStop(input),
    ...findFailures(input),
    ...findMachine(input),
    ...findUnstable(input),
    ...findFirstCalls(input),
    ...findTierUp(input),
    ...findUndecided(input),
    ...findUnstamped(input),
    ...findShortRuns(input),
  ];
}

function findStop({ environment, plan, samples }: FindingsInput): Finding[] {
  const { stopped, missing } = environment;
  const found: Finding[] = [];
  if (stopped?.startsWith('void') === true) found.push({ code: 'void', severity: 'void', message: stopped, about: [] });
  else if (stopped !== null) {
    const message = `${stopped}: ${samples.blockCount} of ${plan.blocks} blocks begun, the last of them not finished`;
    found.push({ code: 'interrupted', severity: 'warning', message, about: [] });
  }
  for (const { target, reason } of missing) {
    found.push({
      code: 'missing-target',
      severity: 'note',
      message: `${target} was not measured: ${reason}`,
      about: [target],
    });
  }
  if (samples.blockCount < FEWEST_BLOCKS) {
    const message = `${counted(samples.blockCount, 'block')}: intervals over fewer than ${FEWEST_BLOCKS} are too narrow`;
    found.push({ code: 'too-few-blocks', severity: 'warning', message, about: [] });
  }
  return found;
}

function findFailures({ samples }: FindingsInput): Finding[] {
  const byReason = new Map<string, string[]>();
  for (const call of samples.failed) {
    const about = byReason.get(call.reason) ?? [];
    byReason.set(call.reason, [...about, `${nameOf(call)}, block ${call.block}`]);
  }
  return [...byReason].map(([reason, about]) => ({
    code: 'failed-calls',
    severity: 'warning',
    message: `${counted(about.length, 'call')} failed, in no statistic: ${reason}`,
    about,
  }));
}

/** What the machine was while it measured. */
export function findMachine({ environment }: Pick<FindingsInput, 'environment'>): Finding[] {
  const found: Finding[] = [];
  const stolen = environment.blocks.filter((block) => (block.stealShare ?? 0) > STEAL_SHARE_MAX);
  if (stolen.length > 0) {
    const most = Math.max(...stolen.map((block) => block.stealShare ?? 0));
    const message = `the machine beneath took up to ${percent(most)} of the processor in ${counted(stolen.length, 'block')}`;
    found.push({
      code: 'noisy-machine',
      severity: 'warning',
      message,
      about: stolen.map(({ block }) => `block ${block}`),
    });
  }
  if (environment.loadBefore > environment.cores / 2) {
    const message = `load ${environment.loadBefore} on ${environment.cores} cores before the run: something else was running`;
    found.push({ code: 'noisy-machine', severity: 'warning', message, about: [] });
  }
  if (environment.governor !== 'performance') {
    const message = `frequency governor ${environment.governor ?? 'unknown'}: the clock may have changed during the run`;
    found.push({ code: 'frequency-unknown', severity: 'note', message, about: [] });
  }
  if (!environment.collectsGarbage) {
    const message = 'run without --expose-gc: garbage of one cell may have been collected at the cost of another';
    found.push({ code: 'garbage-collection', severity: 'warning', message, about: [] });
  }
  return found;
}

function findUnstable({ samples }: FindingsInput): Finding[] {
  const about = samples.cells.filter((cell) => blockSpread(samples, cell) > BLOCK_SPREAD_MAX).map(nameOf);
  if (about.length === 0) return [];
  const message = `${about.length} of ${samples.cells.length} cells differ from block to block by more than ${percent(BLOCK_SPREAD_MAX)}`;
  return [{ code: 'unstable-cell', severity: 'note', message: `${message} (sd of the block medians)`, about }];
}

function blockSpread(samples: Samples, cell: CellName): number {
  const blocks = samples.blocks(cell, 'total')?.filter((block) => block.length > 0) ?? [];
  const medians = sorted(blocks.map((block) => median(sorted(block))));
  return standardDeviation(medians) / median(medians);
}

function findFirstCalls({ samples }: FindingsInput): Finding[] {
  const slow = samples.cells.flatMap((cell) => {
    const [first] = samples.warmUps(cell, 'total');
    const values = sorted(samples.values(cell, 'total'));
    if (first === undefined || values.length < 3) return [];
    const ratio = first / median(values);
    return ratio > OUTLIER_RATIO && modifiedZScore(first, values) > OUTLIER_SCORE ? [{ cell, ratio }] : [];
  });
  if (slow.length === 0) return [];
  const most = slow.reduce((left, right) => (right.ratio > left.ratio ? right : left));
  const message = `the first call of ${counted(slow.length, 'cell')}, a warm-up, took up to ${most.ratio.toFixed(0)} times the median (${nameOf(most.cell)})`;
  return [{ code: 'first-call-outlier', severity: 'note', message, about: slow.map(({ cell }) => nameOf(cell)) }];
}

/** Code that V8 compiled better meanwhile makes the guest's own run shorter: the start of the series against its end. */
function findTierUp({ samples }: FindingsInput): Finding[] {
  const about = samples.cells.flatMap((cell) => {
    if (!/^(wasm|node-wasi)/.test(cell.target)) return [];
    const runs = samples.values(cell, 'run');
    const third = Math.floor(runs.length / 3);
    if (third < 3) return [];
    const ratio = median(sorted(runs.slice(0, third))) / median(sorted(runs.slice(-third)));
    return ratio > TIER_UP_RATIO ? [`${nameOf(cell)}: ${ratio.toFixed(2)}`] : [];
  });
  if (about.length === 0) return [];
  const message = `the guest's own run became faster within the series of ${counted(about.length, 'cell')} (first third over last third): tier-up`;
  return [{ code: 'tier-up', severity: 'warning', message, about }];
}

function findUndecided({ undecided }: FindingsInput): Finding[] {
  if (undecided.length === 0) return [];
  const message = `no difference of totals is claimed for ${counted(undecided.length, 'pair')}, the interval of the ratio contains 1`;
  return [{ code: 'no-difference', severity: 'note', message, about: undecided.map(nameOf) }];
}

function findUnstamped({ samples }: FindingsInput): Finding[] {
  const answered = samples.cells.filter((cell) => samples.blocks(cell, 'total') !== undefined);
  const about = answered.filter((cell) => samples.blocks(cell, 'start') === undefined).map(nameOf);
  if (about.length === 0) return [];
  const message = `totals only of ${counted(about.length, 'cell')}: no stamps by the clock of this machine`;
  return [{ code: 'no-stamps', severity: 'note', message, about }];
}

/** Whether a function runs at its largest input for too short a time to tell how much slower it is in Wasm. */
export function isShortRun(samples: Samples, functionName: string): boolean {
  const input = samples.inputsOf(functionName).at(-1) as string;
  const runs = samples.targets.map((target) => samples.values({ target, function: functionName, input }, 'run'));
  return runs.some((values) => values.length > 0 && median(sorted(values)) < SHORT_RUN_NS);
}

function findShortRuns({ samples }: FindingsInput): Finding[] {
  const about = samples.functions.filter((functionName) => isShortRun(samples, functionName));
  if (about.length === 0) return [];
  const message = `no break-even of ${about.join(', ')}: less than 0.1 ms of own run at the largest input`;
  return [{ code: 'short-run', severity: 'note', message, about }];
}
