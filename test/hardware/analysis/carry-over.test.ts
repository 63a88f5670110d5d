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

const batchesOf = (rows: readonly (readonly [cell: string, before: string, value: number])[]): FollowedBatch[] =>
  rows.map(([cell, before, value]) => ({ cell, before, value }));

// By hand: of the 20 ways to put three names on six values, two are as far apart as these.
test('testCarryOver() has the shares by name and the probability that all orders give', () => {
  const rows = [
    ['x', 'wasm', 4],
    ['x', 'wasm', 5],
    ['x', 'wasm', 6],
    ['x', 'container', 1],
    ['x', 'container', 2],
    ['x', 'container', 3],
  ] as const;
  const found = testCarryOver(batchesOf(rows));
  assert.deepEqual(
    found.effects.map(({ before, batches: count, share }) => [before, count, share.toFixed(12)]),
    [
      ['container', 3, (-3 / 7).toFixed(12)],
      ['wasm', 3, (3 / 7).toFixed(12)],
    ],
  );
  // 0.1 of 2000 is 200 +- 13.4: four deviations.
  assert.ok(found.probability > 0.073 && found.probability < 0.127, `p ${found.probability}`);
  assert.deepEqual(testCarryOver(batchesOf(rows), 1), found);
  const seeds = [2, 3, 4, 5].map((seed) => testCarryOver(batchesOf(rows), seed).probability);
  assert.ok(seeds.some((probability) => probability !== found.probability));
  // One of each is as far apart in either order.
  assert.equal(testCarryOver(batchesOf(rows.slice(2, 4))).probability, 1);
});

test('testCarryOver() leaves out cells with one neighbour, and cells that take no energy on average', () => {
  const found = testCarryOver(
    batchesOf([
      ['one neighbour', 'wasm', 9],
      ['one neighbour', 'wasm', 1],
      ['none', 'wasm', 1],
      ['none', 'container', -1],
      ['tested', 'wasm', 1],
      ['tested', 'container', 3],
      ['tested', 'container', 5],
    ]),
  );
  assert.equal(found.batches, 3);
  assert.deepEqual(
    found.effects.map(({ before, batches: count, share }) => [before, count, share.toFixed(12)]),
    [
      ['container', 2, (1 / 3).toFixed(12)],
      ['wasm', 1, (-2 / 3).toFixed(12)],
    ],
  );
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
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY]) {
    assert.throws(() => testCarryOver([...alone, { cell: 'a', before: 'b', value }]), {
      key: 'ARGUMENT',
      fields: { what: 'a batch of a', expected: 'a number', got: value },
    });
  }
});
