/** What the loads of `bench waits` came to: rows, bars, raw samples. */

import { joined } from '../../statistics/bootstrap.ts';
import { median, nearestRank, sorted } from '../../statistics/quantiles.ts';
import { atLeast, atMost, compareLatency, compareRates, type Bar, type Comparison } from '../measurement/comparison.ts';
import type { Findings } from '../measurement/result.ts';
import type { Row, Series } from '../measurement/series.ts';
import type { Contender, Load } from './contender.ts';
import type { LoadResult } from './generator.ts';

const BENCH = 'waits';
/** In which all of a burst are to be answered. */
const BURST_US = 1e6;
const BYTES_PER_CALL = 100 * 1024;
/** What a guest that spins may run before others that wait for its thread have a turn: once before a call begins, once before it goes on. */
const SLICES_US = 2 * 5000;
const FEWEST_PER_SECOND = 600;
/** Of what a proxy does that has nothing between its request and its upstream. */
const SHARE_OF_BARE = 0.4;

/** What is measured, and what was found out on the way. */
export interface Plan {
  readonly loads: {
    readonly burst: Load;
    readonly callers: Load;
    readonly sleepers: Load;
    readonly alone: Load;
    readonly beside: Load;
    readonly memory: Load;
  };
  /** Ours with threads as by default, and with a number of them. */
  readonly ours: readonly Contender[];
  readonly peers: readonly Contender[];
  /** Whether this Node suspends guests. */
  readonly canSuspend: boolean;
  /** Bytes of a call that waits, block by block. */
  readonly memory: number[];
  readonly missing: string[];
}

/** Rows, comparisons and samples of a run. */
export function findingsOf(plan: Plan): Findings {
  const { loads, ours, peers, canSuspend, missing } = plan;
  const { burst, callers, sleepers, alone, beside } = loads;
  const measured = [
    ...[burst, callers].flatMap((load) => [...ours, ...peers].map((contender) => ({ contender, load }))),
    ...[sleepers, alone, beside].flatMap((load) => ours.map((contender) => ({ contender, load }))),
  ].filter(({ contender, load }) => contender.results(load).length > 0);
  return {
    rows: [...measured.map(({ contender, load }) => rowOf(contender, load, canSuspend)), ...memoryRows(plan)],
    comparisons: [
      ...ours.flatMap((contender) => [burst, sleepers].flatMap((load) => compareBurst(contender, load, canSuspend))),
      ...ours.flatMap((contender) => compareCallers(contender, plan)),
      ...ours.flatMap((contender) => compareBeside(contender, plan)),
      ...compareMemory(plan),
    ],
    series: measured.map(({ contender, load }) => seriesOf(contender, load)),
    missing,
  };
}

