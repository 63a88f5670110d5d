import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PowerIntegral } from '../../../hardware/analysis/integral.ts';
import { shownResponseS } from '../../../hardware/analysis/response.ts';
import { normalFrom } from '../../../statistics/normal.ts';
import { seededRandom } from '../../../statistics/random.ts';

const WINDOWS = Array.from({ length: 12 }, (_, index) => ({ startS: 20 + 15 * index, endS: 32 + 15 * index }));

/** Energy of 2 W throughout and 2 W more in the windows. */
function energyJ(untilS: number): number {
  return WINDOWS.reduce((sum, { startS, endS }) => sum + 2 * Math.max(0, Math.min(untilS, endS) - startS), 2 * untilS);
}

/** Power of 2 W in the windows on top of 2 W, through a mean of `meanS`, `lagS` late, ten values a second. */
function shownBy({ meanS, lagS, noiseW = 0.02 }: { meanS: number; lagS: number; noiseW?: number }): PowerIntegral {
  const random = seededRandom(7);
  const timeS = Float64Array.from({ length: 2100 }, (_, index) => (index + 0.37) / 10);
  const value = timeS.map(
    (at) => (energyJ(at - lagS) - energyJ(at - lagS - meanS)) / meanS + noiseW * normalFrom(random),
  );
  const rest = {
    source: 'generated',
    clock: 'logger',
    synthetic: true,
    refreshS: 0.1,
    resolution: 0,
    breaks: [],
  } as const;
  return new PowerIntegral({ ...rest, rule: 'instant', timeS, value });
}

test('shownResponseS() is 0 of a source that shows power within its own interval', () => {
  assert.equal(shownResponseS(shownBy({ meanS: 0.01, lagS: 0 }), WINDOWS), 0);
  assert.equal(shownResponseS(shownBy({ meanS: 0.1, lagS: 0, noiseW: 0.5 }), WINDOWS), 0);
});

test('shownResponseS() covers the mean and the lag of a slow source', () => {
  for (const [meanS, lagS] of [
    [1, 0],
    [2, 0],
    [0.01, 1],
    [1, 0.5],
  ] as const) {
    const found = shownResponseS(shownBy({ meanS, lagS }), WINDOWS);
    assert.ok(
      found >= 0.95 * (meanS + lagS) && found < 1.3 * (meanS + lagS) + 0.3,
      `${meanS} s, ${lagS} s: ${found} s`,
    );
  }
});

test('shownResponseS() says nothing of few windows, of windows too short, or of a counter', () => {
  const slow = shownBy({ meanS: 1, lagS: 0 });
  assert.equal(shownResponseS(slow, WINDOWS.slice(0, 3)), 0);
  assert.equal(
    shownResponseS(
      slow,
      WINDOWS.map(({ startS }) => ({ startS, endS: startS + 0.5 })),
    ),
    0,
  );
  const { trace } = slow;
  const value = trace.timeS.map((at) => 2 * at);
  assert.equal(shownResponseS(new PowerIntegral({ ...trace, rule: 'counter', value }), WINDOWS), 0);
});
