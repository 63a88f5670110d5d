import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Edge } from '../../../hardware/analysis/edges.ts';
import { matchEdges } from '../../../hardware/analysis/matching.ts';

const edge = (timeS: number, level: 0 | 1): Edge => ({ timeS, level, halfWidthS: 0 });

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
