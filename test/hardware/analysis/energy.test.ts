import assert from 'node:assert/strict';
import { test } from 'node:test';
import { measureBaseline } from '../../../hardware/analysis/baseline.ts';
import { batchWindow, measureWindow, verdictOf } from '../../../hardware/analysis/energy.ts';
import { PowerIntegral } from '../../../hardware/analysis/integral.ts';
import { normalFrom } from '../../../statistics/normal.ts';
import { seededRandom } from '../../../statistics/random.ts';
import type { SampleRule } from '../../../hardware/analysis/trace.ts';
import { energyBetween, sampleCurve, type PowerCurve } from './known-power.ts';

const IDLE_W = 2.5;

/** Blocks of one second of work at 4 W between idle windows of 2 s; boundaries fall at random places of a sample. */
function workload(random: () => number, blocks: number, wanderW = 0): { curve: PowerCurve; work: [number, number][] } {
  const curve: { fromS: number; powerW: number }[] = [{ fromS: 0, powerW: IDLE_W }];
  const work: [number, number][] = [];
  let nowS = 0;
  for (let block = 0; block < blocks; block++) {
    const idleW = IDLE_W + normalFrom(random) * wanderW;
    curve.push({ fromS: nowS, powerW: idleW });
    nowS += 2 + random() * 0.01;
    curve.push({ fromS: nowS, powerW: idleW + 1.5 });
    work.push([nowS, nowS + 1 + random() * 0.01]);
    nowS = (work.at(-1) as [number, number])[1];
  }
  curve.push({ fromS: nowS, powerW: IDLE_W });
  return { curve, work };
}

function idleWindows(work: readonly [number, number][]): { startS: number; endS: number }[] {
  const ends = [0, ...work.map(([, endS]) => endS)];
  return ends.map((endS, index) => ({ startS: endS + 0.1, endS: (work[index]?.[0] ?? endS + 2) - 0.1 }));
}

/** How many of the known net energies lie inside their stated intervals. */
function coverage(
  rule: SampleRule,
  sessions: number,
  noiseW: number,
  jitterS: number,
): { inside: number; all: number } {
  let inside = 0;
  let all = 0;
  for (let seed = 1; seed <= sessions; seed++) {
    const random = seededRandom(seed * 7919);
    const { curve, work } = workload(random, 6);
    const untilS = (work.at(-1) as [number, number])[1] + 2;
    const noise = (): number => normalFrom(random) * noiseW;
    const integral = new PowerIntegral(sampleCurve(curve, { rule, intervalS: 0.01, untilS, noise }));
    const baseline = measureBaseline(integral, idleWindows(work));
    for (const [startS, endS] of work) {
      const window = {
        startS: startS + normalFrom(random) * jitterS,
        endS: endS + normalFrom(random) * jitterS,
        startUncertaintyS: jitterS,
        endUncertaintyS: jitterS,
      };
      const { net } = measureWindow(integral, window, baseline);
      assert.ok(net !== undefined);
      const truthJ = energyBetween(curve, startS, endS) - IDLE_W * (endS - startS);
      all++;
      if (truthJ >= net.lowJ && truthJ <= net.highJ) inside++;
    }
  }
  return { inside, all };
}

// 600 windows that hold with 95 %: 570 +- 5.3; windows of one session share their noise estimate, hence 5 deviations.
for (const [rule, noiseW, jitterS] of [
  ['instant', 0.2, 0],
  ['instant', 0.2, 0.01],
  ['average', 0.3, 0],
  ['average', 0.05, 0.02],
] as const) {
  test(`measureWindow() holds the known net energy in 95 % of its intervals: ${rule}, ${noiseW} W, ${jitterS} s`, () => {
    const { inside, all } = coverage(rule, 100, noiseW, jitterS);
    assert.equal(all, 600);
    assert.ok(inside >= 544 && inside <= 597, `${inside} of ${all}`);
  });
}

