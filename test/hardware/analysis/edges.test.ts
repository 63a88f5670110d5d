import assert from 'node:assert/strict';
import { test } from 'node:test';
import { debounce, hostEdgeToEdge, invertEdges, type Edge } from '../../../hardware/analysis/edges.ts';
import { matchEdges } from '../../../hardware/analysis/matching.ts';
import { burstCode, findBurst } from '../../../hardware/analysis/sync-burst.ts';

const edge = (timeS: number, level: 0 | 1): Edge => ({ timeS, level, halfWidthS: 0 });

test('debounce() joins bounces at their first change and drops pulses that come to nothing', () => {
  const seen = [edge(1, 1), edge(1.00001, 0), edge(1.00002, 1), edge(2, 0), edge(3, 1), edge(3.00001, 0), edge(4, 1)];
  const clean = debounce(seen, 50e-6);
  assert.deepEqual(
    clean.edges.map(({ timeS, level }) => [timeS, level]),
    [
      [1, 1],
      [2, 0],
      [4, 1],
    ],
  );
  assert.deepEqual([clean.bounces, clean.glitches, clean.repeats], [1, 1, 0]);
});

test('debounce() keeps and counts an edge to the level that the line had', () => {
  const clean = debounce([edge(1, 1), edge(2, 1), edge(3, 0)]);
  assert.equal(clean.edges.length, 3);
  assert.equal(clean.repeats, 1);
});

test('hostEdgeToEdge() takes the middle of the write and half its width', () => {
  const host = {
    id: 'a',
    kind: 'start',
    level: 1,
    beforeNs: 1_000_000_000n,
    afterNs: 1_000_004_000n,
    written: true,
  } as const;
  const moved = hostEdgeToEdge(host, 0n);
  assert.ok(Math.abs(moved.timeS - 1.000002) < 1e-12);
  assert.ok(Math.abs(moved.halfWidthS - 2e-6) < 1e-15);
  assert.throws(() => hostEdgeToEdge({ ...host, afterNs: 0n }, 0n), { key: 'EDGES_INVALID' });
});

test('invertEdges() turns the levels', () => {
  assert.deepEqual(
    invertEdges([edge(1, 1), edge(2, 0)]).map(({ level }) => level),
    [0, 1],
  );
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
