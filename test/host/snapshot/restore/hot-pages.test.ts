import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { HotPages, MERGE_BYTES } from '../../../../host/snapshot/restore/hot-pages.ts';

const PAGE_BYTES = 4096;
const MERGE_PAGES = MERGE_BYTES / PAGE_BYTES;

type Range = readonly [from: number, to: number];

/** Teaches `looks` looks of the same pages. */
function taught(looks: number, ranges: readonly Range[]): HotPages {
  const hot = new HotPages(PAGE_BYTES);
  for (let look = 0; look < looks; look++) hot.learn(ranges);
  return hot;
}

test('HotPages.isDue() looks at the first runs, then ever more rarely, and never stops', () => {
  const hot = new HotPages(PAGE_BYTES);
  const due: number[] = [];
  for (let run = 1; run <= 20_000; run++) if (hot.isDue()) due.push(run);
  assert.deepEqual(due, [1, 2, 3, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 12_288, 16_384]);
});

test('HotPages.learn() takes pages that every run touches, and joins those that are near', () => {
  const hot = taught(3, [
    [0, 2],
    [5, 6],
    [40, 41],
  ]);
  assert.deepEqual(hot.ranges(), [
    [0, 6],
    [40, 41],
  ]);
});

test('HotPages.learn() leaves out what one look of many found', () => {
  const hot = taught(7, [[3, 4]]);
  hot.learn([
    [3, 4],
    [100, 101],
  ]);
  assert.deepEqual(hot.ranges(), [[3, 4]]);
});

test('HotPages.learn() tells whether the ranges changed', () => {
  const hot = new HotPages(PAGE_BYTES);
  assert.equal(hot.learn([[1, 2]]), true);
  assert.equal(hot.learn([[1, 2]]), false);
  assert.equal(
    hot.learn([
      [1, 2],
      [50, 60],
    ]),
    true,
  );
  assert.equal(hot.learn([]), false);
});

test('HotPages.learn() gives up on runs that touch too much', () => {
  assert.deepEqual(taught(3, [[0, 5000]]).ranges(), [[0, 1024]]);
  assert.deepEqual(
    taught(3, [
      [0, 1000],
      [2000, 3000],
    ]).ranges(),
    [],
  );
});

test('HotPages.learn() joins and gives up by bytes, so that larger pages are fewer', () => {
  const hot = new HotPages(16_384);
  hot.learn([
    [0, 2],
    [3, 4],
  ]);
  assert.deepEqual(hot.ranges(), [
    [0, 2],
    [3, 4],
  ]);
  const most = new HotPages(16_384);
  most.learn([[0, 300]]);
  assert.deepEqual(most.ranges(), [[0, 256]]);
  most.learn([
    [0, 256],
    [400, 401],
  ]);
  assert.deepEqual(most.ranges(), []);
});

test('HotPages.learn() forgets a habit that runs have lost', () => {
  const hot = taught(40, [[1, 2]]);
  assert.deepEqual(hot.ranges(), [[1, 2]]);
  for (let look = 0; look < 64; look++) hot.learn([[70, 71]]);
  assert.deepEqual(hot.ranges(), [[70, 71]]);
});

const range: fc.Arbitrary<Range> = fc
  .tuple(fc.nat({ max: 3000 }), fc.integer({ min: 1, max: 40 }))
  .map(([from, size]) => [from, from + size]);

test('HotPages.ranges() are ascending, apart, and no more than worth copying, whatever is learnt', () => {
  fc.assert(
    fc.property(fc.array(fc.array(range, { maxLength: 30 }), { minLength: 1, maxLength: 40 }), (looks) => {
      const hot = new HotPages(PAGE_BYTES);
      const seen = new Set<number>();
      for (const look of looks) {
        hot.learn(look);
        for (const [from, to] of look) for (let page = from; page < to; page++) seen.add(page);
        let end = -MERGE_PAGES;
        for (const [from, to] of hot.ranges()) {
          assert.ok(from < to && from - end >= MERGE_PAGES, `${from} after ${end}`);
          assert.ok(seen.has(from) && seen.has(to - 1), 'a range begins and ends with a page that was touched');
          end = to;
        }
      }
    }),
    { numRuns: 100 },
  );
});
