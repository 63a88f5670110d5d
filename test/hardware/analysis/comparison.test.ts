import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  batchSlope,
  compareEnergy,
  type CallEnergy,
  type ComparedBlock,
} from '../../../hardware/analysis/comparison.ts';
import { normalFrom } from '../../../statistics/normal.ts';
import { seededRandom } from '../../../statistics/random.ts';

test('batchSlope() finds the energy of a call beside the energy of the batch', () => {
  const batches = [10, 20, 40, 80].map((calls) => ({ calls, energyJ: 0.7 + calls * 0.03, uncertaintyJ: 0.01 * calls }));
  const slope = batchSlope(batches);
  assert.equal(slope.model, 'line');
  assert.ok(Math.abs(slope.energyJ - 0.03) < 1e-12);
  assert.ok(Math.abs(slope.batchJ - 0.7) < 1e-9);
  assert.equal(batchSlope([batches[0], batches[0], batches[0]].map((batch) => batch as never)).model, 'origin');
  assert.throws(() => batchSlope(batches.slice(0, 2)), { key: 'ARGUMENT' });
});

const near = (got: number, expected: number): void => assert.ok(Math.abs(got - expected) < 1e-9, `${got}`);

const batchesOf = (rows: readonly (readonly [number, number, number])[]) =>
  rows.map(([calls, energyJ, uncertaintyJ]) => ({ calls, energyJ, uncertaintyJ }));

// Python: statistics.linear_regression, and its slope's standard error times the t of four degrees; then, where there are
// two sizes, the weighted line through the origin with two degrees.
test('batchSlope() has the slopes and intervals that another program computed', () => {
  const line = batchSlope(
    batchesOf([
      [10, 3.1, 0],
      [10, 2.9, 0],
      [20, 5.2, 0],
      [20, 4.9, 0],
      [40, 9.3, 0],
      [40, 8.9, 0],
    ]),
  );
  assert.equal(line.model, 'line');
  near(line.energyJ, 0.20321428571428574);
  near(line.batchJ, 0.975);
  near(line.lowJ, 0.18588985804454392);
  near(line.highJ, 0.22053871338402756);
  const origin = batchSlope(
    batchesOf([
      [10, 2, 0.1],
      [10, 2.2, 0.1],
      [20, 4.5, 0.2],
    ]),
  );
  assert.equal(origin.model, 'origin');
  near(origin.energyJ, 0.215);
  near(origin.lowJ, 0.18213794696135788);
  near(origin.highJ, 0.24786205303864217);
});

test('batchSlope() states intervals that hold the known energy in 95 % of cases', () => {
  let inside = 0;
  for (let seed = 1; seed <= 1000; seed++) {
    const random = seededRandom(seed * 31);
    const batches = [10, 10, 20, 20, 40, 40, 80, 80].map((calls) => {
      const uncertaintyJ = 0.002 * calls;
      return { calls, energyJ: 0.2 + calls * 0.03 + normalFrom(random) * uncertaintyJ, uncertaintyJ };
    });
    const { lowJ, highJ } = batchSlope(batches);
    if (lowJ <= 0.03 && highJ >= 0.03) inside++;
  }
  assert.ok(inside >= 925 && inside <= 975, `${inside} of 1000`);
});

function drawBlocks(seed: number, blocks: number, calls: number): ComparedBlock[] {
  const random = seededRandom(seed);
  const arm = (durationS: number, powerW: number, shift: number): CallEnergy[] =>
    Array.from({ length: calls }, () => {
      const took = durationS * (1 + 0.1 * normalFrom(random));
      return { durationS: took, energyJ: took * powerW * (1 + shift) + normalFrom(random) * 0.4 * durationS * powerW };
    });
  return Array.from({ length: blocks }, () => {
    const shift = 0.1 * normalFrom(random);
    return { subject: arm(0.2, 1.2, shift), against: arm(0.01, 1.5, shift + 0.05 * normalFrom(random)) };
  });
}

test('compareEnergy() splits the energy ratio into time and power', () => {
  const found = compareEnergy(drawBlocks(3, 20, 10));
  assert.ok(Math.abs(found.energy.ratio - found.time.ratio * found.power.ratio) < 1e-12 * found.energy.ratio);
  assert.ok(found.energy.low < 16 && found.energy.high > 16, JSON.stringify(found.energy));
  assert.ok(Math.abs(found.time.ratio - 20) < 1);
  assert.equal(found.reason, undefined);
  assert.deepEqual(found, compareEnergy(drawBlocks(3, 20, 10)));
});

test('compareEnergy() states intervals that hold the known ratios in 95 % of cases', () => {
  let energy = 0;
  let time = 0;
  let power = 0;
  for (let seed = 1; seed <= 150; seed++) {
    const found = compareEnergy(drawBlocks(seed * 977, 10, 5), seed);
    if (found.energy.low <= 16 && found.energy.high >= 16) energy++;
    if (found.time.low <= 20 && found.time.high >= 20) time++;
    if (found.power.low <= 0.8 && found.power.high >= 0.8) power++;
  }
  // 95 % of 150 is 142.5 +- 2.7: four deviations.
  for (const inside of [energy, time, power]) assert.ok(inside >= 132, `${energy}, ${time}, ${power} of 150`);
  assert.ok(energy + time + power < 450, 'intervals that always hold are too wide');
});

test('compareEnergy() keeps negative energies and gives no bounds where an energy is not above noise', () => {
  const random = seededRandom(9);
  const blocks = Array.from({ length: 12 }, () => ({
    subject: Array.from({ length: 5 }, () => ({ durationS: 1, energyJ: 2 + 0.1 * normalFrom(random) })),
    against: Array.from({ length: 5 }, () => ({ durationS: 0.001, energyJ: normalFrom(random) })),
  }));
  const found = compareEnergy(blocks);
  assert.match(found.reason ?? '', /cannot be told from 0/);
  assert.ok(Number.isNaN(found.energy.low) && Number.isNaN(found.energy.high));
  assert.match(compareEnergy(drawBlocks(1, 4, 5)).reason ?? '', /4 blocks, 5 are needed/);
});

test('compareEnergy() refuses blocks in which one target did not run', () => {
  const call = { durationS: 1, energyJ: 1 };
  assert.throws(() => compareEnergy([{ subject: [call], against: [] }]), { key: 'ARGUMENT' });
  assert.throws(() => compareEnergy([]), { key: 'ARGUMENT' });
});
