import assert from 'node:assert/strict';
import { test } from 'node:test';
import { carbonFactors, carbonOf } from '../../../bench/energy/carbon.ts';
import type { EnergyCell } from '../../../bench/energy/cells.ts';
import { carbonTable, carbonText } from '../../../bench/energy/report/carbon-table.ts';

const cellOf = (grossJ: EnergyCell['grossJ'], durationS: number | null): EnergyCell =>
  ({ target: 'wasm-restored', function: 'noop', input: 'small', grossJ, durationS }) as EnergyCell;

test('carbonOf() is energy times grid and the share of the embodied, by the standard', () => {
  // 3.6 J are a millionth of a kWh; 36 s are a hundredth of an hour.
  const [told] = carbonOf([cellOf({ value: 3.6, low: 1.8, high: 7.2 }, 36)], carbonFactors(400, 2));
  assert.deepEqual(told, {
    target: 'wasm-restored',
    function: 'noop',
    input: 'small',
    operationalG: { value: 4e-4, low: 2e-4, high: 8e-4 },
    embodiedG: 0.02,
    sciG: { value: 0.0204, low: 0.0202, high: 0.0208 },
  });
});

test('carbonOf() leaves out what has no energy, and keeps what has no bounds', () => {
  const unbounded = { value: 3.6, low: null, high: null };
  const told = carbonOf([cellOf(null, 1), cellOf(unbounded, null), cellOf(unbounded, 1)], carbonFactors(1000));
  assert.deepEqual(
    told.map(({ sciG }) => sciG),
    [{ value: 1e-3, low: null, high: null }],
  );
});

test('carbonFactors() refuses what is no amount', () => {
  for (const grams of [-1, Number.NaN, Infinity, 2e6]) {
    assert.throws(() => carbonFactors(grams), { code: 'ERR_NEBULA_ARGUMENT', message: /--grid/ });
    assert.throws(() => carbonFactors(1, grams), { code: 'ERR_NEBULA_ARGUMENT', message: /--embodied/ });
  }
});

test('carbonTable() tells of a million calls, and its text that the grid was given', () => {
  const { lines } = carbonTable(carbonOf([cellOf({ value: 3.6, low: 1.8, high: 7.2 }, 36)], carbonFactors(400, 2)));
  assert.deepEqual(lines, [['noop', 'small', 'wasm-restored', '400 g', '20.0 kg', '20.4 kg', '[20.2 kg, 20.8 kg]']]);
  assert.match(carbonText(carbonFactors(400)), /400 g CO2e\/kWh, which was given, without an embodied share/);
});
