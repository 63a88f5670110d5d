import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import {
  estimateOf,
  geometricMeanOfRatios,
  joined,
  medianEstimate,
  percentileInterval,
  ratioOfMeans,
  ratioOfMedians,
  ratioOfQuantiles,
  repeated,
  resample,
  studentisedInterval,
  type Estimate,
} from '../../statistics/bootstrap.ts';
import { mean, standardDeviation } from '../../statistics/moments.ts';
import { median, sorted } from '../../statistics/quantiles.ts';
import { seededRandom } from '../../statistics/random.ts';

const blocksOf = (...blocks: number[][]): Float64Array[] => blocks.map((block) => Float64Array.from(block));

/** Roughly normal, by the sum of twelve. */
function noise(random: () => number): number {
  return Array.from({ length: 12 }, random).reduce((sum, value) => sum + value, -6);
}

const width = (blocks: Float64Array[]): number => medianEstimate(blocks).high - medianEstimate(blocks).low;

// Efron and Tibshirani 1993, An Introduction to the Bootstrap, table 2.2: survival times of seven mice (treatment group);
// the standard errors in the limit of many resamples are 23.36 for the mean and 37.83 for the median.
test('resample() gives the published standard errors of the mouse data', () => {
  const mice = [94, 197, 16, 38, 99, 141, 23];
  const drawn = (picks: Int32Array): number[] => [...picks].map((pick) => mice[pick] as number);
  const options = { resamples: 20_000, seed: 7 };
  const means = resample(mice.length, (picks) => mean(drawn(picks)), options);
  const medians = resample(mice.length, (picks) => median(sorted(drawn(picks))), options);
  assert.ok(Math.abs(standardDeviation(means) - 23.36) < 0.5, String(standardDeviation(means)));
  assert.ok(Math.abs(standardDeviation(medians) - 37.83) < 0.8, String(standardDeviation(medians)));
});

/** Survival in days: nine mice of the control group beside the seven, dealt out to blocks. */
const TREATED = blocksOf([94, 197, 16], [38, 99], [141, 23]);
const CONTROL = blocksOf([52, 104, 146], [10, 51, 30], [40, 27, 46]);

function assertEstimate(got: Estimate, value: number, low: number, high: number): void {
  for (const [found, expected] of [
    [got.value, value],
    [got.low, low],
    [got.high, high],
  ] as const) {
    assert.ok(Math.abs(found - expected) < 1e-12 * Math.abs(expected), JSON.stringify(got));
  }
}

// The expected values of this test were computed by a program of its own: Python's `statistics.median`, `math.fsum` and exact
// ranks over draws from a second implementation of the generator, seed 1, 1,000 resamples.
test('bootstrap intervals of the mouse data have the values that another program computed', () => {
  assertEstimate(medianEstimate(TREATED), 94, 23, 141);
  const pair = { subject: TREATED, against: CONTROL };
  assertEstimate(ratioOfMedians(pair), 2.0434782608695654, 0.375, 3.8);
  assertEstimate(ratioOfQuantiles(pair, 0.9), 1.3493150684931507, 1.3493150684931507, 2.764705882352941);
  assertEstimate(
    ratioOfMeans([94, 197, 16, 38, 99, 141, 23], [52, 104, 146, 10, 51, 30, 40, 27, 46]),
    1.4041570438799078,
    0.6035087719298246,
    2.6440677966101696,
  );
});

test('estimateOf() of a ratio is ratioOfMedians(), and the statistic sees the medians of the data first', () => {
  const seen: (readonly number[])[] = [];
  const estimate = estimateOf([TREATED, CONTROL], (medians) => {
    seen.push(medians);
    return (medians[0] as number) / (medians[1] as number);
  });
  assert.deepEqual(seen[0], [94, 46]);
  assert.equal(seen.length, 1001);
  assert.deepEqual(estimate, ratioOfMedians({ subject: TREATED, against: CONTROL }));
});

test('repeated() draws from one generator, a thousand times from seed 1 unless it is told otherwise', () => {
  const random = seededRandom(1);
  const expected = Array.from({ length: 1000 }, () => random());
  assert.deepEqual(
    repeated((each) => each()),
    expected,
  );
  assert.deepEqual(
    repeated((each) => each(), { resamples: 3, seed: 1 }),
    expected.slice(0, 3),
  );
});

test('joined() has all samples of all blocks, in order', () => {
  assert.deepEqual([...joined(TREATED)], [16, 23, 38, 94, 99, 141, 197]);
  assert.equal(joined([]).length, 0);
});

// By hand: type 7 of -3 to 5 at 0.025 is -2.8, at 0.975 it is 4.8; the interval turns them around.
test('studentisedInterval() lays the quantiles of the deviations off the value, turned around', () => {
  const { value, low, high } = studentisedInterval(10, 2, [5, -3, -2, -1, 0, 1, 2, 3, 4]);
  assert.equal(value, 10);
  assert.ok(Math.abs(low - 0.4) < 1e-12, String(low));
  assert.ok(Math.abs(high - 15.6) < 1e-12, String(high));
  assert.deepEqual(studentisedInterval(10, 0, [1, 2]), { value: 10, low: 10, high: 10 });
  assert.deepEqual(studentisedInterval(10, 2, []), { value: 10, low: 10, high: 10 });
});

test('percentileInterval() leaves at most a 40th of the values outside on either side, and not less than it must', () => {
  const numbers = fc.double({ noNaN: true, noDefaultInfinity: true });
  fc.assert(
    fc.property(fc.uniqueArray(numbers, { minLength: 1, maxLength: 400 }), (values) => {
      const { low, high } = percentileInterval(0, values);
      const share = (isCounted: (value: number) => boolean): number => values.filter(isCounted).length / values.length;
      assert.ok(share((value) => value < low) <= 0.025 && share((value) => value <= low) >= 0.025);
      assert.ok(share((value) => value < high) <= 0.975 && share((value) => value <= high) >= 0.975);
    }),
    { seed: 1 },
  );
});

