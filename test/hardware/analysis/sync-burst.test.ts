import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Edge } from '../../../hardware/analysis/edges.ts';
import { BURST_PULSES, burstCode, findBurst, lowerBound } from '../../../hardware/analysis/sync-burst.ts';

/** The edges of a burst that begins at a time. */
function burstAt(startS: number, which: 'open' | 'close' = 'open'): Edge[] {
  let timeS = startS;
  return burstCode(which).flatMap(({ highMs, lowMs }) => {
    const pair: Edge[] = [
      { timeS, level: 1, halfWidthS: 0 },
      { timeS: timeS + highMs / 1000, level: 0, halfWidthS: 0 },
    ];
    timeS += (highMs + lowMs) / 1000;
    return pair;
  });
}

const TOLERANCE_S = 2e-4;

test('lowerBound() is the first edge at or after a time', () => {
  const edges = [1, 2, 2, 5].map((timeS): Edge => ({ timeS, level: 1, halfWidthS: 0 }));
  assert.deepEqual(
    [0, 1, 1.5, 2, 2.5, 5, 6].map((timeS) => lowerBound(edges, timeS)),
    [0, 0, 1, 1, 3, 3, 4],
  );
  assert.equal(lowerBound([], 1), 0);
});

test('findBurst() finds the offset of a burst among other edges', () => {
  const burst = burstAt(3);
  const others = [0.5, 1.5, 9].flatMap((timeS): Edge[] => [
    { timeS, level: 1, halfWidthS: 0 },
    { timeS: timeS + 0.1, level: 0, halfWidthS: 0 },
  ]);
  const logger = [...others, ...burstAt(7.25)].sort((left, right) => left.timeS - right.timeS);
  const found = findBurst(burst, logger, TOLERANCE_S);
  assert.ok(found !== undefined && Math.abs(found.offsetS - 4.25) < 1e-9, JSON.stringify(found));
  assert.equal(found.matched, 2 * BURST_PULSES);
  assert.ok(found.runnerUp < found.matched - 3);
  assert.deepEqual(
    found.pairs.map(([host]) => host),
    burst.map((_, index) => index),
  );
  for (const [host, at] of found.pairs) {
    assert.equal((logger[at] as Edge).timeS.toFixed(9), ((burst[host] as Edge).timeS + 4.25).toFixed(9));
  }
});

test('findBurst() needs six of ten edges of the burst, wherever the others are lost', () => {
  const burst = burstAt(0);
  const needed = Math.ceil(0.6 * burst.length);
  for (const from of ['the beginning', 'the end'] as const) {
    const kept = (count: number): Edge[] =>
      from === 'the end' ? burstAt(5).slice(0, count) : burstAt(5).slice(burst.length - count);
    assert.equal(findBurst(burst, kept(needed), TOLERANCE_S)?.matched, needed, from);
    assert.equal(findBurst(burst, kept(needed - 1), TOLERANCE_S), undefined, from);
  }
});

test('findBurst() finds none where the same burst is there twice, nor another burst', () => {
  const burst = burstAt(0);
  assert.equal(findBurst(burst, [...burstAt(5), ...burstAt(9)], TOLERANCE_S), undefined);
  assert.equal(findBurst(burst, burstAt(5, 'close'), TOLERANCE_S), undefined);
  assert.equal(findBurst(burst, [], TOLERANCE_S), undefined);
});

test('findBurst() is sure of a place only with three edges more than at any other, whichever it came to first', () => {
  const burst = burstAt(0);
  const better = burstAt(9).slice(3);
  const others = (lost: readonly number[]): Edge[] => burstAt(5).filter((_, index) => !lost.includes(index));
  // None of the edges by which the better place is looked at again is at the other one.
  assert.equal(findBurst(burst, [...others([3, 4, 5, 6]), ...better], TOLERANCE_S), undefined);
  const found = findBurst(burst, [...others([1, 2, 3, 4, 5, 6]), ...better], TOLERANCE_S);
  assert.deepEqual([found?.matched, found?.runnerUp], [13, 10]);
});

test('findBurst() takes edges within the tolerance of the logger and the interval of the host', () => {
  const burst = burstAt(0);
  const shifted = (byS: number): Edge[] =>
    burstAt(5).map((edge, index) => (index === 8 ? { ...edge, timeS: edge.timeS + byS } : edge));
  assert.equal(findBurst(burst, shifted(0.9 * TOLERANCE_S), TOLERANCE_S)?.matched, burst.length);
  assert.equal(findBurst(burst, shifted(1.2 * TOLERANCE_S), TOLERANCE_S)?.matched, burst.length - 1);
  const wide = burst.map((edge, index) => (index === 8 ? { ...edge, halfWidthS: TOLERANCE_S } : edge));
  assert.equal(findBurst(wide, shifted(1.9 * TOLERANCE_S), TOLERANCE_S)?.matched, burst.length);
});

const close = (got: number, expected: number): void => assert.ok(Math.abs(got - expected) < 1e-6, `${got}`);

test('findBurst() takes the nearest edge of the right level, before or after', () => {
  const burst = burstAt(0);
  const true8 = burstAt(5)[8] as Edge;
  const found = (offsS: readonly number[], extra: readonly Edge[] = []): number => {
    const others = burstAt(5).filter((_, index) => index !== 8);
    const near8 = offsS.map((offS) => ({ ...true8, timeS: true8.timeS + offS * TOLERANCE_S }));
    const logger = [...others, ...near8, ...extra].sort((left, right) => left.timeS - right.timeS);
    const pair = findBurst(burst, logger, TOLERANCE_S)?.pairs.find(([host]) => host === 8);
    return ((logger[pair?.[1] ?? -1]?.timeS ?? Number.NaN) - true8.timeS) / TOLERANCE_S;
  };
  close(found([-0.8, 0.3]), 0.3);
  close(found([-0.3, 0.8]), -0.3);
  close(found([-0.6, 0.2, 0.7]), 0.2);
  close(found([0.5], [{ ...true8, level: true8.level === 1 ? 0 : 1 }]), 0.5);
});

test('findBurst() finds each burst among the other and refuses a regular train of pulses', () => {
  const logger = [...burstAt(100), ...burstAt(200, 'close')];
  assert.equal(findBurst(burstAt(0), logger, 1e-3)?.matched, 16);
  assert.equal(findBurst(burstAt(0, 'close'), logger, 1e-3)?.offsetS, 200);
  const train = Array.from(
    { length: 400 },
    (_, index): Edge => ({
      timeS: index * 0.02,
      level: index % 2 === 0 ? 1 : 0,
      halfWidthS: 0,
    }),
  );
  assert.equal(findBurst(burstAt(0), train, 1e-3), undefined);
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
