import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../../../statistics/random.ts';
import * as fc from 'fast-check';
import { PowerIntegral } from '../../../hardware/analysis/integral.ts';
import type { PowerTrace, SampleRule } from '../../../hardware/analysis/trace.ts';
import { energyBetween, sampleCurve } from './known-power.ts';

const trace = (rule: SampleRule, timeS: number[], value: number[], more: Partial<PowerTrace> = {}): PowerTrace => ({
  source: 'table',
  rule,
  clock: 'logger',
  synthetic: true,
  timeS: Float64Array.from(timeS),
  value: Float64Array.from(value),
  refreshS: 1,
  resolution: 0,
  breaks: [],
  ...more,
});

const close = (got: number, expected: number): void =>
  assert.ok(Math.abs(got - expected) < 1e-9, `expected ${expected}, got ${got}`);

test('PowerIntegral takes the trapezoid of instants with both boundaries interpolated', () => {
  const integral = new PowerIntegral(trace('instant', [0, 1, 2, 3], [0, 2, 4, 6]));
  close(integral.over(0, 3).energyJ, 9);
  close(integral.over(0.25, 2.75).energyJ, 2.75 ** 2 - 0.25 ** 2);
  close(integral.over(1.2, 1.6).energyJ, 1.6 ** 2 - 1.2 ** 2);
  assert.equal(integral.over(0.25, 2.75).samples, 2);
});

test('PowerIntegral spreads an average over the interval before it', () => {
  const integral = new PowerIntegral(trace('average', [0, 1, 2], [99, 3, 5]));
  close(integral.over(0, 2).energyJ, 8);
  close(integral.over(0.5, 1.5).energyJ, 4);
});

test('PowerIntegral takes differences of a counter, across times when nobody read it', () => {
  const integral = new PowerIntegral(trace('counter', [0, 1, 2, 9, 10], [100, 103, 105, 140, 141]));
  const whole = integral.over(0, 10);
  close(whole.energyJ, 41);
  close(integral.over(0.5, 1.5).energyJ, 2.5);
  assert.equal(whole.uncoveredS, 0);
});

test('PowerIntegral puts nothing across a gap, a break or the ends of the trace', () => {
  const times = [0, 1, 2, 5, 6, 7];
  const integral = new PowerIntegral(trace('instant', times, [2, 2, 2, 2, 2, 2]));
  const whole = integral.over(-1, 7);
  close(whole.energyJ, 8);
  close(whole.uncoveredS, 4);
  assert.deepEqual([integral.gaps, integral.gapS], [1, 3]);
  const broken = new PowerIntegral(trace('counter', [0, 1, 2, 3], [5, 6, 6, 7], { breaks: [1] }));
  const over = broken.over(0, 3);
  close(over.energyJ, 2);
  close(over.uncoveredS, 1);
  const outside = integral.over(20, 21);
  assert.deepEqual([outside.energyJ, outside.uncoveredS, outside.samples], [0, 1, 0]);
  assert.ok(Number.isNaN(whole.start.fromW) && Number.isNaN(whole.start.toW));
});

test('PowerIntegral adds up: two halves come to the whole, for every rule, with gaps', () => {
  fc.assert(
    fc.property(
      fc.constantFrom<SampleRule>('instant', 'average', 'counter'),
      fc.array(fc.tuple(fc.double({ min: 0.01, max: 3, noNaN: true }), fc.double({ min: 0, max: 9, noNaN: true })), {
        minLength: 3,
        maxLength: 40,
      }),
      fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.double({ min: 0, max: 1, noNaN: true })),
      (rule, rows, cuts) => {
        let nowS = 0;
        let sumJ = 0;
        const timeS = rows.map(([stepS]) => (nowS += stepS));
        const value = rows.map(([, powerW]) => (rule === 'counter' ? (sumJ += powerW) : powerW));
        const integral = new PowerIntegral(trace(rule, timeS, value));
        const startS = timeS[0] as number;
        const [low, high] = cuts.toSorted((a, b) => a - b).map((cut) => startS + cut * (nowS - startS)) as [
          number,
          number,
        ];
        const parts = [integral.over(startS, low), integral.over(low, high), integral.over(high, nowS)];
        const whole = integral.over(startS, nowS);
        assert.ok(Math.abs(parts.reduce((sum, part) => sum + part.energyJ, 0) - whole.energyJ) < 1e-6);
        assert.ok(Math.abs(parts.reduce((sum, part) => sum + part.uncoveredS, 0) - whole.uncoveredS) < 1e-6);
      },
    ),
    { numRuns: 100 },
  );
});

test('PowerIntegral is exact for averages and counters whatever power does between samples', () => {
  fc.assert(
    fc.property(
      fc.constantFrom<SampleRule>('average', 'counter'),
      fc.array(fc.tuple(fc.double({ min: 0.001, max: 2, noNaN: true }), fc.double({ min: 0, max: 20, noNaN: true })), {
        minLength: 1,
        maxLength: 30,
      }),
      (rule, steps) => {
        let nowS = 0;
        const curve = [
          { fromS: 0, powerW: 3 },
          ...steps.map(([stepS, powerW]) => ({ fromS: (nowS += stepS), powerW })),
        ];
        const untilS = Math.ceil(nowS) + 2;
        const integral = new PowerIntegral(sampleCurve(curve, { rule, intervalS: 0.25, untilS }));
        const endS = Math.floor(untilS);
        close(integral.over(1, endS).energyJ, energyBetween(curve, 1, endS));
      },
    ),
    { numRuns: 100 },
  );
});

