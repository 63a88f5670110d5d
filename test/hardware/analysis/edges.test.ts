import assert from 'node:assert/strict';
import { test } from 'node:test';
import { debounce, hostEdgeToEdge, type Edge } from '../../../hardware/analysis/edges.ts';

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
