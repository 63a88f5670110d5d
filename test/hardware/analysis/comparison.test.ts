import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  batchSlope,
  compareEnergy,
  type CallEnergy,
  type ComparedBlock,
} from '../../../hardware/analysis/comparison.ts';
import { normalFrom } from '../../../statistics/normal.ts';
import { seededRandom } from '../../../statistics/random.ts';

test('batchSlope() finds the energy of a call beside the energy of the batch', () => {
  const batches = [10, 20, 40, 80].map((calls) => ({ calls, energyJ: 0.7 + calls * 0.03, uncertaintyJ: 0.01 * calls }));
  const slope = batchSlope(batches);
  assert.equal(slope.model, 'line');
  assert.ok(Math.abs(slope.energyJ - 0.03) < 1e-12);
  assert.ok(Math.abs(slope.batchJ - 0.7) < 1e-9);
  assert.equal(batchSlope([batches[0], batches[0], batches[0]].map((batch) => batch as never)).model, 'origin');
  assert.throws(() => batchSlope(batches.slice(0, 2)), { key: 'ARGUMENT' });
});

const near = (got: number, expected: number): void => assert.ok(Math.abs(got - expected) < 1e-9, `${got}`);

const batchesOf = (rows: readonly (readonly [number, number, number])[]) =>
  rows.map(([calls, energyJ, uncertaintyJ]) => ({ calls, energyJ, uncertaintyJ }));

// Python: statistics.linear_regression, and its slope's standard error times the t of four degrees; then, where there are
// two sizes, the weighted line through the origin with two degrees.
test('batchSlope() has the slopes and intervals that another program computed', () => {
  const line = batchSlope(
    batchesOf([
      [10, 3.1, 0],
      [10, 2.9, 0],
      [20, 5.2, 0],
      [20, 4.9, 0],
      [40, 9.3, 0],
      [40, 8.9, 0],
    ]),
  );
  assert.equal(line.model, 'line');
  near(line.energyJ, 0.20321428571428574);
  near(line.batchJ, 0.975);
  near(line.lowJ, 0.18588985804454392);
  near(line.highJ, 0.22053871338402756);
  const origin = batchSlope(
    batchesOf([
      [10, 2, 0.1],
      [10, 2.2, 0.1],
      [20, 4.5, 0.2],
    ]),
  );
  assert.equal(origin.model, 'origin');
  near(origin.energyJ, 0.215);
  near(origin.lowJ, 0.18213794696135788);
  near(origin.highJ, 0.24786205303864217);
});

// Python: the normal equations, written out.
test('batchSlope() weighs batches by their uncertainties, unless one has none', () => {
  const rows = [
    [10, 3.1, 0.1],
    [20, 5.2, 0.2],
    [40, 9.3, 0.1],
    [40, 8.9, 0.4],
  ] as const;
  const weighted = batchSlope(batchesOf(rows));
  near(weighted.energyJ, 0.20577586206896553);
  near(weighted.batchJ, 1.048275862068965);
  near(weighted.lowJ, 0.191898194772809);
  near(weighted.highJ, 0.21965352936512206);
  const alike = batchSlope(batchesOf([...rows.slice(0, 3), [40, 8.9, 0]]));
  near(alike.energyJ, 0.1988888888888889);
  near(alike.batchJ, 1.155555555555555);
  near(alike.lowJ, 0.16441458880527376);
  near(alike.highJ, 0.23336318897250402);
  assert.equal(alike.batches, 4);
});

test('batchSlope() lays the line through the origin where there are two sizes of batch, and needs three batches', () => {
  const rows = [
    [10, 2, 0],
    [20, 4, 0],
    [20, 4, 0],
  ] as const;
  assert.deepEqual(batchSlope(batchesOf(rows)), {
    energyJ: 0.2,
    lowJ: 0.2,
    highJ: 0.2,
    batchJ: 0,
    model: 'origin',
    batches: 3,
  });
  assert.throws(() => batchSlope(batchesOf(rows.slice(1))), /Cannot use batches: expected at least 3, got 2\./);
});

test('batchSlope() states intervals that hold the known energy in 95 % of cases', () => {
  let inside = 0;
  for (let seed = 1; seed <= 1000; seed++) {
    const random = seededRandom(seed * 31);
    const batches = [10, 10, 20, 20, 40, 40, 80, 80].map((calls) => {
      const uncertaintyJ = 0.002 * calls;
      return { calls, energyJ: 0.2 + calls * 0.03 + normalFrom(random) * uncertaintyJ, uncertaintyJ };
    });
    const { lowJ, highJ } = batchSlope(batches);
    if (lowJ <= 0.03 && highJ >= 0.03) inside++;
  }
  assert.ok(inside >= 925 && inside <= 975, `${inside} of 1000`);
});

