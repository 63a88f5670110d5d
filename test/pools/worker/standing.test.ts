/** What a function's endings are held against it, and for how long. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { FREE_ENDINGS, Standing } from '../../../pools/worker/standing.ts';

const COST_NS = 200e6;
const SECOND_NS = 1e9;

test('charge() pauses for no ending that comes now and then, however many there are', () => {
  const standing = new Standing('f', 0);
  for (let at = 1; at <= 1000; at++) assert.equal(standing.charge(COST_NS, at * 10 * COST_NS), false);
  assert.equal(standing.endings, 1000);
  assert.equal(standing.pausedForNs(1001 * 10 * COST_NS), 0);
});

test('charge() pauses after the free endings in a row, each time for twice as long', () => {
  const standing = new Standing('f', 0);
  let nowNs = 0;
  for (let free = 0; free < FREE_ENDINGS; free++) assert.equal(standing.charge(COST_NS, nowNs), false);
  const pausesNs: number[] = [];
  for (let pause = 0; pause < 4; pause++) {
    while (!standing.charge(COST_NS, nowNs)) continue;
    pausesNs.push(standing.pausedForNs(nowNs));
    nowNs += standing.pausedForNs(nowNs);
    assert.equal(standing.pausedForNs(nowNs), 0);
    assert.equal(standing.mostInFlight(nowNs), 1);
  }
  assert.deepEqual(pausesNs, [COST_NS, 2 * COST_NS, 4 * COST_NS, 8 * COST_NS]);
});

test('charge() pauses for no fewer endings than are free, whatever each of them cost', () => {
  for (const costs of [
    [100, 1, 1, 1, 1],
    [100, 90, 80, 70, 60],
    [1, 1, 1, 1, 100],
  ]) {
    const standing = new Standing('f', 0);
    const paused = costs.map((cost) => standing.charge(cost * COST_NS, 0));
    assert.deepEqual(paused.slice(0, FREE_ENDINGS), [false, false, false, false], costs.join(' '));
  }
  const dear = new Standing('f', 0);
  assert.deepEqual(
    [100, 1, 1, 1, 1].map((cost) => dear.charge(cost * COST_NS, 0)),
    [false, false, false, false, true],
  );
});

test('credit() pays as much as the call ran, after which nothing is held against the function', () => {
  const standing = new Standing('f', 0);
  for (let at = 0; at < FREE_ENDINGS; at++) standing.charge(COST_NS, 0);
  assert.deepEqual([standing.isRisky(0), standing.isClean(0), standing.mostInFlight(0)], [true, false, 1]);
  standing.credit(2 * COST_NS, 0);
  assert.deepEqual([standing.isRisky(0), standing.isClean(0), standing.mostInFlight(0)], [true, false, Infinity]);
  standing.credit(2 * COST_NS, 0);
  assert.deepEqual([standing.isRisky(0), standing.isClean(0), standing.mostInFlight(0)], [false, true, Infinity]);
});

test('isRisky() remembers that the latest call ended its thread until one does not, or ten minutes have gone', () => {
  const standing = new Standing('f', 0);
  standing.charge(COST_NS, 0);
  assert.equal(standing.isRisky(599 * SECOND_NS), true);
  assert.equal(standing.isRisky(601 * SECOND_NS), false);
  standing.charge(COST_NS, 601 * SECOND_NS);
  standing.credit(1, 700 * SECOND_NS);
  assert.equal(standing.isRisky(700 * SECOND_NS), false);
});

test('charge() of a function that is called whenever it may takes less than two fifths of a thread for good', () => {
  const costsMs = fc.array(fc.integer({ min: 50, max: 10_000 }), { minLength: 1, maxLength: 5 });
  const property = fc.property(costsMs, fc.boolean(), (costs, answersBetween) => {
    const standing = new Standing('f', 0);
    let [nowNs, spentNs] = [0, 0];
    for (let call = 0; call < 400; call++) {
      nowNs += standing.pausedForNs(nowNs);
      const costNs = (costs[call % costs.length] as number) * 1e6;
      // A call that is quick and answers buys nothing.
      if (answersBetween) standing.credit(1000, nowNs);
      nowNs += costNs;
      spentNs += costNs;
      standing.charge(costNs, nowNs);
    }
    assert.ok(spentNs < 0.4 * nowNs + FREE_ENDINGS * 10e9, `${spentNs} of ${nowNs} ns`);
  });
  fc.assert(property, { numRuns: 100 });
});

test('isStopped() goes by the time of stopped calls, less that of calls that ended by themselves', () => {
  const standing = new Standing('f', 0);
  standing.stopped(10, false, 0);
  assert.equal(standing.isStopped(0), true, 'no call of it has ended by itself');
  standing.credit(9, 0);
  assert.equal(standing.isStopped(0), true);
  standing.credit(1, 0);
  assert.equal(standing.isStopped(0), false);
  standing.credit(1_000, 0);
  for (let paid = 0; paid < 4; paid++) standing.stopped(10, true, 0);
  assert.equal(standing.isStopped(0), false, 'four at most are paid for in advance');
  standing.stopped(10, true, 0);
  assert.equal(standing.isStopped(0), true);
});

test('isStopped() counts the first stopped call only of a function that never answered', () => {
  const standing = new Standing('f', 0);
  standing.stopped(10, true, 0);
  assert.equal(standing.isStopped(0), false);
  standing.stopped(10, true, 0);
  assert.equal(standing.isStopped(0), true);
});

test('isStopped() forgets a function that wanted no thread for a minute', () => {
  const standing = new Standing('f', 0);
  standing.stopped(10, false, 0);
  standing.asked(59 * SECOND_NS);
  assert.deepEqual([standing.isStopped(118 * SECOND_NS), standing.isClean(118 * SECOND_NS)], [true, false]);
  assert.deepEqual([standing.isStopped(120 * SECOND_NS), standing.isClean(120 * SECOND_NS)], [false, true]);
});
