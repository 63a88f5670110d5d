/** What a guest is given to end by itself: time that its thread has run, where that is told. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Grace, LONGEST_GRACE_MS, type GraceThread } from '../../../pools/worker/grace.ts';

/** A thread whose times the test says. */
interface Said extends GraceThread {
  cpuNs: bigint;
  isWaiting: boolean;
}

const said = (cpuNs: bigint, isWaiting = false): Said => ({ cpuNs, isWaiting });

function passMs(durationMs: number): void {
  for (const endMs = performance.now() + durationMs; performance.now() < endMs; ) continue;
}

test('Grace.leftMs() is what the thread has not run of it, however much time has passed', () => {
  const thread = said(5_000_000n);
  const grace = new Grace(thread, 10);
  passMs(20);
  assert.equal(grace.leftMs(true), 10);
  thread.cpuNs += 4_000_000n;
  assert.equal(grace.leftMs(true), 6);
  thread.cpuNs += 5_999_999n;
  assert.equal(grace.leftMs(true), 1, 'no timer takes less');
  thread.cpuNs += 1n;
  assert.equal(grace.leftMs(true), 0);
});

test('Grace.leftMs() counts nothing before the guest has begun', () => {
  const thread = said(0n);
  const grace = new Grace(thread, 10);
  thread.cpuNs += 50_000_000n;
  assert.equal(grace.leftMs(false), 10);
  assert.equal(grace.leftMs(true), 10);
  thread.cpuNs += 10_000_000n;
  assert.equal(grace.leftMs(true), 0);
});

test('Grace.leftMs() counts time that passes where a guest waits, and where nobody tells what a thread runs', () => {
  for (const thread of [said(0n, true), said(-1n)]) {
    const grace = new Grace(thread, 10);
    assert.ok(grace.leftMs(true) > 0);
    passMs(10);
    assert.equal(grace.leftMs(true), 0);
  }
});

test('Grace.leftMs() is 0 after the longest time, whatever the thread has run', () => {
  const grace = new Grace(said(0n), 10);
  passMs(LONGEST_GRACE_MS - 5);
  const leftMs = grace.leftMs(false);
  assert.ok(leftMs <= 5, `${leftMs} ms`);
  passMs(6);
  assert.equal(grace.leftMs(false), 0);
  assert.equal(grace.leftMs(true), 0);
});
