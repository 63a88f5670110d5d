import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assert as assertProperty, double, property } from 'fast-check';
import type { EnergyAnalysis } from '../../../bench/energy/analysis.ts';
import { holdAgainst, parseGate, type GatedRun } from '../../../bench/energy/against.ts';
import { quotient, type Bounded } from '../../../bench/energy/bounded.ts';
import { seededRandom } from '../../../statistics/random.ts';
import { ENVIRONMENT } from '../compare/run.ts';

const GATE = parseGate('J/call +5 %');

const cellOf = (name: string, netJ: Bounded | null, grossJ: Bounded | null = netJ): object => ({
  target: 'wasm-restored',
  function: name,
  input: 'small',
  netJ,
  grossJ,
});

const runOf = (cells: readonly object[], more: object = {}): GatedRun => ({
  energy: {
    state: 'measured',
    synthetic: false,
    source: { name: 'meter' },
    cells,
    ...more,
  } as unknown as EnergyAnalysis,
  environment: ENVIRONMENT,
});

const within = (value: number, share: number): Bounded => ({
  value,
  low: value * (1 - share),
  high: value * (1 + share),
});

test('quotient() recovers the widths of both sides, and has no bounds where a side may be 0', () => {
  const told = quotient({ value: 2, low: 1, high: 4 }, { value: 1, low: 0.5, high: 2 });
  // Each logarithm is ln 2 from its bounds: sqrt(2) x ln 2 together, a factor of 2.665.
  assert.equal(told.value, 2);
  assert.ok(Math.abs((told.low as number) - 2 / 2.66514) < 1e-4, String(told.low));
  assert.ok(Math.abs((told.high as number) - 2 * 2.66514) < 1e-4, String(told.high));
  for (const side of [
    { value: 1, low: 0, high: 2 },
    { value: 1, low: -1, high: 3 },
    { value: 1, low: null, high: null },
  ]) {
    assert.deepEqual(quotient(side, within(1, 0.1)), { value: 1, low: null, high: null });
    assert.deepEqual(quotient(within(1, 0.1), side), { value: 1, low: null, high: null });
  }
});

test('quotient() of two lognormal estimates holds the ratio of their truths in 95 % of cases', () => {
  let held = 0;
  const uniform = seededRandom(7);
  const normal = (): number => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
  const estimate = (truth: number, sigma: number): Bounded => {
    const value = truth * Math.exp(sigma * normal());
    return { value, low: value * Math.exp(-1.96 * sigma), high: value * Math.exp(1.96 * sigma) };
  };
  const runs = 4000;
  for (let run = 0; run < runs; run++) {
    const { low, high } = quotient(estimate(3, 0.2), estimate(2, 0.1));
    if ((low as number) <= 1.5 && (high as number) >= 1.5) held++;
  }
  assert.ok(Math.abs(held / runs - 0.95) < 0.015, `${held} of ${runs}`);
});

test('holdAgainst() fails only what is beyond the gate with its whole interval', () => {
  const earlier = runOf([
    cellOf('same', within(1, 0.01)),
    cellOf('more', within(1, 0.01)),
    cellOf('unsure', within(1, 0.2)),
  ]);
  const now = runOf([
    cellOf('same', within(1.01, 0.01)),
    cellOf('more', within(1.2, 0.01)),
    cellOf('unsure', within(1.2, 0.2)),
  ]);
  const { cells, passed, differences } = holdAgainst(now, earlier, GATE);
  assert.deepEqual(
    cells.map(({ function: name, verdict }) => [name, verdict]),
    [
      ['same', 'within'],
      ['more', 'beyond'],
      ['unsure', 'undecided'],
    ],
  );
  assert.deepEqual([passed, differences], [false, []]);
  assert.equal(holdAgainst(now, earlier, parseGate('J/call +30%')).passed, true);
});

