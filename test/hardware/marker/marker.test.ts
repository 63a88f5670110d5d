import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { align } from '../../../hardware/analysis/align.ts';
import { MemoryLine, measureLine } from '../../../hardware/marker/line.ts';
import { SessionMarker } from '../../../hardware/marker/marker.ts';

const OPTIONS = { burstUnitMs: 1 };

/** What a logger would have seen of a line, by a clock that is 3 s ahead. */
function seenOn(line: MemoryLine) {
  const firstNs = line.levels[0]?.atNs ?? 0n;
  const changes = line.levels.filter(({ level }, index) => level !== (line.levels[index - 1]?.level ?? 0));
  return changes.map(({ level, atNs }) => ({ timeS: 3 + Number(atNs - firstNs) / 1e9, level, halfWidthS: 0 }));
}

test('SessionMarker writes windows between bursts that align() finds again', async () => {
  const line = new MemoryLine();
  const marker = await SessionMarker.open(line, OPTIONS);
  for (const id of ['a', 'b', 'c']) {
    marker.start(id);
    await sleep(4);
    marker.end(id);
    await sleep(3);
  }
  await marker.close();
  const log = marker.log();
  assert.equal(log.edges.length, 16 + 6 + 16);
  for (const edge of log.edges) assert.ok(edge.afterNs >= edge.beforeNs);
  const found = align(log, seenOn(line), { sampleS: 1e-6, maxResidualS: 1e-3 });
  assert.deepEqual(
    found.windows.map(({ id, state }) => [id, state]),
    [
      ['a', 'matched'],
      ['b', 'matched'],
      ['c', 'matched'],
    ],
  );
  assert.equal(found.synthetic, true);
});

test('SessionMarker gives a window host times only while another one is open, and align() places it by the clock', async () => {
  const line = new MemoryLine();
  const marker = await SessionMarker.open(line, OPTIONS);
  marker.start('outer');
  await sleep(2);
  marker.start('inner');
  await sleep(2);
  marker.end('inner');
  await sleep(2);
  marker.end('outer');
  await sleep(2);
  marker.start('next');
  await sleep(2);
  marker.end('next');
  await marker.close();
  const found = align(marker.log(), seenOn(line), { sampleS: 1e-6, maxResidualS: 1e-3 });
  const states = Object.fromEntries(found.windows.map(({ id, state }) => [id, state]));
  assert.deepEqual(states, { outer: 'matched', inner: 'unmatched', next: 'matched' });
  assert.deepEqual([found.lostEdges, found.unwrittenEdges], [0, 2]);
  const [outer, inner] = found.windows;
  assert.ok(outer && inner && outer.startS < inner.startS && inner.endS < outer.endS);
});

test('SessionMarker refuses a second start, an end without start and a start after the close', async () => {
  const marker = await SessionMarker.open(new MemoryLine(), OPTIONS);
  marker.start('a');
  assert.throws(() => marker.start('a'), { key: 'MARKER_ORDER' });
  assert.throws(() => marker.end('b'), { key: 'MARKER_ORDER' });
  const closing = marker.close();
  assert.throws(() => marker.start('c'), { key: 'MARKER_CLOSED' });
  assert.equal(marker.close(), closing);
  await closing;
});

test('SessionMarker writes on and counts when it remembers enough edges, and keeps its closing burst', async () => {
  const line = new MemoryLine();
  const marker = await SessionMarker.open(line, { ...OPTIONS, maxEdges: 18 });
  for (const id of ['a', 'b', 'c']) {
    marker.start(id);
    marker.end(id);
  }
  assert.equal(marker.forgotten, 4);
  await marker.close();
  assert.equal(marker.log().edges.length, 18 + 16);
  assert.equal(line.levels.filter(({ level }) => level === 1).length, 8 + 3 + 8);
});

test('SessionMarker keeps the host time of an edge that could not be written, and says so', async () => {
  const line = new MemoryLine();
  const marker = await SessionMarker.open(line, OPTIONS);
  const write = line.write.bind(line);
  line.write = () => {
    throw new Error('EIO');
  };
  assert.throws(() => marker.start('a'), /EIO/);
  line.write = write;
  marker.start('b');
  line.write = () => {
    throw new Error('EIO');
  };
  assert.throws(() => marker.end('b'), /EIO/);
  line.write = write;
  marker.start('c');
  marker.end('c', 4);
  await marker.close();
  const windows = marker.log().edges.filter(({ kind }) => kind !== 'sync');
  assert.deepEqual(
    windows.map(({ id, kind, written, calls }) => [id, kind, written, calls]),
    [
      ['a', 'start', false, undefined],
      ['b', 'start', true, undefined],
      ['b', 'end', false, undefined],
      ['c', 'start', true, undefined],
      ['c', 'end', true, 4],
    ],
  );
});

test('measureLine() reports what a write costs and refuses too few', () => {
  const line = new MemoryLine();
  const cost = measureLine(line, 200);
  assert.equal(cost.writes, 400);
  assert.equal(line.levels.length, 400);
  assert.ok(cost.p50Ns > 0 && cost.p50Ns <= cost.p99Ns && cost.p99Ns <= cost.maxNs);
  assert.ok(cost.windowNs >= cost.p50Ns);
  assert.equal(cost.synthetic, true);
  assert.throws(() => measureLine(line, 3), { key: 'ARGUMENT' });
});