test('measureWindow() keeps its promise when idle power wanders from block to block', () => {
  let inside = 0;
  for (let seed = 1; seed <= 60; seed++) {
    const random = seededRandom(seed * 104_729);
    const { curve, work } = workload(random, 8, 0.02);
    const untilS = (work.at(-1) as [number, number])[1] + 2;
    const noise = (): number => normalFrom(random) * 0.02;
    const integral = new PowerIntegral(sampleCurve(curve, { rule: 'instant', intervalS: 0.01, untilS, noise }));
    const baseline = measureBaseline(integral, idleWindows(work));
    assert.ok(baseline.wanderW > 0.002, `wander ${baseline.wanderW}`);
    for (const [startS, endS] of work) {
      const { net } = measureWindow(integral, { startS, endS }, baseline);
      const truthJ = 1.5 * (endS - startS);
      if (net !== undefined && truthJ >= net.lowJ && truthJ <= net.highJ) inside++;
    }
  }
  assert.ok(inside >= 0.9 * 480, `${inside} of 480`);
});

test('measureWindow() keeps negative nets, so that windows without work come to zero on average', () => {
  const random = seededRandom(11);
  const noise = (): number => normalFrom(random) * 0.1;
  const curve = [{ fromS: 0, powerW: IDLE_W }];
  const integral = new PowerIntegral(sampleCurve(curve, { rule: 'instant', intervalS: 0.01, untilS: 210, noise }));
  const baseline = measureBaseline(integral, [
    { startS: 0, endS: 5 },
    { startS: 205, endS: 210 },
  ]);
  let negative = 0;
  let sumJ = 0;
  for (let startS = 5; startS < 205; startS++) {
    const { net, resolvable } = measureWindow(integral, { startS, endS: startS + 0.5 }, baseline);
    assert.equal(resolvable, false);
    sumJ += net?.valueJ ?? Number.NaN;
    if ((net?.valueJ ?? 0) < 0) negative++;
  }
  assert.ok(negative > 50 && negative < 150, `${negative} of 200 negative`);
  assert.ok(Math.abs(sumJ / 200) < 0.01, `mean ${sumJ / 200}`);
});

test('measureWindow() gives no energy where samples are missing, and says so', () => {
  const curve = [{ fromS: 0, powerW: 3 }];
  const lost = [500, 520] as const;
  const drop = (index: number): boolean => index > lost[0] && index < lost[1];
  const integral = new PowerIntegral(sampleCurve(curve, { rule: 'instant', intervalS: 0.01, untilS: 20, drop }));
  const hit = measureWindow(integral, { startS: 4, endS: 7 });
  assert.equal(hit.gross, undefined);
  assert.ok(Math.abs(hit.uncoveredS - 0.2) < 1e-9);
  assert.deepEqual(hit.reasons, [{ code: 'uncovered', text: 'too much of it has no samples' }]);
  assert.ok(Math.abs((measureWindow(integral, { startS: 8, endS: 9 }).gross?.valueJ ?? 0) - 3) < 1e-9);
  assert.throws(() => measureBaseline(integral, [{ startS: 4, endS: 7 }]), { key: 'UNCOVERED' });
  assert.throws(() => measureBaseline(integral, []), { key: 'TRACE_INVALID' });
});

test('verdictOf() leaves a call shorter than the refresh to its batch, and a batch too short to nothing', () => {
  const random = seededRandom(5);
  const curve = [
    { fromS: 0, powerW: IDLE_W },
    { fromS: 60, powerW: 4 },
    { fromS: 120, powerW: IDLE_W },
  ];
  const noise = (): number => normalFrom(random) * 0.05;
  const integral = new PowerIntegral(sampleCurve(curve, { rule: 'average', intervalS: 1, untilS: 180, noise }));
  const baseline = measureBaseline(integral, [
    { startS: 1, endS: 59 },
    { startS: 122, endS: 179 },
  ]);
  const calls = Array.from({ length: 600 }, (_, index) => ({ startS: 60 + index * 0.1, endS: 60.006 + index * 0.1 }));
  const whole = batchWindow(calls);
  assert.ok(whole !== undefined);
  const batch = measureWindow(integral, whole, baseline);
  const call = measureWindow(integral, calls[7] as { startS: number; endS: number }, baseline);
  assert.equal(verdictOf(batch), 'resolvable');
  assert.equal(verdictOf(call, batch), 'batch-only');
  assert.match(call.reasons.map(({ text }) => text).join('; '), /0 samples, 10 are needed; .* 5 refreshes of 1 s/);
  const few = measureWindow(integral, { startS: 60, endS: 63 }, baseline);
  assert.equal(verdictOf(call, few), 'unresolvable');
  assert.equal(batch.synthetic, true);
});

