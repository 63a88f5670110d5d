import assert from 'node:assert/strict';
import { test } from 'node:test';
import { align } from '../../../hardware/analysis/align.ts';
import { hostTimeline, loggerTimeline, placeWindow } from '../../../hardware/analysis/timeline.ts';
import { makeSession } from './session.ts';

test('loggerTimeline() puts host times where the logger saw their edges', () => {
  const session = makeSession({
    seed: 3,
    windows: 40,
    durationS: 0.05,
    gapS: 0.05,
    driftPpm: 90,
    offsetS: 20,
    sampleS: 1e-4,
    jitterS: 2e-6,
    lostShare: 0,
    spurious: 0,
  });
  const { fit } = align(session.log, session.logger, { sampleS: 1e-4 });
  const timeline = loggerTimeline(fit, session.log);
  for (const { id, kind, beforeNs, afterNs } of session.log.edges) {
    if (kind !== 'start') continue;
    const { timeS, uncertaintyS } = timeline((beforeNs + afterNs) / 2n);
    const truth = session.truth.get(id) as { startS: number };
    assert.ok(Math.abs(timeS - truth.startS) < 2e-5 + 5 * uncertaintyS, `${id}: ${timeS - truth.startS} s`);
    assert.ok(uncertaintyS > 0 && uncertaintyS < 1e-4);
  }
});

test("hostTimeline() leaves the host's times, and placeWindow() takes both ends", () => {
  assert.deepEqual(placeWindow(hostTimeline, 1_500_000_000n, 2_000_000_000n), {
    startS: 1.5,
    endS: 2,
    startUncertaintyS: 0,
    endUncertaintyS: 0,
  });
});
