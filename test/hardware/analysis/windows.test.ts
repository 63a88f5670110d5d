import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HostEdge } from '../../../hardware/analysis/edges.ts';
import { endsById, hostWindows, loggerWindows, type SessionEdges } from '../../../hardware/analysis/windows.ts';

test('hostWindows() gives the times of the host in seconds, with what the host does not know', () => {
  const edge = { id: 'a', level: 1, written: true } as const;
  const edges = [
    { ...edge, kind: 'start', beforeNs: 5_000_000_000n, afterNs: 5_000_002_000n },
    { ...edge, id: 'b', kind: 'start', beforeNs: 5_500_000_000n, afterNs: 5_500_000_000n },
    { ...edge, kind: 'end', level: 0, beforeNs: 6_000_000_000n, afterNs: 6_000_002_000n },
  ] as const;
  const { windows, incomplete } = hostWindows({ edges, synthetic: false });
  assert.deepEqual(incomplete, ['b']);
  assert.equal(windows.length, 1);
  assert.ok(Math.abs((windows[0]?.startS ?? 0) - 5.000001) < 1e-12);
  assert.ok(Math.abs((windows[0]?.startUncertaintyS ?? 0) - 1e-6 / Math.sqrt(3)) < 1e-15);
  assert.equal(windows[0]?.hostDurationS, 1);
});

const FIT = {
  referenceS: 10,
  offsetS: 100,
  rate: 1.001,
  driftPpm: 1000,
  driftIntervalPpm: 1,
  edges: 4,
  outliers: 0,
  wide: 0,
  spanS: 20,
  residualSdS: 2e-6,
  residualMaxS: 3e-6,
  curvatureS: 0,
  spreadS2: 100,
} as const;

const seenEdge = (timeS: number, level: 0 | 1) => ({ timeS, level, halfWidthS: 3e-6 });

// By hand: host 15 s is 15 + 100 + 0.001 * 5 = 115.005 s; its uncertainty hypot(2 us * sqrt(1/4 + 25/100), 3 us / sqrt(3)).
test('loggerWindows() takes the edges that the logger saw, and places the others by the fit', () => {
  const host = [seenEdge(10, 1), seenEdge(15, 0), seenEdge(16, 1), seenEdge(17, 0), seenEdge(18, 1)];
  const session: SessionEdges = {
    host,
    written: host.map(() => true),
    logger: [seenEdge(110.25, 1), seenEdge(117.5, 0)],
    toleranceS: 1,
    sampleS: 1.2e-5,
  };
  const matches = Int32Array.from([0, -1, -1, 1, -1]);
  const ends = new Map([
    ['a', { start: 0, end: 1, calls: 1 }],
    ['b', { start: 2, end: 3, calls: 5 }],
    ['c', { start: 0, end: 3, calls: 1 }],
    ['d', { start: 1, end: 2, calls: 1 }],
    ['e', { start: 4, calls: 1 }],
  ]);
  const { windows, incomplete } = loggerWindows(session, FIT, matches, ends);
  assert.deepEqual(
    windows.map(({ id, state, calls }) => [id, state, calls]),
    [
      ['a', 'end-inferred', 1],
      ['b', 'start-inferred', 5],
      ['c', 'matched', 1],
      ['d', 'unmatched', 1],
    ],
  );
  assert.deepEqual(incomplete, ['e']);
  const [first] = windows;
  assert.equal(first?.startS, 110.25);
  assert.ok(Math.abs((first?.startUncertaintyS ?? 0) - 1.2e-5 / Math.sqrt(12)) < 1e-18);
  assert.ok(Math.abs((first?.endS ?? 0) - 115.005) < 1e-9);
  assert.ok(Math.abs((first?.endUncertaintyS ?? 0) - Math.sqrt(2e-12 + 3e-12)) < 1e-15);
  assert.equal(first?.hostDurationS, 5);
});

const hostEdge = (id: string, kind: HostEdge['kind'], calls?: number): HostEdge => {
  const times = { beforeNs: 0n, afterNs: 0n, level: 1, written: true } as const;
  return { id, kind, ...times, ...(calls === undefined ? {} : { calls }) };
};

test('endsById() has the places of both edges of each window, and refuses a second one', () => {
  const edges = [hostEdge('open', 'sync'), hostEdge('a', 'start'), hostEdge('b', 'start'), hostEdge('a', 'end', 3)];
  assert.deepEqual(
    [...endsById(edges)],
    [
      ['a', { calls: 3, start: 1, end: 3 }],
      ['b', { calls: 1, start: 2 }],
    ],
  );
  assert.throws(() => endsById([...edges, hostEdge('b', 'start')]), /the edges of b: expected one start and one end/);
  assert.throws(() => endsById([...edges, hostEdge('a', 'end')]), { key: 'EDGES_INVALID' });
});

test('endsById() refuses a window that ends before it starts, in whichever order its edges stand', () => {
  const start = { ...hostEdge('a', 'start'), beforeNs: 10n, afterNs: 12n };
  const end = { ...hostEdge('a', 'end'), beforeNs: 8n, afterNs: 9n };
  const message = /the edges of a: expected an end at 10 ns or later, got 9 ns/;
  for (const edges of [
    [start, end],
    [end, start],
  ]) {
    assert.throws(() => endsById(edges), { key: 'EDGES_INVALID', message });
  }
  assert.equal(endsById([start, { ...end, afterNs: 10n }]).size, 1);
});
