import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { sorted } from '../../statistics/quantiles.ts';
import { pickFrom, seededRandom, shuffle, shuffled } from '../../statistics/random.ts';

// A second implementation of mulberry32 (Ettinger 2017), in Python's integers of any length: 32-bit words, not yet divided.
const FIRST = [
  [0, [1144304738, 1416247, 958946056, 627933444, 2007157716]],
  [1, [2693262067, 11749833, 2265367787, 4213581821, 4159151403]],
  [0x0e3b, [1754205926, 1717321105, 4267042122, 1362683661, 348551829]],
  [2 ** 32 - 1, [3850105811, 813802916, 3073704848, 4054706436, 3630262831]],
] as const;

test('seededRandom() has the first numbers of mulberry32', () => {
  for (const [seed, words] of FIRST) {
    const random = seededRandom(seed);
    for (const word of words) assert.equal(random(), word / 2 ** 32, `seed ${seed}`);
  }
  assert.equal(seededRandom(-1)(), seededRandom(2 ** 32 - 1)());
});

test('pickFrom() picks each whole number about as often, and none beyond', () => {
  const random = seededRandom(3);
  const counts = [0, 0, 0, 0, 0];
  for (let draw = 0; draw < 10_000; draw++) counts[pickFrom(5, random)]!++;
  assert.equal(counts.length, 5);
  for (const count of counts) assert.ok(Math.abs(count - 2000) < 160, counts.join(' '));
});

test('shuffled() has the order that another program computed, and leaves the list as it was', () => {
  const list = [0, 1, 2, 3, 4, 5, 6, 7];
  assert.deepEqual(shuffled(list, seededRandom(1)), [2, 1, 6, 7, 4, 3, 0, 5]);
  assert.deepEqual(list, [0, 1, 2, 3, 4, 5, 6, 7]);
  shuffle(list, seededRandom(1));
  assert.deepEqual(list, [2, 1, 6, 7, 4, 3, 0, 5]);
});

test('shuffle() has all items afterwards, and all orders of three about as often', () => {
  fc.assert(
    fc.property(fc.array(fc.integer()), fc.integer(), (items, seed) => {
      assert.deepEqual(sorted(shuffled(items, seededRandom(seed))), sorted(items));
    }),
    { seed: 1 },
  );
  const random = seededRandom(5);
  const orders = new Map<string, number>();
  for (let draw = 0; draw < 6000; draw++) {
    const order = shuffled('abc'.split(''), random).join('');
    orders.set(order, (orders.get(order) ?? 0) + 1);
  }
  assert.equal(orders.size, 6);
  for (const count of orders.values()) assert.ok(Math.abs(count - 1000) < 120, String([...orders]));
});