/** Twenty seconds of 2 W, told each second in steps of 0.12 W. */
function steady(rule: SampleRule, refreshS = 1): PowerIntegral {
  const trace = sampleCurve([{ fromS: 0, powerW: 2 }], { rule, intervalS: 1, untilS: 20 });
  return new PowerIntegral({ ...trace, resolution: 0.12, refreshS });
}

const near = (got: number | undefined, expected: number): void =>
  assert.ok(Math.abs((got ?? Number.NaN) - expected) < 1e-9, `expected ${expected}, got ${got}`);

const TEN_SECONDS = { startS: 5, endS: 15 };
/** A rounded value is uniform over its step. */
const ROUNDING_W = 0.12 / Math.sqrt(12);

test('measureWindow() has all of a step in every window, however many samples are rounded to it, and two readings of a counter', () => {
  for (const [rule, refreshS, uncertaintyJ] of [
    ['instant', 1, 10 * ROUNDING_W],
    ['average', 1, 10 * ROUNDING_W],
    // What is shown may be 4 s old: half of that at 2 W besides.
    ['average', 4, Math.hypot(10 * ROUNDING_W, 4)],
    ['average', 0.25, 10 * ROUNDING_W],
    ['counter', 1, 0.12 / Math.sqrt(6)],
  ] as const) {
    const { gross, net, idleW, idleExtrapolated } = measureWindow(steady(rule, refreshS), TEN_SECONDS);
    near(gross?.valueJ, 20);
    near(gross?.uncertaintyJ, uncertaintyJ);
    near(gross?.lowJ, 20 - 1.959964 * uncertaintyJ);
    near(gross?.highJ, 20 + 1.959964 * uncertaintyJ);
    near(gross?.sharedJ, rule === 'counter' ? 0 : 10 * ROUNDING_W);
    assert.deepEqual([net, idleW, idleExtrapolated], [undefined, undefined, false]);
  }
});

test('measureWindow() counts the time of a boundary with the power that it moves, above idle for the net energy', () => {
  const level = { meanW: 1.5, errorW: 0.01, sampleSdW: 0.05, samples: 2, sharedW: 0.03 };
  const baseline = {
    levels: [
      { ...level, startS: 0, endS: 2 },
      { ...level, startS: 18, endS: 20 },
    ],
    noiseW: 0.05,
    wanderW: 0.02,
    sharedW: 0.03,
  };
  const window = { ...TEN_SECONDS, startUncertaintyS: 0.3, endUncertaintyS: 0.4 };
  const { gross, net, idleW } = measureWindow(steady('average'), window, baseline);
  // Noise of ten samples, and what all of them are rounded by.
  const samplesJ2 = 10 * 0.05 ** 2 + (10 * ROUNDING_W) ** 2;
  near(gross?.uncertaintyJ, Math.sqrt(samplesJ2 + (2 * 0.5) ** 2));
  assert.equal(idleW, 1.5);
  near(net?.valueJ, 5);
  // Both levels count half, so their errors come to 0.01 / sqrt(2) W; over 10 s.
  const idleJ2 = 100 * (0.01 ** 2 / 2 + 0.02 ** 2);
  near(net?.uncertaintyJ, Math.sqrt(samplesJ2 + (0.5 * 0.5) ** 2 + idleJ2 + (10 * 0.03) ** 2));
  near(net?.sharedJ, 10 * Math.hypot(ROUNDING_W, 0.03));
  const early = measureWindow(steady('average'), { startS: 0, endS: 1 }, baseline);
  assert.equal(early.idleExtrapolated, true);
});

