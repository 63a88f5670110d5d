/** A run laid beside what the thesis published. Pure: the same rows always give the same numbers. */

import { estimateOf, type Blocks, type Estimate } from '../../statistics/bootstrap.ts';
import { mean } from '../../statistics/moments.ts';
import { quotient, type Bounded } from '../energy/bounded.ts';
import type { EnergyAnalysis } from '../energy/analysis.ts';
import type { CallPhase } from '../compare/rows.ts';
import type { CellName, Samples } from '../compare/samples.ts';
import { isAveraged, PUBLISHED, THESIS_METRICS, type PublishedPair, type ThesisMetric } from './published.ts';

/** A way to call native programs, in containers but for the last, and one to call Wasm, that are laid beside the thesis's two. */
export interface Way {
  readonly docker: string;
  readonly wasm: string;
}

/** As the thesis did it, with the least that either side can cost, and the program of the container without one. */
export const WAYS: readonly Way[] = [
  { docker: 'docker-run', wasm: 'wasm-fresh' },
  { docker: 'container-cold', wasm: 'wasm-restored' },
  { docker: 'process', wasm: 'wasm-restored' },
];

/** A time in ms or an energy in uWh, and container over Wasm, each with its 95 % interval. */
export interface ComparedPair extends Way {
  /** Functions with inputs that it is a mean over. */
  readonly cells: number;
  readonly dockerValue: Bounded;
  readonly wasmValue: Bounded;
  readonly times: Bounded;
}

/** One quantity, of the thesis and of this run. */
export interface ThesisRow {
  readonly metric: ThesisMetric | 'own run' | 'total runtime, all inputs';
  readonly vm: PublishedPair | null;
  readonly pi: PublishedPair | null;
  readonly here: readonly ComparedPair[];
}

/**
 * The phases of which each quantity is made. The thesis took total less start as "runtime", so that all of a container's end is in
 * it; `own run` is between the guest's own stamps.
 */
const PHASES_OF: Readonly<Partial<Record<ThesisRow['metric'], readonly CallPhase[]>>> = {
  'cold start': ['start'],
  runtime: ['run', 'answer', 'teardown'],
  'total runtime': ['start', 'run', 'answer', 'teardown'],
  'own run': ['run'],
  'total runtime, all inputs': ['start', 'run', 'answer', 'teardown'],
};

const NS_PER_MS = 1e6;
const J_PER_UWH = 3600e-6;

/** Every quantity; those that this run has nothing of have no pairs. */
export function compareWithThesis(samples: Samples, energy: EnergyAnalysis | undefined): readonly ThesisRow[] {
  const rowOf = (metric: ThesisRow['metric'], here: readonly ComparedPair[]): ThesisRow => {
    const published = (THESIS_METRICS as readonly string[]).includes(metric) ? PUBLISHED[metric as ThesisMetric] : {};
    return { metric, vm: published.vm ?? null, pi: published.pi ?? null, here };
  };
  const times = Object.entries(PHASES_OF).map(([name, phases]) => {
    const metric = name as ThesisRow['metric'];
    const all = metric === 'total runtime, all inputs';
    return rowOf(
      metric,
      WAYS.flatMap((way) => pairOf(samples, way, phases, all) ?? []),
    );
  });
  const energies = WAYS.flatMap((way) => energyPair(energy, way) ?? []);
  return [...times.slice(0, 3), rowOf('energy consumption', energies), ...times.slice(3)];
}

type Case = Omit<CellName, 'target'>;

/** What both ways have, in the order of the plan. */
function commonCases(cells: readonly CellName[], way: Way, all: boolean): Case[] {
  const has = (target: string, test: Case): boolean =>
    cells.some((cell) => cell.target === target && cell.function === test.function && cell.input === test.input);
  return cells
    .filter(({ target }) => target === way.docker)
    .filter((cell) => has(way.wasm, cell) && (all || isAveraged(cell)));
}

function pairOf(samples: Samples, way: Way, phases: readonly CallPhase[], all: boolean): ComparedPair | undefined {
  const cases = commonCases(samples.cells, way, all);
  const seriesOf = (target: string): Blocks[] =>
    cases.flatMap((test) => {
      const blocks = sumsOf(phases.map((phase) => samples.blocks({ ...test, target }, phase)));
      return blocks === undefined ? [] : [blocks];
    });
  const [docker, wasm] = [seriesOf(way.docker), seriesOf(way.wasm)];
  const expected = cases.length;
  // A cell whose stamps are of another clock has no start: means over different cells would be compared.
  if (cases.length === 0 || docker.length !== expected || wasm.length !== expected) return undefined;
  const meanMs = (medians: readonly number[]): number =>
    medians.reduce((sum, each) => sum + each, 0) / cases.length / NS_PER_MS;
  return {
    ...way,
    cells: cases.length,
    dockerValue: bounded(estimateOf(docker, meanMs)),
    wasmValue: bounded(estimateOf(wasm, meanMs)),
    times: bounded(
      estimateOf(
        [...docker, ...wasm],
        (medians) => meanMs(medians.slice(0, expected)) / meanMs(medians.slice(expected)),
      ),
    ),
  };
}

/** The phases of each call added up; undefined where not every call has all of them. */
function sumsOf(phases: readonly (Blocks | undefined)[]): Blocks | undefined {
  const [first, ...others] = phases;
  if (first === undefined) return undefined;
  const sums = first.map((block) => Float64Array.from(block));
  for (const other of others) {
    if (other === undefined) return undefined;
    for (const [at, block] of sums.entries()) {
      const added = other[at];
      if (added?.length !== block.length) return undefined;
      for (let call = 0; call < block.length; call++) block[call] = (block[call] as number) + (added[call] as number);
    }
  }
  return sums;
}

const bounded = ({ value, low, high }: Estimate): Bounded => ({ value, low, high });

/** Gross energies, as the thesis has them: with the machine's idle power. Only where all cells have one. */
function energyPair(energy: EnergyAnalysis | undefined, way: Way): ComparedPair | undefined {
  if (energy?.state !== 'measured') return undefined;
  const cases = commonCases(energy.cells, way, false);
  const grossOf = (target: string): Bounded[] =>
    cases.flatMap(
      (test) =>
        energy.cells.find(
          (cell) => cell.target === target && cell.function === test.function && cell.input === test.input,
        )?.grossJ ?? [],
    );
  const [docker, wasm] = [grossOf(way.docker), grossOf(way.wasm)];
  if (cases.length === 0 || docker.length !== cases.length || wasm.length !== cases.length) return undefined;
  const [dockerValue, wasmValue] = [meanOf(docker), meanOf(wasm)];
  return { ...way, cells: cases.length, dockerValue, wasmValue, times: quotient(dockerValue, wasmValue) };
}

/** The mean in uWh; the cells' intervals are independent. */
function meanOf(energies: readonly Bounded[]): Bounded {
  const value = mean(energies.map((each) => each.value)) / J_PER_UWH;
  let squares = 0;
  for (const { value: cell, low, high } of energies) {
    if (low === null || high === null) return { value, low: null, high: null };
    squares += Math.max(cell - low, high - cell) ** 2;
  }
  const half = Math.sqrt(squares) / energies.length / J_PER_UWH;
  return { value, low: value - half, high: value + half };
}
