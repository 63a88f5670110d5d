import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FULL_PLAN } from '../../../bench/compare/plan.ts';
import { ENERGY_PLAN, batchLengthS, energyPlanOf, isEnergyPlan } from '../../../bench/energy/plan.ts';

test('energyPlanOf() puts what is given in place of the base, of the comparison and of its own', () => {
  const plan = energyPlanOf({ blocks: 3, batchS: 2.5, targets: ['wasm-restored'] });
  assert.deepEqual(plan, { ...ENERGY_PLAN, blocks: 3, batchS: 2.5, targets: ['wasm-restored'] });
  assert.deepEqual(energyPlanOf(JSON.parse(JSON.stringify(plan)) as Record<string, unknown>), plan);
});

test('batchLengthS() gives three lengths of batches from block to block', () => {
  const lengths = [0, 1, 2, 3].map((block) => batchLengthS(ENERGY_PLAN, block) / ENERGY_PLAN.batchS);
  assert.deepEqual(lengths, [1, 0.5, 1.5, 1]);
});

test('isEnergyPlan() tells a plan of an energy run from another', () => {
  assert.equal(isEnergyPlan(ENERGY_PLAN), true);
  assert.equal(isEnergyPlan(FULL_PLAN), false);
});

for (const [what, given, message] of [
  ['an unknown field', { guard: 3 }, /`guard`/],
  ['a guard that is no time', { guardS: '5' }, /`guardS` to "5" \(string\): must be seconds from 0.5 to 3600/],
  ['a batch of no length', { batchS: 0 }, /`batchS`/],
  ['guards that settling uses up', { guardS: 2, settleS: 1 }, /`guardS` to 2 .*more than twice settleS \(1\)/],
  ['what a comparison refuses', { blocks: 0 }, /`blocks`/],
] as const) {
  test(`energyPlanOf() refuses ${what}`, () => {
    assert.throws(() => energyPlanOf(given), { code: 'ERR_NEBULA_ARGUMENT', message });
  });
}