function drawBlocks(seed: number, blocks: number, calls: number): ComparedBlock[] {
  const random = seededRandom(seed);
  const arm = (durationS: number, powerW: number, shift: number): CallEnergy[] =>
    Array.from({ length: calls }, () => {
      const took = durationS * (1 + 0.1 * normalFrom(random));
      return { durationS: took, energyJ: took * powerW * (1 + shift) + normalFrom(random) * 0.4 * durationS * powerW };
    });
  return Array.from({ length: blocks }, () => {
    const shift = 0.1 * normalFrom(random);
    return { subject: arm(0.2, 1.2, shift), against: arm(0.01, 1.5, shift + 0.05 * normalFrom(random)) };
  });
}

test('compareEnergy() splits the energy ratio into time and power', () => {
  const found = compareEnergy(drawBlocks(3, 20, 10));
  assert.ok(Math.abs(found.energy.ratio - found.time.ratio * found.power.ratio) < 1e-12 * found.energy.ratio);
  assert.ok(found.energy.low < 16 && found.energy.high > 16, JSON.stringify(found.energy));
  assert.ok(Math.abs(found.time.ratio - 20) < 1);
  assert.equal(found.reason, undefined);
  assert.deepEqual(found, compareEnergy(drawBlocks(3, 20, 10)));
});

test('compareEnergy() states intervals that hold the known ratios in 95 % of cases', () => {
  let energy = 0;
  let time = 0;
  let power = 0;
  for (let seed = 1; seed <= 150; seed++) {
    const found = compareEnergy(drawBlocks(seed * 977, 10, 5), seed);
    if (found.energy.low <= 16 && found.energy.high >= 16) energy++;
    if (found.time.low <= 20 && found.time.high >= 20) time++;
    if (found.power.low <= 0.8 && found.power.high >= 0.8) power++;
  }
  // 95 % of 150 is 142.5 +- 2.7: four deviations.
  for (const inside of [energy, time, power]) assert.ok(inside >= 132, `${energy}, ${time}, ${power} of 150`);
  assert.ok(energy + time + power < 450, 'intervals that always hold are too wide');
});

test('compareEnergy() keeps negative energies and gives no bounds where an energy is not above noise', () => {
  const random = seededRandom(9);
  const blocks = Array.from({ length: 12 }, () => ({
    subject: Array.from({ length: 5 }, () => ({ durationS: 1, energyJ: 2 + 0.1 * normalFrom(random) })),
    against: Array.from({ length: 5 }, () => ({ durationS: 0.001, energyJ: normalFrom(random) })),
  }));
  const found = compareEnergy(blocks);
  assert.equal(found.reason, 'the energy it is compared with cannot be told from 0');
  assert.ok(Number.isNaN(found.energy.low) && Number.isNaN(found.energy.high));
});

/** Energy in J and time in s of single calls: those of the subject, those of what it is compared with. */
type Rows = readonly (readonly [energyJ: number, durationS: number])[];

const blockOf = (subject: Rows, against: Rows): ComparedBlock => {
  const callsOf = (rows: Rows): CallEnergy[] => rows.map(([energyJ, durationS]) => ({ energyJ, durationS }));
  return { subject: callsOf(subject), against: callsOf(against) };
};

const FIVE_BLOCKS = [
  [
    [3, 2],
    [3.4, 2.2],
    [1, 0.5],
    [1.2, 0.6],
    [1.1, 0.5],
  ],
  [
    [2.8, 1.9],
    [3.1, 2],
    [1.1, 0.6],
    [0.9, 0.5],
    [1, 0.4],
  ],
  [
    [3.3, 2.1],
    [2.9, 2],
    [1.2, 0.5],
    [1.1, 0.5],
    [0.8, 0.5],
  ],
  [
    [3.6, 2.4],
    [3.2, 2.1],
    [1, 0.4],
    [1.3, 0.6],
    [1, 0.6],
  ],
  [
    [2.7, 1.8],
    [3, 2.1],
    [0.9, 0.5],
    [1, 0.5],
    [1.2, 0.4],
  ],
].map((rows) => blockOf(rows.slice(0, 2) as never, rows.slice(2) as never));

/** Ratios and bounds of energy, time and power. */
const ratiosOf = (blocks: readonly ComparedBlock[], seed?: number): number[][] => {
  const { energy, time, power } = compareEnergy(blocks, seed);
  return [energy, time, power].map(({ ratio, low, high }) => [ratio, low, high]);
};

