import assert from 'node:assert/strict';
import { test } from 'node:test';
import { wallTimeline } from '../../../hardware/analysis/wall-clock.ts';
import type { MarkerLog } from '../../../hardware/analysis/edges.ts';

const AT_NS = 1_700_000_000_000_000_000n;

function log(changeNs: bigint, spanNs = 600_000_000_000n): MarkerLog {
  const wall = [
    { hostNs: 5_000_000_000n, realNs: AT_NS },
    { hostNs: 5_000_000_000n + spanNs, realNs: AT_NS + spanNs + changeNs },
  ];
  return { edges: [], synthetic: false, wall };
}

test('wallTimeline() goes along with a clock that is slewed, and says what is not known of it', () => {
  const steady = wallTimeline(log(0n))(65_000_000_000n);
  assert.ok(Math.abs(steady.timeS - 1_700_000_060) < 1e-6);
  assert.ok(Math.abs(steady.uncertaintyS - 0.001) < 1e-9);
  const slewed = wallTimeline(log(120_000_000n))(305_000_000_000n);
  assert.ok(Math.abs(slewed.timeS - 1_700_000_300.06) < 1e-6);
  assert.ok(slewed.uncertaintyS > 0.03);
});

test('wallTimeline() refuses a clock that was set, and a log without readings', () => {
  assert.throws(() => wallTimeline(log(1_000_000_000n)), { key: 'BAD_FIT', message: /wall clock was set by/ });
  assert.throws(() => wallTimeline(log(-3_600_000_000_000n)), { key: 'BAD_FIT' });
  assert.throws(() => wallTimeline({ edges: [], synthetic: false }), { key: 'EDGES_INVALID' });
});
