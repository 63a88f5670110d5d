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

const timesOf = (edges: readonly Edge[], limitS?: number): number[] =>
  debounce(edges, limitS).edges.map(({ timeS }) => timeS);

test('debounce() joins edges that are less than the limit apart, each from the one before', () => {
  const chain = [edge(1, 1), edge(1.25, 0), edge(1.5, 1), edge(3, 0)];
  assert.deepEqual(timesOf(chain, 0.375), [1, 3]);
  assert.deepEqual(timesOf(chain, 0.25), [1, 1.25, 1.5, 3]);
  // 50 us unless told otherwise.
  assert.deepEqual(timesOf([edge(0, 1), edge(49e-6, 0), edge(1, 1)]), [1]);
  assert.deepEqual(timesOf([edge(0, 1), edge(51e-6, 0), edge(1, 1)]), [0, 51e-6, 1]);
  assert.deepEqual(debounce([]), { edges: [], glitches: 0, bounces: 0, repeats: 0 });
});

test('debounce() refuses times that fall, and takes equal ones', () => {
  assert.deepEqual(debounce([edge(1, 1), edge(1, 0), edge(2, 1)]).glitches, 1);
  assert.throws(() => debounce([edge(1, 1), edge(2, 0), edge(1.5, 1)]), {
    key: 'EDGES_INVALID',
    fields: { what: 'the logger', expected: 'rising times', got: '1.5 s after 2 s' },
  });
  assert.throws(() => debounce([edge(Number.NaN, 1)]), { key: 'EDGES_INVALID' });
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
  const later = hostEdgeToEdge(host, 400_000_000n);
  assert.ok(Math.abs(later.timeS - 0.600002) < 1e-12);
  const atOnce = hostEdgeToEdge({ ...host, afterNs: host.beforeNs }, 0n);
  assert.deepEqual(atOnce, { timeS: 1, level: 1, halfWidthS: 0 });
  assert.throws(() => hostEdgeToEdge({ ...host, afterNs: 999_999_999n }, 0n), {
    key: 'EDGES_INVALID',
    fields: { what: 'a', expected: 'a time after the write', got: '1000000000 ns to 999999999 ns' },
  });
});
