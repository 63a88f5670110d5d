import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EnergyCell } from '../../../bench/energy/cells.ts';
import { differenceOf, singleCallRatios, type SingleCallRatio } from '../../../bench/energy/single-calls.ts';
import { Samples } from '../../../bench/compare/samples.ts';
import type { Row } from '../../../bench/compare/rows.ts';

const TARGETS = ['wasm-restored', 'process'] as const;
const CASE = { function: 'noop', input: 'small' } as const;

/** Five blocks of four calls: 1 ms and 10 ms, and a teardown of 0.2 ms in Wasm alone. */
function rows(): Row[] {
  const made: Row[] = [];
  for (let block = 0; block < 5; block++) {
    for (let call = 0; call < 4; call++) {
      const shared = { run: 'test', block, call: 4 * block + call, ...CASE, outcome: 'ok' as const };
      const spread = 1 + 0.01 * call;
      made.push({ ...shared, target: 'wasm-restored', phase: 'total', ns: 1e6 * spread });
      made.push({ ...shared, target: 'wasm-restored', phase: 'teardown', ns: 2e5 });
      made.push({ ...shared, target: 'process', phase: 'total', ns: 1e7 * spread });
    }
  }
  return made;
}

const cellOf = (target: string, durationS: number): EnergyCell => ({ ...CASE, target, durationS }) as EnergyCell;

function found(value: number, low: number | null, high: number | null): SingleCallRatio[] {
  const samples = new Samples(rows(), { targets: [...TARGETS], functions: ['noop'], inputs: ['small'] });
  const cells = [cellOf('wasm-restored', 1.1e-3), cellOf('process', 6e-3)];
  const ratio = { ...CASE, target: 'process', against: 'wasm-restored', time: { value, low, high } };
  return singleCallRatios(samples, cells, [ratio]);
}

test('singleCallRatios() tells pairs whose time ratio is another in batches than of single calls', () => {
  const [pair] = found(5.45, 5.2, 5.7);
  assert.ok(pair !== undefined);
  assert.ok(Math.abs(pair.single.value - 10) < 1e-9);
  assert.equal(pair.differs, true);
  assert.deepEqual([pair.reference.teardownS, pair.subject.teardownS], [2e-4, null]);
  assert.equal(found(9.9, 9.5, 10.3)[0]?.differs, false);
  assert.equal(found(5.45, null, null)[0]?.differs, false);
});

test('differenceOf() has the teardown of a call, and what is left of its time in a window', () => {
  const [pair] = found(5.45, 5.2, 5.7);
  assert.ok(pair !== undefined);
  const wasm = differenceOf(pair.reference);
  assert.ok(Math.abs(wasm.teardownS - 2e-4) < 1e-12);
  // 1.1 ms in the window, 1.015 ms alone and 0.2 ms of teardown: 0.115 ms less.
  assert.ok(Math.abs(wasm.restS + 1.15e-4) < 1e-12);
  assert.equal(differenceOf(pair.subject).teardownS, 0);
});

test('singleCallRatios() has no pair without single calls', () => {
  const samples = new Samples([], { targets: [...TARGETS], functions: ['noop'], inputs: ['small'] });
  const time = { value: 1, low: null, high: null };
  const ratio = { ...CASE, target: 'process', against: 'wasm-restored', time };
  assert.deepEqual(singleCallRatios(samples, [], [ratio]), []);
});
