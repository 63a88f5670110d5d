import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { Edge } from '../../../hardware/analysis/edges.ts';
import { matchEdges } from '../../../hardware/analysis/matching.ts';

const edge = (timeS: number, level: 0 | 1 = 1, halfWidthS = 0): Edge => ({ timeS, level, halfWidthS });
const edges = (times: readonly number[]): Edge[] => times.map((timeS) => edge(timeS));
const match = (host: readonly Edge[], logger: readonly Edge[], toleranceS: number): number[] => [
  ...matchEdges(host, logger, toleranceS),
];

test('matchEdges() takes a pair at the tolerance, and none beyond it', () => {
  assert.deepEqual(match(edges([10]), edges([10.5]), 0.5), [0]);
  assert.deepEqual(match(edges([10]), edges([9.5]), 0.5), [0]);
  assert.deepEqual(match(edges([10]), edges([10.51]), 0.5), [-1]);
  assert.deepEqual(match(edges([10]), edges([9.49]), 0.5), [-1]);
});

test('matchEdges() reckons from the ends of the interval that the host knows', () => {
  const host = [edge(10, 1, 0.25)];
  assert.deepEqual(match(host, edges([10.75]), 0.5), [0]);
  assert.deepEqual(match(host, edges([9.25]), 0.5), [0]);
  assert.deepEqual(match(host, edges([10.76]), 0.5), [-1]);
  // Both lie within the interval, and so are as good: neither is farther off than the other.
  assert.equal(match([edge(10, 1, 0.25)], edges([9.8, 10]), 0.5)[0] !== -1, true);
});

test('matchEdges() matches like levels only', () => {
  assert.deepEqual(match([edge(1, 1)], [edge(1, 0)], 0.5), [-1]);
  assert.deepEqual(match([edge(1, 0)], [edge(1, 1), edge(1.2, 0)], 0.5), [1]);
});

test('matchEdges() leaves out what the other list lacks', () => {
  assert.deepEqual(match(edges([0, 1, 2]), edges([0, 2]), 0.2), [0, -1, 1]);
  assert.deepEqual(match(edges([0, 2]), edges([0, 1, 2]), 0.2), [0, 2]);
  assert.deepEqual(match(edges([1]), [], 0.2), [-1]);
  assert.deepEqual(match([], edges([1]), 0.2), []);
});

test('matchEdges() gives one edge of the logger to one of the host, the nearer', () => {
  assert.deepEqual(match(edges([0, 0.1]), edges([0.08]), 0.2), [-1, 0]);
  assert.deepEqual(match(edges([0.05]), edges([0, 0.06, 0.2]), 0.2), [1]);
});

test('matchEdges() prefers two pairs to one that fits better, unless they fit so badly that a gap costs less', () => {
  assert.deepEqual(match(edges([0, 0.1]), edges([0.1, 0.2]), 0.2), [0, 1]);
  assert.deepEqual(match(edges([0, 0.1]), edges([0.1, 0.29]), 0.2), [-1, 0]);
});

test('matchEdges() keeps the order, leaves gaps on both sides and minds the level', () => {
  const host = [edge(1, 1), edge(2, 0), edge(3, 1), edge(4, 0)];
  const logger = [edge(1.01, 1), edge(1.02, 0), edge(2.9, 0), edge(3.01, 1), edge(4.4, 0)];
  assert.deepEqual([...matchEdges(host, logger, 0.2)], [0, -1, 3, -1]);
  assert.deepEqual([...matchEdges(host, [], 0.2)], [-1, -1, -1, -1]);
  assert.deepEqual([...matchEdges([], logger, 0.2)], []);
});

test('matchEdges() prefers the whole that costs least to the nearest single edge', () => {
  // Taking 1.9 for the first edge would leave the second one without a match.
  const host = [edge(1.8, 1), edge(2, 1)];
  const logger = [edge(1.4, 1), edge(1.9, 1)];
  assert.deepEqual([...matchEdges(host, logger, 0.5)], [0, 1]);
});

const GAIN = 2 * 0.6;

/** The greatest sum of gains by the plain dynamic programme over all pairs. */
function bestGain(host: readonly Edge[], logger: readonly Edge[], toleranceS: number): number {
  let row = Array.from({ length: logger.length + 1 }, () => 0);
  for (const left of host) {
    const next = [0];
    for (const [at, right] of logger.entries()) {
      const offS = Math.max(0, Math.abs(right.timeS - left.timeS) - left.halfWidthS);
      const isPair = left.level === right.level && Math.abs(right.timeS - left.timeS) <= toleranceS + left.halfWidthS;
      const paired = isPair ? (row[at] as number) + GAIN - offS / toleranceS : 0;
      next.push(Math.max(row[at + 1] as number, next[at] as number, paired));
    }
    row = next;
  }
  return row.at(-1) as number;
}

const listOf = (maxHalfWidth: number): fc.Arbitrary<Edge[]> =>
  fc
    .array(fc.tuple(fc.integer({ min: 0, max: 60 }), fc.constantFrom<0 | 1>(0, 1), fc.nat({ max: maxHalfWidth })), {
      maxLength: 14,
    })
    .map((list) =>
      list.map(([at, level, width]) => edge(at / 8, level, width / 32)).sort((left, right) => left.timeS - right.timeS),
    );

test('matchEdges() finds a match as cheap as the plain dynamic programme, keeps the order, and uses no edge twice', () => {
  fc.assert(
    fc.property(listOf(4), listOf(0), (host, logger) => {
      const matches = match(host, logger, 0.5);
      let gain = 0;
      let last = -1;
      for (const [index, found] of matches.entries()) {
        if (found < 0) continue;
        assert.ok(found > last, `${found} after ${last}`);
        last = found;
        const [left, right] = [host[index] as Edge, logger[found] as Edge];
        assert.equal(left.level, right.level);
        gain += GAIN - Math.max(0, Math.abs(right.timeS - left.timeS) - left.halfWidthS) / 0.5;
      }
      assert.ok(Math.abs(gain - bestGain(host, logger, 0.5)) < 1e-9, `${gain}, best ${bestGain(host, logger, 0.5)}`);
    }),
    { numRuns: 300 },
  );
});
