import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  geometricMeanOfRatios,
  medianEstimate,
  percentileInterval,
  ratioOfMedians,
  resample,
} from '../../bench/bootstrap.ts';
import { mean, median, sorted, standardDeviation } from '../../bench/descriptive.ts';
import { seededRandom } from '../../bench/statistics.ts';

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

test('geometricMeanOfRatios() averages 2 and 8 to 4', () => {
  const one = blocksOf([1, 1], [1, 1]);
  const pairs = [2, 8].map((factor) => ({
    subject: one.map((block) => block.map((value) => value * factor)),
    against: one,
  }));
  const { value, low, high } = geometricMeanOfRatios(pairs);
  for (const each of [value, low, high]) assert.ok(Math.abs(each - 4) < 1e-12);
});
