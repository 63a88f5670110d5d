/**
 * How long a function must run natively for its container to catch up with its micro-VM. A call's total is modelled as what
 * is not the guest's own run (a fixed part), plus the own run, which Wasm stretches by a factor. Pure.
 */

import { estimateOf, type Blocks, type BootstrapOptions, type Estimate } from '../../statistics/bootstrap.ts';

/** Median nanoseconds of a way to run a function. */
export interface CallTimes {
  readonly total: number;
  readonly run: number;
}

/** A call's total as a fixed part plus the own run, on both sides. */
export interface BreakEvenModel {
  /** What of a call is not the guest's own run, in nanoseconds. */
  readonly wasmOverheadNs: number;
  readonly nativeOverheadNs: number;
  /** Own run in Wasm over own run natively. */
  readonly slowdown: number;
  /**
   * Native run time at which both totals are equal, in nanoseconds; infinite when there is none because Wasm is ahead however
   * long the function runs, 0 when it never is.
   */
  readonly runNs: number;
}

/** Solves overheadWasm + slowdown * r = overheadNative + r for r. */
export function breakEven(wasm: CallTimes, native: CallTimes): BreakEvenModel {
  const wasmOverheadNs = wasm.total - wasm.run;
  const nativeOverheadNs = native.total - native.run;
  const slowdown = wasm.run / native.run;
  const aheadNs = nativeOverheadNs - wasmOverheadNs;
  let runNs: number;
  if (aheadNs <= 0) runNs = 0;
  else runNs = slowdown <= 1 ? Number.POSITIVE_INFINITY : aheadNs / (slowdown - 1);
  return { wasmOverheadNs, nativeOverheadNs, slowdown, runNs };
}

/**
 * What can be said of a break-even. `crosses`: there is one. `wasm-ahead`, `native-ahead`: one side is ahead however long the
 * function runs. `reversed`: the native call is ahead while the function is short, the micro-VM where it is long.
 * `unresolved`: the interval of the slowdown contains 1. `too-short`: the function's own run is that of clocks and caches.
 */
const VERDICTS = ['crosses', 'wasm-ahead', 'native-ahead', 'reversed', 'unresolved', 'too-short'] as const;

/** One of `VERDICTS`. */
export type Verdict = (typeof VERDICTS)[number];

/** Nanoseconds of whole calls and of the guest's own run, block by block. */
export interface CallBlocks {
  readonly total: Blocks;
  readonly run: Blocks;
}

/** A break-even with 95 % intervals; `runNs` in nanoseconds of native run time. */
export interface BreakEvenEstimate {
  readonly model: BreakEvenModel;
  readonly runNs: Estimate;
  readonly slowdown: Estimate;
  readonly verdict: Exclude<Verdict, 'too-short'>;
}

function modelOf(medians: readonly number[]): BreakEvenModel {
  const [wasmTotal, wasmRun, nativeTotal, nativeRun] = medians as [number, number, number, number];
  return breakEven({ total: wasmTotal, run: wasmRun }, { total: nativeTotal, run: nativeRun });
}

/** The same from measurements, with intervals over blocks. */
export function estimateBreakEven(wasm: CallBlocks, native: CallBlocks, options?: BootstrapOptions): BreakEvenEstimate {
  const series = [wasm.total, wasm.run, native.total, native.run];
  let model: BreakEvenModel | undefined;
  const runNs = estimateOf(
    series,
    (medians) => {
      const each = modelOf(medians);
      // The first call is with the medians of the data themselves.
      model ??= each;
      return each.runNs;
    },
    options,
  );
  const slowdown = estimateOf(series, (medians) => modelOf(medians).slowdown, options);
  return { model: model as BreakEvenModel, runNs, slowdown, verdict: verdictOf(model as BreakEvenModel, slowdown) };
}

function verdictOf(model: BreakEvenModel, slowdown: Estimate): BreakEvenEstimate['verdict'] {
  if (slowdown.low <= 1 && slowdown.high >= 1) return 'unresolved';
  const isNativeAhead = model.nativeOverheadNs <= model.wasmOverheadNs;
  if (slowdown.high < 1) return isNativeAhead ? 'reversed' : 'wasm-ahead';
  return isNativeAhead ? 'native-ahead' : 'crosses';
}
