import assert from 'node:assert/strict';
import { test } from 'node:test';
import { breakEven, estimateBreakEven } from '../../../bench/compare/break-even.ts';

const blocks = (...values: number[]): Float64Array[] => values.map((value) => Float64Array.of(value, value * 1.01));

test('breakEven() is where both totals are equal', () => {
  const wasm = { total: 2_000, run: 1_500 };
  const native = { total: 101_000, run: 1_000 };
  const { runNs, slowdown, wasmOverheadNs, nativeOverheadNs } = breakEven(wasm, native);
  assert.deepEqual(
    { slowdown, wasmOverheadNs, nativeOverheadNs },
    { slowdown: 1.5, wasmOverheadNs: 500, nativeOverheadNs: 100_000 },
  );
  assert.equal(runNs, 199_000);
  assert.equal(wasmOverheadNs + slowdown * runNs, nativeOverheadNs + runNs);
});

test('breakEven() is without bound when Wasm is ahead and runs as fast', () => {
  assert.equal(breakEven({ total: 2, run: 1 }, { total: 10, run: 1 }).runNs, Number.POSITIVE_INFINITY);
});

test('breakEven() is 0 when the native call has the smaller fixed part', () => {
  assert.equal(breakEven({ total: 12, run: 2 }, { total: 10, run: 1 }).runNs, 0);
});

const FIXED = { wasm: [10, 300], native: [300, 10] } as const;

for (const [verdict, fixed, slowdown] of [
  ['crosses', FIXED.wasm, 1.5],
  ['wasm-ahead', FIXED.wasm, 0.5],
  ['native-ahead', FIXED.native, 1.5],
  ['reversed', FIXED.native, 0.5],
  ['unresolved', FIXED.wasm, 1],
  ['unresolved', FIXED.native, 1],
] as const) {
  test(`estimateBreakEven() is ${verdict} for fixed parts of ${fixed.join(' and ')} and a slowdown of ${slowdown}`, () => {
    const runs = [100, 104, 96, 101, 99];
    const times = (fixedPart: number, factor: number, shift: number): { run: number[]; total: number[] } => {
      const run = runs.map((_, at) => (runs[(at + shift) % runs.length] as number) * factor);
      return { run, total: run.map((each) => each + fixedPart) };
    };
    const [wasm, native] = [times(fixed[0], slowdown, 0), times(fixed[1], 1, 2)];
    const found = estimateBreakEven(
      { total: blocks(...wasm.total), run: blocks(...wasm.run) },
      { total: blocks(...native.total), run: blocks(...native.run) },
    );
    assert.equal(found.verdict, verdict, JSON.stringify(found));
  });
}

test('estimateBreakEven() has the value of the medians within its interval', () => {
  const wasm = { total: blocks(20, 21, 19, 20), run: blocks(15, 15.5, 14.5, 15) };
  const native = { total: blocks(300, 310, 290, 305), run: blocks(10, 10.1, 9.9, 10) };
  const { model, runNs, slowdown } = estimateBreakEven(wasm, native);
  assert.equal(runNs.value, model.runNs);
  assert.ok(runNs.low <= runNs.value && runNs.value <= runNs.high && runNs.low > 0);
  assert.ok(slowdown.low <= model.slowdown && model.slowdown <= slowdown.high);
});
