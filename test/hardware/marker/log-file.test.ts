import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MarkerLog } from '../../../hardware/analysis/edges.ts';
import { markerLogRows, readMarkerLog } from '../../../hardware/marker/log-file.ts';

const LOG: MarkerLog = {
  synthetic: false,
  edges: [
    { id: 'open', kind: 'sync', level: 1, beforeNs: 12n, afterNs: 15n, written: true },
    {
      id: 'a',
      kind: 'start',
      level: 1,
      beforeNs: 9_007_199_254_740_993n,
      afterNs: 9_007_199_254_740_995n,
      written: true,
    },
    {
      id: 'a',
      kind: 'end',
      level: 0,
      beforeNs: 9_007_199_254_740_997n,
      afterNs: 9_007_199_254_740_999n,
      written: false,
      calls: 7,
    },
  ],
};

test('readMarkerLog() reads back what markerLogRows() wrote, to the nanosecond', async () => {
  const read = await readMarkerLog(markerLogRows(LOG, 'GPIO17 (line 529)'));
  assert.deepEqual(read, { ...LOG, marker: 'GPIO17 (line 529)' });
});

const HEAD = '{"format":"nebula-edges","version":1,"clock":"host-monotonic","marker":"m","synthetic":true}\n';
const EDGE = { id: 'a', kind: 'start', level: 1, before_ns: '1', after_ns: '2', written: true };

for (const [what, rows, message] of [
  ['an empty file', [], /empty file/],
  ['another file', ['{"format":"x"}\n'], /format nebula-edges, version 1 in row 1/],
  ['a head that does not say whether it is synthetic', ['{"format":"nebula-edges","version":1}\n'], /synthetic/],
  ['a row that is no JSON', [HEAD, 'start a\n'], /JSON in row 2/],
  ['an edge without an id', [HEAD, `${JSON.stringify({ ...EDGE, id: '' })}\n`], /an id in row 2/],
  [
    'a kind that is none',
    [HEAD, `${JSON.stringify({ ...EDGE, kind: 'up' })}\n`],
    /kind: start, end, sync in row 2, got "up"/,
  ],
  ['a level that is none', [HEAD, `${JSON.stringify({ ...EDGE, level: 2 })}\n`], /level: 0 or 1/],
  [
    'a time that lost its digits',
    [HEAD, `${JSON.stringify({ ...EDGE, before_ns: 1e18 })}\n`],
    /before_ns in nanoseconds/,
  ],
  ['a time of 20 digits', [HEAD, `${JSON.stringify({ ...EDGE, after_ns: '1'.repeat(20) })}\n`], /at most 19 digits/],
  ['a count that is none', [HEAD, `${JSON.stringify({ ...EDGE, calls: 0 })}\n`], /calls: an integer/],
] as const) {
  test(`readMarkerLog() refuses ${what}`, async () => {
    await assert.rejects(readMarkerLog(rows), { key: 'LOG_FORMAT', message });
  });
}

test('readMarkerLog() refuses an edge that ends before it begins', async () => {
  const rows = [HEAD, `${JSON.stringify({ ...EDGE, before_ns: '3' })}\n`];
  await assert.rejects(readMarkerLog(rows), {
    key: 'EDGES_INVALID',
    message: /an after_ns of at least 3 in row 2, got 2/,
  });
});