// Power rises from 0 W to 3 W within the interval that the boundary lies in: the mean of its square is 3 W^2.
test('measureWindow() takes the root mean square of the power about a boundary', () => {
  const trace = sampleCurve([{ fromS: 0, powerW: 0 }], { rule: 'instant', intervalS: 1, untilS: 20 });
  const integral = new PowerIntegral({ ...trace, value: trace.timeS.map((timeS) => (timeS < 5 ? 0 : 3)) });
  const uncertaintyOf = (startUncertaintyS: number): number =>
    measureWindow(integral, { startS: 4.5, endS: 15, startUncertaintyS }).gross?.uncertaintyJ ?? Number.NaN;
  near(Math.sqrt(uncertaintyOf(0.4) ** 2 - uncertaintyOf(0.2) ** 2), Math.sqrt(0.4 ** 2 - 0.2 ** 2) * Math.sqrt(3));
});

test('measureWindow() of windows by the host clock lacks nothing on average, and else says what it may lack', () => {
  const trace = sampleCurve([{ fromS: 0, powerW: 0 }], { rule: 'instant', intervalS: 1, untilS: 20 });
  const integral = new PowerIntegral({ ...trace, value: trace.timeS.map((timeS) => (timeS < 5 ? 0 : 3)) });
  const grossOf = (startUncertaintyS: number): number =>
    measureWindow(integral, { startS: 4.5, endS: 15, startUncertaintyS }).gross?.valueJ ?? Number.NaN;
  // A rise of 3 W within a second hides 3 J / 6.
  near(grossOf(0) - grossOf(1e-9), 0.5);
});

test('measureWindow() takes a load of several powers for no dither where idle showed none', () => {
  const steps = [0, 0.5, 1, 0.5];
  const powerAt = (timeS: number): number => (timeS < 20 ? 2 : 4 + (steps[Math.floor(timeS * 10) % 4] as number));
  const trace = sampleCurve([{ fromS: 0, powerW: 0 }], { rule: 'instant', intervalS: 0.1, untilS: 60 });
  const integral = new PowerIntegral({ ...trace, resolution: 0.5, value: trace.timeS.map(powerAt) });
  const baseline = measureBaseline(integral, [{ startS: 1, endS: 19 }]);
  near(baseline.sharedW, 0.5 / Math.sqrt(12));
  const { gross } = measureWindow(integral, { startS: 25, endS: 45 }, baseline);
  assert.ok((gross?.sharedJ as number) >= 20 * baseline.sharedW - 1e-9, String(gross?.sharedJ));
});

test('measureWindow() has no energy of a window without a length, or with more than a thousandth uncovered', () => {
  const integral = steady('average');
  for (const window of [
    { startS: 5, endS: 5 },
    { startS: 6, endS: 5 },
  ]) {
    const { gross, resolvable, reasons } = measureWindow(integral, window);
    assert.deepEqual([gross, resolvable], [undefined, false]);
    assert.deepEqual(reasons.at(-1), { code: 'uncovered', text: 'too much of it has no samples' });
  }
  near(measureWindow(integral, { startS: 0.25, endS: 20.0195 }).gross?.valueJ, 39.5);
  assert.equal(measureWindow(integral, { startS: 0.25, endS: 20.0205 }).gross, undefined);
});

const reasonsOf = (startS: number, endS: number, refreshS = 1, uncertaintyS = 0): readonly string[] =>
  measureWindow(steady('average', refreshS), { startS, endS, startUncertaintyS: uncertaintyS }).reasons.map(
    ({ text }) => text,
  );

