import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testCarryOver, type FollowedBatch } from '../../../hardware/analysis/carry-over.ts';
import { normalFrom } from '../../../statistics/normal.ts';
import { seededRandom } from '../../../statistics/random.ts';

const TARGETS = ['wasm', 'container'] as const;

/** Batches of four cells in random order, 5 % of noise, and what is carried over from a container before. */
function batches(seed: number, carried: number): FollowedBatch[] {
  const random = seededRandom(seed * 7907);
  return Array.from({ length: 80 }, (_, index) => {
    const before = TARGETS[Math.floor(random() * 2)] as string;
    const size = 1 + (index % 4);
    const more = before === 'container' ? carried : 0;
    return { cell: `cell ${index % 4}`, before, value: size * (1 + more + 0.05 * normalFrom(random)) };
  });
}

test('testCarryOver() finds what the batch before left behind, and how much', () => {
  const found = testCarryOver(batches(1, 0.1));
  assert.ok(found.probability < 0.001, `p ${found.probability}`);
  assert.equal(found.batches, 80);
  const [container, wasm] = found.effects;
  assert.equal(container?.before, 'container');
  assert.ok(Math.abs((container?.share ?? 0) - (wasm?.share ?? 0) - 0.1) < 0.03, JSON.stringify(found.effects));
});

test('testCarryOver() finds something in one of twenty sessions without carry-over', () => {
  let found = 0;
  for (let seed = 1; seed <= 300; seed++) if (testCarryOver(batches(seed, 0), seed).probability <= 0.05) found++;
  // 15 +- 3.8.
  assert.ok(found >= 3 && found <= 30, `${found} of 300`);
});

test('testCarryOver() has nothing to say of cells with one neighbour, and refuses what is no number', () => {
  const alone = batches(1, 0.1).map((batch) => ({ ...batch, before: 'wasm' }));
  const found = testCarryOver(alone);
  assert.deepEqual([found.batches, Number.isNaN(found.probability)], [0, true]);
  assert.ok(Number.isNaN(testCarryOver([]).probability));
  assert.throws(() => testCarryOver([{ cell: 'a', before: 'b', value: Number.NaN }]), { key: 'ARGUMENT' });
});