function seriesOf(contender: Contender, load: Load): Series {
  const blocks = contender.results(load).map(({ latenciesUs }) => Float64Array.from(latenciesUs));
  return { bench: BENCH, subject: contender.name, function: `${load.function}, ${load.connections}`, blocks };
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
const answered = ({ latenciesUs }: LoadResult): number => latenciesUs.length;
const perSecond = (result: LoadResult): number => (answered(result) / result.elapsedUs) * 1e6;

function failuresOf(results: readonly LoadResult[]): Record<string, number> {
  const all: Record<string, number> = {};
  for (const { failures } of results)
    for (const [kind, count] of Object.entries(failures)) all[kind] = (all[kind] ?? 0) + count;
  return all;
}

function rowOf(contender: Contender, load: Load, suspendsGuests: boolean): Row {
  const results = contender.results(load);
  const all = sorted(joined(seriesOf(contender, load).blocks));
  const { connections, seconds } = load;
  const isBurst = seconds === undefined;
  const isWhole = results.every((result) => answered(result) === connections);
  return {
    bench: BENCH,
    subject: contender.name,
    function: load.function,
    connections,
    n: all.length,
    p50Us: nearestRank(all, 0.5),
    p90Us: nearestRank(all, 0.9),
    p99Us: nearestRank(all, 0.99),
    perSecond: sum(results.map(perSecond)) / results.length,
    ...(isBurst ? { asked: connections * results.length } : {}),
    ...(isBurst && isWhole ? { allUs: median(sorted(results.map(({ elapsedUs }) => elapsedUs))) } : {}),
    failures: failuresOf(results),
    suspendsGuests,
  };
}

/** All at once: how many are answered, and within which time. Where guests are not suspended, there is no bar. */
function compareBurst(contender: Contender, load: Load, canSuspend: boolean): Comparison[] {
  const results = contender.results(load);
  if (results.length === 0) return [];
  const names = { bench: BENCH, function: load.function, subject: contender.name };
  const asked = results.map(() => load.connections);
  const whole = results.map(() => BURST_US);
  const times = results.map(({ elapsedUs }) => elapsedUs);
  const bars: readonly (Bar | undefined)[] = canSuspend ? [atLeast(1), atMost(1)] : [];
  return [
    compareRates({ ...names, against: 'asked', metric: 'answered' }, results.map(answered), asked, bars[0]),
    compareRates({ ...names, against: '1 s', metric: 'allUs' }, times, whole, bars[1]),
  ];
}

function compareCallers(contender: Contender, { loads, ours, peers, canSuspend }: Plan): Comparison[] {
  const load = loads.callers;
  const rates = contender.results(load).map(perSecond);
  const names = { bench: BENCH, function: load.function, subject: contender.name, metric: 'perSecond' };
  const besidePeers = peers
    .filter((peer) => peer.results(load).length > 0)
    .map((peer) => {
      const bar =
        canSuspend && contender === ours[0] && peer.name === 'bare-proxy' ? atLeast(SHARE_OF_BARE) : undefined;
      return compareRates({ ...names, against: peer.name }, rates, peer.results(load).map(perSecond), bar);
    });
  if (canSuspend || contender === ours[0]) return besidePeers;
  const fewest = rates.map(() => FEWEST_PER_SECOND);
  const against = `${FEWEST_PER_SECOND} a second`;
  return [...besidePeers, compareRates({ ...names, against }, rates, fewest, atLeast(1))];
}

const p99 = ({ blocks }: Series): number[] => blocks.map((block) => nearestRank(sorted(block), 0.99));

/** Of 200 that wait, the p99 beside one that spins: against the p99 without it, and against that and its slices. */
function compareBeside(contender: Contender, { loads, canSuspend }: Plan): Comparison[] {
  const [beside, alone] = [loads.beside, loads.alone].map((load) => seriesOf(contender, load)) as [Series, Series];
  if (beside.blocks.length === 0) return [];
  const allowed = p99(alone).map((us) => us + SLICES_US);
  const names = { bench: BENCH, function: loads.beside.function, subject: contender.name, metric: 'p99Us' };
  const besideAllowed = { ...names, against: 'alone and two slices' };
  return [
    { ...compareLatency(beside, alone, 0.99), function: loads.beside.function, against: 'alone' },
    compareRates(besideAllowed, p99(beside), allowed, canSuspend ? atMost(1) : undefined),
  ];
}

function memoryRows({ loads: { memory: load }, ours, memory, canSuspend }: Plan): Row[] {
  if (memory.length === 0) return [];
  const names = { bench: BENCH, subject: (ours[1] as Contender).name, function: load.function };
  const rssBytes = sum(memory) / memory.length;
  return [{ ...names, connections: load.connections, n: memory.length, rssBytes, suspendsGuests: canSuspend }];
}

function compareMemory({ loads, ours, memory }: Plan): Comparison[] {
  if (memory.length === 0) return [];
  const subject = (ours[1] as Contender).name;
  const names = { bench: BENCH, function: loads.memory.function, subject, against: '100 KiB', metric: 'rssBytes' };
  return [
    compareRates(
      names,
      memory,
      memory.map(() => BYTES_PER_CALL),
      atMost(1),
    ),
  ];
}