const allNear = (got: readonly number[][], expected: readonly number[][]): void => {
  assert.equal(got.length, expected.length);
  for (const [row, numbers] of expected.entries()) {
    for (const [column, number] of numbers.entries()) near(got[row]?.[column] ?? Number.NaN, number);
  }
};

// A second implementation in Python, with the same generator: 2000 draws of blocks and of calls within them.
test('compareEnergy() has the ratios and bounds that another program computed, of the first seed if none is named', () => {
  const first = [
    [2.9430379746835444, 2.796763961476001, 3.111327808799783],
    [4.065789473684211, 3.9107618141306038, 4.233748651971034],
    [0.7238540002457908, 0.6691351089287552, 0.758887052489371],
  ];
  allNear(ratiosOf(FIVE_BLOCKS), first);
  allNear(ratiosOf(FIVE_BLOCKS, 1), first);
  allNear(ratiosOf(FIVE_BLOCKS, 2), [
    [2.9430379746835444, 2.8044235804270308, 3.1225204579018397],
    [4.065789473684211, 3.906901353666022, 4.24114812346175],
    [0.7238540002457908, 0.6726652051626822, 0.7595012038389257],
  ]);
  assert.equal(compareEnergy(FIVE_BLOCKS).blocks, 5);
});

// The same program. Of 2000 draws some 1200 have an energy of at most 0, some 270 of them both.
test('compareEnergy() leaves out draws whose energies are not above 0, also where both are not', () => {
  const blocks = [0, 1, 2, 3, 4].map((index) =>
    blockOf(
      [
        [9 + index * 0.1, 2 + index * 0.1],
        [-7, 2],
      ],
      [
        [8, 1],
        [-6 + (index % 3) * 0.1, 1 + (index % 2) * 0.1],
      ],
    ),
  );
  allNear(ratiosOf(blocks), [
    [1.0576923076923077, 0.9940635654438819, 1.100473839411648],
    [2.058823529411765, 1.9621691308323683, 2.2374704861246335],
    [0.5137362637362637, 0.4907380990911302, 0.5310819473906735],
  ]);
});

test('compareEnergy() gives ratios without bounds of fewer than five blocks', () => {
  const found = compareEnergy(FIVE_BLOCKS.slice(1));
  assert.equal(found.reason, '4 blocks, 5 are needed for an interval');
  assert.equal(found.blocks, 4);
  // 24.6 J over 4 blocks of 2 calls, against 12.5 J over 4 blocks of 3; 16.4 s and 6 s.
  near(found.energy.ratio, 24.6 / 8 / (12.5 / 12));
  near(found.time.ratio, 16.4 / 8 / (6 / 12));
  near(found.power.ratio, found.energy.ratio / found.time.ratio);
  for (const { low, high } of [found.energy, found.time, found.power])
    assert.deepEqual([low, high], [Number.NaN, Number.NaN]);
});

const spread = (off: number): number[] => [1 - off, 1 + off, 1 - off, 1 + off, 1];

const reasonOf = (subject: readonly number[], against: readonly number[]): string | undefined =>
  compareEnergy(subject.map((energyJ, index) => blockOf([[energyJ, 1]], [[against[index] as number, 1]]))).reason;

// Of 1 - d, 1 + d, 1 - d, 1 + d and 1 the standard error is d / sqrt(5): a third of the mean at d = 0.745.
test('compareEnergy() bounds a ratio whose energies are above 0 by more than three standard errors', () => {
  assert.equal(reasonOf(spread(0.744), spread(0.744)), undefined);
  assert.equal(reasonOf(spread(0.747), spread(0.1)), "the subject's energy cannot be told from 0");
  assert.equal(reasonOf(spread(0.1), spread(0.747)), 'the energy it is compared with cannot be told from 0');
  assert.equal(reasonOf([0, 0, 0, 0, 0], spread(0.1)), "the subject's energy cannot be told from 0");
});

const refused = (got: string): object => ({
  key: 'ARGUMENT',
  fields: { what: 'blocks', expected: 'calls of both targets in each block', got },
});

test('compareEnergy() refuses blocks in which one target did not run, and names the first', () => {
  const whole = blockOf([[1, 1]], [[1, 1]]);
  const without = [blockOf([[1, 1]], []), blockOf([], [[1, 1]])];
  for (const bare of without) {
    assert.throws(() => compareEnergy([bare, whole]), refused('none of one in block 0'));
    assert.throws(() => compareEnergy([whole, bare, bare]), refused('none of one in block 1'));
  }
  assert.throws(() => compareEnergy([]), refused('no block'));
});