test('holdAgainst() passes no cell that is gone or cannot be told any more, and none by an interval without bounds', () => {
  const earlier = runOf([cellOf('kept', within(1, 0.01)), cellOf('other', within(1, 0.01))]);
  for (const now of [[cellOf('kept', within(1, 0.01))], [cellOf('kept', within(1, 0.01)), cellOf('other', null)]]) {
    const { cells, passed } = holdAgainst(runOf(now), earlier, GATE);
    assert.deepEqual([passed, cells.at(-1)?.verdict], [false, 'untold']);
  }
  const unbounded = holdAgainst(
    runOf([cellOf('f', { value: 10, low: null, high: null })]),
    runOf([cellOf('f', within(1, 0.01))]),
    GATE,
  );
  assert.deepEqual([unbounded.passed, unbounded.cells[0]?.verdict], [false, 'undecided']);
  const failed = runOf([cellOf('f', within(1, 0.01))], {
    gates: { valid: false, forced: false, failed: ['governor'] },
  });
  assert.deepEqual(holdAgainst(runOf([cellOf('f', within(1, 0.01))]), failed, GATE).differences, [
    'gates: governor failed then',
  ]);
});

test('holdAgainst() never fails what takes less, and passes nothing where no cell can be told', () => {
  assertProperty(
    property(double({ min: 0.01, max: 1, noNaN: true }), double({ min: 0, max: 0.9, noNaN: true }), (times, share) => {
      const result = holdAgainst(
        runOf([cellOf('f', within(times, share))]),
        runOf([cellOf('f', within(1, share))]),
        GATE,
      );
      assert.notEqual(result.cells[0]?.verdict, 'beyond');
    }),
  );
  const untold = holdAgainst(runOf([cellOf('f', null)]), runOf([cellOf('f', within(1, 0.1))]), GATE);
  assert.deepEqual([untold.passed, untold.cells[0]?.verdict], [false, 'untold']);
  assert.equal(
    holdAgainst(runOf([cellOf('f', within(1, 0.1))]), runOf([cellOf('g', within(1, 0.1))]), GATE).passed,
    false,
  );
});

test('holdAgainst() takes the quantity that the gate names', () => {
  const now = runOf([cellOf('f', within(2, 0.01), within(1, 0.01))]);
  const earlier = runOf([cellOf('f', within(1, 0.01), within(1, 0.01))]);
  assert.equal(holdAgainst(now, earlier, GATE).passed, false);
  assert.equal(holdAgainst(now, earlier, parseGate('gross J/call +5 %')).passed, true);
});

test('holdAgainst() tells what else differs, and refuses what cannot be compared', () => {
  const one = runOf([cellOf('f', within(1, 0.1))]);
  const other = {
    ...runOf([cellOf('f', within(1, 0.1))], { source: { name: 'another' } }),
    environment: { ...ENVIRONMENT, node: 'v24.0.0' },
  };
  assert.deepEqual(holdAgainst(one, other, GATE).differences, [
    `Node: v24.0.0 then, ${ENVIRONMENT.node} now`,
    'source: another then, meter now',
  ]);
  assert.throws(() => holdAgainst(one, runOf([], { synthetic: true }), GATE), /the earlier run synthetic/);
  assert.throws(() => holdAgainst({ ...one, energy: undefined }, one, GATE), /expected energies of this run, got none/);
  const refused = { state: 'refused', reason: 'no edges' } as unknown as EnergyAnalysis;
  assert.throws(() => holdAgainst(one, { ...one, energy: refused }, GATE), /the earlier run, got refused: no edges/);
});

test('parseGate() takes a quantity and a percentage, and nothing else', () => {
  assert.deepEqual(parseGate(' J/call +5 % '), { text: 'J/call +5 %', quantity: 'J/call', share: 0.05 });
  assert.equal(parseGate('gross J/call+0.5%').share, 0.005);
  for (const text of ['', 'J/call', 'J/call 5 %', 'J/call +5', 'W +5 %', 'J/call -5 %', 'J/call +5 % or so'])
    assert.throws(() => parseGate(text), { code: 'ERR_NEBULA_ARGUMENT' }, text);
});