test('measureWindow() says what keeps a window from being resolved: samples, refreshes, uncertainty', () => {
  assert.deepEqual(reasonsOf(5, 15), []);
  assert.deepEqual(reasonsOf(4.5, 14.5), []);
  assert.deepEqual(reasonsOf(4.5, 13.5), ['9 samples, 10 are needed']);
  // Ten times the step: 0.035 W of 2 W; what is shown late is 1 J.
  assert.deepEqual(reasonsOf(5, 15, 1.6), []);
  assert.deepEqual(reasonsOf(5, 15, 2.5), [
    '10 s long, 5 refreshes of 2.5 s are needed',
    'uncertain by 12.6 %, less than 10 % is needed',
  ]);
  // 2 W times 0.98 s of 20 J are 9.8 %, with the steps' 1.7 % just below 10 %; times 2 s 20 %.
  assert.deepEqual(reasonsOf(5, 15, 1, 0.98), []);
  assert.deepEqual(reasonsOf(5, 15, 1, 2), ['uncertain by 20.1 %, less than 10 % is needed']);
});

test('batchWindow() goes from the first start to the last end, with their uncertainties', () => {
  assert.equal(batchWindow([]), undefined);
  const first = { startS: 1, endS: 2, startUncertaintyS: 0.1, endUncertaintyS: 0.2 };
  const last = { startS: 5, endS: 7, startUncertaintyS: 0.3, endUncertaintyS: 0.4 };
  assert.deepEqual(batchWindow([first, last]), { startS: 1, endS: 7, startUncertaintyS: 0.1, endUncertaintyS: 0.4 });
  const bare = { startS: 1, endS: 7, startUncertaintyS: 0, endUncertaintyS: 0 };
  assert.deepEqual(batchWindow([{ startS: 1, endS: 7 }]), bare);
});

// 2 W from 10 s on, 1 W before it; the source shows what happened 2 s ago.
test('measureWindow() takes a steady window of a late source from what it shows once all of it happened in the window', () => {
  const timeS = Float64Array.from({ length: 301 }, (_, index) => index / 10);
  const value = timeS.map((at) => (at >= 12 && at < 24 ? 2.0123 : 1.0123));
  const trace = {
    source: 'late',
    rule: 'instant',
    clock: 'logger',
    synthetic: true,
    timeS,
    value,
    breaks: [],
  } as const;
  const integral = new PowerIntegral({ ...trace, refreshS: 0.1, resolution: 0, lagS: 2 });
  const level = { startS: 0, endS: 8, meanW: 1.0123, errorW: 0, sharedW: 0, sampleSdW: 0, samples: 80 };
  const baseline = { levels: [level], noiseW: 0, wanderW: 0, sharedW: 0 };
  const window = { startS: 10, endS: 22 };
  near(measureWindow(integral, { ...window, steady: true }, baseline).net?.valueJ, 12);
  // By its marks it lacks what is shown after its end, and says that it may.
  const marked = measureWindow(integral, window, baseline).net;
  assert.ok(Math.abs((marked?.valueJ ?? 0) - 10) < 0.2);
  assert.ok((marked?.highJ ?? 0) > 11.5, `${marked?.highJ}`);
  const short = measureWindow(integral, { startS: 10, endS: 19, steady: true }, baseline);
  assert.deepEqual(
    short.reasons.map(({ code }) => code),
    ['slow-response'],
  );
});

test('measureWindow() sees power that varies between its samples, also where idle power does not', () => {
  const timeS = Float64Array.from({ length: 101 }, (_, index) => index / 10);
  const value = timeS.map((_, index) => (index % 2 === 0 ? 1.013 : 3.013));
  const trace = {
    source: 'varied',
    rule: 'instant',
    clock: 'logger',
    synthetic: true,
    timeS,
    value,
    breaks: [],
  } as const;
  const integral = new PowerIntegral({ ...trace, refreshS: 0.1, resolution: 0 });
  // Neighbours differ by 2 W: a deviation of sqrt(2) W; 50 of them over 5 s.
  const { gross } = measureWindow(integral, { startS: 2, endS: 7 });
  const expectedJ = Math.SQRT2 * Math.sqrt(50) * 0.1;
  assert.ok((gross?.uncertaintyJ ?? 0) > expectedJ && (gross?.uncertaintyJ ?? 0) < 1.1 * expectedJ);
});