const hidden = (integral: PowerIntegral, fromS: number, toS: number, missedJ: number, varianceJ2: number): void => {
  const stretch = integral.over(fromS, toS);
  close(stretch.missedJ, missedJ);
  close(stretch.boundaryJ, Math.sqrt(varianceJ2));
};

test('PowerIntegral knows what a step of power within the interval of a boundary hides', () => {
  // A rise of 6 W within a second: 1 J on average, and (6 J)^2 / 45 or / 180 about it.
  const instants = new PowerIntegral(trace('instant', [0, 1, 2, 3, 4], [0, 0, 6, 6, 6]));
  hidden(instants, 1.5, 3.5, 1, 36 / 45);
  hidden(instants, 2.5, 3.5, 0, 0);
  const averages = new PowerIntegral(trace('average', [0, 1, 2, 3, 4], [99, 2, 2, 8, 8]));
  hidden(averages, 2.5, 3.5, 1, 36 / 180);
  hidden(averages, 1.5, 3.5, 1, 36 / 180);
  hidden(averages, 0.25, 0.75, 0, 0);
  // Where a load begins and where it ends, the steps have opposite signs and what they hide adds up.
  const load = new PowerIntegral(trace('instant', [0, 1, 2, 3, 4], [0, 0, 6, 0, 0]));
  hidden(load, 1.5, 2.5, 2, (2 * 36) / 45);
  // A width of two seconds hides twice as much.
  const slow = new PowerIntegral(trace('instant', [0, 2, 4, 6], [0, 0, 6, 6]));
  hidden(slow, 3, 5, 2, 144 / 45);
});

test('PowerIntegral tells the power about both boundaries, the weights of samples and how many there are', () => {
  const integral = new PowerIntegral(trace('instant', [0, 1, 2, 3, 4], [0, 2, 4, 6, 8]));
  const inner = integral.over(0.5, 3.25);
  assert.deepEqual(
    [inner.start, inner.end],
    [
      { fromW: 0, toW: 2 },
      { fromW: 6, toW: 8 },
    ],
  );
  // Half an interval, two, and a quarter of one.
  close(inner.weightS2, 0.5 + 2 + 0.25);
  assert.equal(inner.samples, 3);
  assert.equal(integral.over(1, 3).samples, 3);
  assert.equal(integral.over(1.5, 1.75).samples, 0);
  const outside = integral.over(-1, 5);
  assert.deepEqual([outside.samples, outside.uncoveredS], [5, 2]);
  for (const power of [outside.start, outside.end]) assert.ok(Number.isNaN(power.fromW));
  const whole = integral.over(0, 4);
  assert.deepEqual([whole.start.fromW, whole.end.toW, whole.uncoveredS], [0, 8, 0]);
  const backwards = integral.over(3, 1);
  assert.deepEqual([backwards.energyJ, backwards.uncoveredS, backwards.samples], [0, 0, 0]);
  const counted = new PowerIntegral(trace('counter', [0, 2, 3], [0, 6, 7]));
  assert.deepEqual(counted.over(0.5, 2.5).start, { fromW: 3, toW: 3 });
});

test('PowerIntegral calls an interval a gap beyond one and a half of the median, or beyond what it is told', () => {
  const gapsOf = (widthS: number, gapS?: number): number[] => {
    const times = [0, 1, 2, 3, 3 + widthS, 4 + widthS];
    const integral = new PowerIntegral(trace('instant', times, [1, 1, 1, 1, 1, 1]), gapS === undefined ? {} : { gapS });
    return [integral.gaps, integral.gapS, integral.over(0, 4 + widthS).energyJ];
  };
  assert.deepEqual(gapsOf(1.5), [0, 0, 5.5]);
  assert.deepEqual(gapsOf(1.75), [1, 1.75, 4]);
  assert.deepEqual(gapsOf(1.75, 2), [0, 0, 5.75]);
  assert.deepEqual(gapsOf(1.5, 1.25), [1, 1.5, 4]);
  const gap = new PowerIntegral(trace('instant', [0, 1, 2, 5, 6], [1, 1, 1, 9, 9]));
  const across = gap.over(1.5, 3);
  assert.deepEqual([across.energyJ, across.uncoveredS, across.end.fromW], [0.5, 1, Number.NaN]);
  close(across.weightS2, 0.5);
  // The gap hides everything, not only the rise within it.
  assert.equal(gap.over(0.5, 3).boundaryJ, 0);
});

for (const rule of ['instant', 'average'] as const) {
  test(`PowerIntegral knows the energy of loads that begin and end anywhere, on average, by ${rule} values`, () => {
    const random = seededRandom(5);
    let [missing, corrected] = [0, 0];
    const runs = 2000;
    for (let run = 0; run < runs; run++) {
      const startS = 3 + random();
      const endS = startS + 3 + random();
      const curve = [
        { fromS: 0, powerW: 2 },
        { fromS: startS, powerW: 8 },
        { fromS: endS, powerW: 2 },
      ];
      const integral = new PowerIntegral(sampleCurve(curve, { rule, intervalS: 0.5, untilS: 12 }));
      const { energyJ, missedJ } = integral.over(startS, endS);
      const known = energyBetween(curve, startS, endS);
      missing += (known - energyJ) / runs;
      corrected += (known - energyJ - missedJ) / runs;
    }
    // 6 W in half a second at both ends: 2 x 3 J / 6.
    assert.ok(Math.abs(missing - 1) < 0.05, `${missing} J are missing`);
    assert.ok(Math.abs(corrected) < 0.05, `${corrected} J are missing still`);
  });
}
