import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Edge } from '../../../hardware/analysis/edges.ts';
import { burstCode, findBurst } from '../../../hardware/analysis/sync-burst.ts';

const edge = (timeS: number, level: 0 | 1): Edge => ({ timeS, level, halfWidthS: 0 });

function burstEdges(which: 'open' | 'close', fromS: number): Edge[] {
  let nowS = fromS;
  return burstCode(which).flatMap(({ highMs, lowMs }) => {
    const pulse = [edge(nowS, 1), edge(nowS + highMs / 1e3, 0)];
    nowS += (highMs + lowMs) / 1e3;
    return pulse;
  });
}

test('findBurst() finds each burst among the other and refuses a regular train of pulses', () => {
  const logger = [...burstEdges('open', 100), ...burstEdges('close', 200)];
  assert.equal(findBurst(burstEdges('open', 0), logger, 1e-3)?.matched, 16);
  assert.equal(findBurst(burstEdges('close', 0), logger, 1e-3)?.offsetS, 200);
  const train = Array.from({ length: 400 }, (_, index) => edge(index * 0.02, index % 2 === 0 ? 1 : 0));
  assert.equal(findBurst(burstEdges('open', 0), train, 1e-3), undefined);
});

/** High and low of each pulse, by a second implementation of the generator in Python. */
const OPEN_UNITS = [
  [2, 7],
  [4, 6],
  [1, 10],
  [4, 2],
  [3, 8],
  [3, 9],
  [4, 16],
  [1, 7],
];
const CLOSE_UNITS = [
  [4, 10],
  [1, 6],
  [2, 11],
  [2, 2],
  [3, 14],
  [4, 2],
  [2, 14],
  [1, 7],
];

const unitsOf = (which: 'open' | 'close'): number[][] =>
  burstCode(which).map(({ highMs, lowMs }) => [highMs / 5, lowMs / 5]);

// A logger's recording of years ago is found by the same code: it may not change.
test('burstCode() has whole units of 5 ms, and stays as it is', () => {
  assert.deepEqual(unitsOf('open'), OPEN_UNITS);
  assert.deepEqual(unitsOf('close'), CLOSE_UNITS);
  assert.deepEqual(
    burstCode('open', 1).map(({ highMs, lowMs }) => [highMs, lowMs]),
    OPEN_UNITS,
  );
});
