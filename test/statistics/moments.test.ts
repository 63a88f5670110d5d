import assert from 'node:assert/strict';
import { test } from 'node:test';
import { geometricMean, mean, standardDeviation } from '../../statistics/moments.ts';

/** Agrees to so many significant digits. */
function closeTo(got: number, expected: number, digits: number): void {
  const off = Math.abs(got - expected) / Math.abs(expected);
  assert.ok(off < 10 ** -digits, `expected ${expected}, got ${got}`);
}

/** A value, then 500 pairs around it: how NIST's StRD made NumAcc2 to NumAcc4. */
function numAcc(centre: number): number[] {
  return [centre, ...Array.from({ length: 500 }, () => [centre - 0.1, centre + 0.1]).flat()];
}

/** A. A. Michelson 1879, speed of light, as in NIST's StRD (data set Michelso), in km/s less 299,000. */
const MICHELSON = [
  850, 740, 900, 1070, 930, 850, 950, 980, 980, 880, 1000, 980, 930, 650, 760, 810, 1000, 1000, 960, 960, 960, 940, 960,
  940, 880, 800, 850, 880, 900, 840, 830, 790, 810, 880, 880, 830, 800, 790, 760, 800, 880, 880, 880, 860, 720, 720,
  620, 860, 970, 950, 880, 910, 850, 870, 840, 840, 850, 840, 840, 840, 890, 810, 810, 820, 800, 770, 760, 740, 750,
  760, 910, 920, 890, 860, 880, 720, 840, 850, 850, 780, 890, 840, 780, 810, 760, 810, 790, 810, 820, 850, 870, 870,
  810, 740, 810, 940, 950, 800, 810, 870,
];

// Certified values: NIST Statistical Reference Datasets, univariate summary statistics.
test('mean() and standardDeviation() have the certified values of NIST Michelso', () => {
  const speeds = MICHELSON.map((speed) => 299 + speed / 1000);
  closeTo(mean(speeds), 299.8524, 13);
  closeTo(standardDeviation(speeds), 0.0790105478190518, 9);
});

test('mean() and standardDeviation() have the certified values of NIST NumAcc1 to NumAcc4', () => {
  assert.equal(mean([10000001, 10000003, 10000002]), 10000002);
  assert.equal(standardDeviation([10000001, 10000003, 10000002]), 1);
  for (const [centre, digits] of [
    [1.2, 12],
    [1000000.2, 8],
    [10000000.2, 7],
  ] as const) {
    closeTo(mean(numAcc(centre)), centre, 13);
    closeTo(standardDeviation(numAcc(centre)), 0.1, digits);
  }
});

const ratios = (left: number[], right: number[]): number[] => left.map((value, at) => value / (right[at] as number));

// Null and Lobur, The Essentials of Computer Organization and Architecture, tables 10.4 and 10.5.
test('geometricMean() has the published values of three systems over five programs', () => {
  const a = [50, 200, 250, 400, 5000];
  const b = [100, 400, 500, 800, 4100];
  const c = [500, 600, 500, 800, 3500];
  assert.equal(geometricMean(ratios(b, a)).toFixed(4), '1.6733');
  assert.equal(geometricMean(ratios(b, c)).toFixed(4), '0.6898');
  assert.equal(geometricMean(ratios(c, a)).toFixed(4), '2.4258');
  assert.equal(geometricMean(ratios(c, b)).toFixed(4), '1.4497');
});

// The examples of Python's documentation of `statistics`, and what its exact fractions give.
test('geometricMean() and standardDeviation() have the values of Python documentation', () => {
  closeTo(geometricMean([54, 24, 36]), 36, 14);
  closeTo(standardDeviation([1.5, 2.5, 2.5, 2.75, 3.25, 4.75]), 1.0810874155219827, 14);
});

test('mean(), standardDeviation() and geometricMean() of too few values are no number', () => {
  assert.ok(Number.isNaN(mean([])));
  assert.ok(Number.isNaN(standardDeviation([])));
  assert.ok(Number.isNaN(standardDeviation([1])));
  assert.ok(Number.isNaN(geometricMean([])));
});