const samples = fc.array(fc.integer({ min: 1, max: 1e6 }), { minLength: 1, maxLength: 6 });
const blocks = fc.array(samples, { minLength: 1, maxLength: 6 }).map((each) => blocksOf(...each));

test('medianEstimate() stays between the ends of its samples, and grows with their unit', () => {
  fc.assert(
    fc.property(blocks, fc.integer({ min: 1, max: 1000 }), (of, seed) => {
      const options = { resamples: 50, seed };
      const { value, low, high } = medianEstimate(of, options);
      const all = joined(of);
      assert.ok((all[0] as number) <= low && low <= high && high <= (all.at(-1) as number));
      const inHalves = of.map((block) => block.map((each) => each * 2));
      assert.deepEqual(medianEstimate(inHalves, options), { value: 2 * value, low: 2 * low, high: 2 * high });
    }),
    { seed: 1, numRuns: 50 },
  );
});

test('ratioOfQuantiles() draws blocks together: of a subject with itself it is 1, without width', () => {
  fc.assert(
    fc.property(blocks, fc.constantFrom(0.1, 0.5, 0.9, 0.99), (of, share) => {
      const estimate = ratioOfQuantiles({ subject: of, against: of }, share, { resamples: 50 });
      assert.deepEqual(estimate, { value: 1, low: 1, high: 1 });
    }),
    { seed: 1, numRuns: 50 },
  );
});

test('percentileInterval() takes the 2.5th and the 97.5th of a hundred, and leaves out what is no number', () => {
  const values = [Number.NaN, ...Array.from({ length: 1000 }, (_, at) => at + 1)];
  assert.deepEqual(percentileInterval(500, values), { value: 500, low: 25, high: 975 });
});

test('ratioOfMedians() of a subject with itself is 1, and twice it is 2, without width where nothing varies', () => {
  const constant = blocksOf([5, 5], [5, 5], [5, 5]);
  assert.deepEqual(ratioOfMedians({ subject: constant, against: constant }), { value: 1, low: 1, high: 1 });
  const twice = blocksOf([10, 10], [10, 10], [10, 10]);
  assert.deepEqual(ratioOfMedians({ subject: twice, against: constant }), { value: 2, low: 2, high: 2 });
});

test('ratioOfMedians() repeats itself for a seed and differs for another', () => {
  const random = seededRandom(3);
  const blocks = (): Float64Array[] => Array.from({ length: 8 }, () => Float64Array.from({ length: 4 }, random));
  const pair = { subject: blocks(), against: blocks() };
  assert.deepEqual(ratioOfMedians(pair, { seed: 1 }), ratioOfMedians(pair, { seed: 1 }));
  assert.notDeepEqual(ratioOfMedians(pair, { seed: 1 }), ratioOfMedians(pair, { seed: 2 }));
});

test('medianEstimate() is wider when whole blocks differ than when calls within them do', () => {
  const random = seededRandom(5);
  const together = Array.from({ length: 20 }, () => {
    const mood = noise(random);
    return Float64Array.from({ length: 10 }, () => 100 + 5 * mood + 0.1 * noise(random));
  });
  const mixed = sorted(together.flatMap((block) => [...block]));
  // The same values dealt out so that each block has some of all.
  const apart = together.map((_, block) =>
    Float64Array.from({ length: 10 }, (_, call) => mixed[call * 20 + block] as number),
  );
  assert.ok(width(together) > 1.5 * width(apart), `${width(together)} ${width(apart)}`);
});

test('ratioOfMedians() has intervals that hold the true ratio about as often as they say', () => {
  const random = seededRandom(11);
  let held = 0;
  const runs = 120;
  for (let run = 0; run < runs; run++) {
    const subject: Float64Array[] = [];
    const against: Float64Array[] = [];
    for (let block = 0; block < 20; block++) {
      const mood = Math.exp(0.1 * noise(random));
      subject.push(Float64Array.from({ length: 5 }, () => 30 * mood * Math.exp(0.05 * noise(random))));
      against.push(Float64Array.from({ length: 5 }, () => 10 * mood * Math.exp(0.05 * noise(random))));
    }
    const { low, high } = ratioOfMedians({ subject, against }, { resamples: 200, seed: run + 1 });
    if (low <= 3 && 3 <= high) held++;
  }
  assert.ok(held / runs > 0.9, `${held} of ${runs}`);
});

test('ratioOfMeans() has intervals that hold the true ratio about as often as they say, and no oftener', () => {
  const random = seededRandom(17);
  const runs = 400;
  const blockValues = (centre: number): number[] => Array.from({ length: 60 }, () => centre + noise(random));
  let held = 0;
  for (let run = 0; run < runs; run++) {
    const { low, high } = ratioOfMeans(blockValues(30), blockValues(10), { resamples: 200, seed: run + 1 });
    if (low <= 3 && 3 <= high) held++;
  }
  // The share of 400 that a 95 % interval holds has a standard deviation of 1.1 %; 90 % would be 4.6 of them away.
  assert.ok(held / runs > 0.92 && held / runs < 0.98, `${held} of ${runs}`);
});

test('geometricMeanOfRatios() averages 2 and 8 to 4', () => {
  const one = blocksOf([1, 1], [1, 1]);
  const pairs = [2, 8].map((factor) => ({
    subject: one.map((block) => block.map((value) => value * factor)),
    against: one,
  }));
  const { value, low, high } = geometricMeanOfRatios(pairs);
  for (const each of [value, low, high]) assert.ok(Math.abs(each - 4) < 1e-12);
});
