/**
 * How long a function must run natively for its container to take no more energy than its micro-VM. The energy of a call is
 * modelled as what `noop` takes on the same target, and the rest as growing with the native run time. Pure.
 */

import { percentileInterval, resample, type Estimate } from '../../statistics/bootstrap.ts';
import { mean } from '../../statistics/moments.ts';
import { median, sorted } from '../../statistics/quantiles.ts';
import { isShortRun } from '../compare/findings.ts';
import type { CellName, Samples } from '../compare/samples.ts';
import { blocksOf, unitOf } from './cells.ts';
import type { MeasuredWindow } from './joules.ts';

const FLOOR = { function: 'noop', input: 'small' } as const;
const NATIVE: readonly string[] = ['container-cold', 'container-warm', 'process'];

/** How long a function must run natively for its container to take no more energy than its micro-VM. */
export interface EnergyBreakEven {
  readonly function: string;
  readonly input: string;
  readonly wasm: string;
  readonly native: string;
  /** Net energy of a call of `noop`, in J. */
  readonly wasmFloorJ: number;
  readonly nativeFloorJ: number;
  /** What a second of native run time costs besides, in W of the native target and in J per native second in Wasm. */
  readonly wasmW: number;
  readonly nativeW: number;
  /** Native run time in seconds from which the native target takes less; null: Wasm takes less however long it runs; 0: always. */
  readonly runS: { readonly value: number | null; readonly low: number | null; readonly high: number | null };
}

/** Solves floorWasm + powerWasm * r = floorNative + powerNative * r for r. */
export function energyBreakEven(floorsJ: readonly [number, number], powersW: readonly [number, number]): number {
  const aheadJ = floorsJ[1] - floorsJ[0];
  if (aheadJ <= 0) return 0;
  const slowerW = powersW[0] - powersW[1];
  return slowerW <= 0 ? Number.POSITIVE_INFINITY : aheadJ / slowerW;
}

/** Run times of a comparison, and the windows of each of its cells. */
export interface BreakEvenInput {
  readonly samples: Samples;
  readonly names: readonly CellName[];
  readonly reference: string;
  readonly of: (name: CellName) => readonly MeasuredWindow[];
}

type Blocks = ReadonlyMap<number, readonly { readonly energyJ: number }[]>;

/** For every function but the floor at its largest input; none without `noop` on both targets, nor of a run too short. */
export function energyBreakEvens({ samples, names, reference, of }: BreakEvenInput): EnergyBreakEven[] {
  const functions = [...new Set(names.map((name) => name.function))].filter(
    (name) => name !== FLOOR.function && !isShortRun(samples, name),
  );
  return functions.flatMap((functionName) => {
    const input = samples.inputsOf(functionName).at(-1);
    if (input === undefined) return [];
    return NATIVE.flatMap((native): EnergyBreakEven[] => {
      const runS = nativeRunS(samples, { target: native, function: functionName, input });
      const series = [
        { target: reference, ...FLOOR },
        { target: native, ...FLOOR },
        { target: reference, function: functionName, input },
        { target: native, function: functionName, input },
      ].map((name) => energiesOf(of(name)));
      if (runS === undefined || series.some((blocks) => blocks === undefined)) return [];
      const found = estimate(series as Blocks[], runS);
      return found === undefined ? [] : [{ function: functionName, input, wasm: reference, native, ...found }];
    });
  });
}

function energiesOf(windows: readonly MeasuredWindow[]): Blocks | undefined {
  const unit = unitOf(windows);
  const blocks = blocksOf(windows, unit);
  return unit === 'none' || blocks.size === 0 ? undefined : blocks;
}

/** Median of the guest's own run by its own stamps, in seconds. */
function nativeRunS(samples: Samples, cell: CellName): number | undefined {
  const runs = samples.values(cell, 'run');
  const middleNs = median(sorted(runs));
  return middleNs > 0 ? middleNs / 1e9 : undefined;
}

type Model = Pick<EnergyBreakEven, 'wasmFloorJ' | 'nativeFloorJ' | 'wasmW' | 'nativeW'>;

function modelOf(means: readonly number[], runS: number): Model {
  const [wasmFloorJ, nativeFloorJ, wasmJ, nativeJ] = means as [number, number, number, number];
  return { wasmFloorJ, nativeFloorJ, wasmW: (wasmJ - wasmFloorJ) / runS, nativeW: (nativeJ - nativeFloorJ) / runS };
}

const crossing = ({ wasmFloorJ, nativeFloorJ, wasmW, nativeW }: Model): number =>
  energyBreakEven([wasmFloorJ, nativeFloorJ], [wasmW, nativeW]);

function estimate(series: readonly Blocks[], runS: number): (Model & { runS: EnergyBreakEven['runS'] }) | undefined {
  // Blocks in which all four ran, drawn together.
  const blocks = [...(series[0] as Blocks).keys()].filter((block) => series.every((each) => each.has(block)));
  if (blocks.length === 0) return undefined;
  const blockMeans = blocks.map((block) =>
    series.map((each) => mean((each.get(block) ?? []).map(({ energyJ }) => energyJ))),
  );
  const meansOf = (picks: ArrayLike<number>): number[] =>
    series.map((_, at) => mean(Array.from(picks, (pick) => (blockMeans[pick] as number[])[at] as number)));
  const model = modelOf(meansOf(blocks.map((_, index) => index)), runS);
  const drawn = resample(blocks.length, (picks) => crossing(modelOf(meansOf(picks), runS)));
  return { ...model, runS: finite(percentileInterval(crossing(model), drawn)) };
}

const bound = (each: number): number | null => (Number.isFinite(each) ? each : null);

function finite({ value, low, high }: Estimate): EnergyBreakEven['runS'] {
  return { value: bound(value), low: bound(low), high: bound(high) };
}
