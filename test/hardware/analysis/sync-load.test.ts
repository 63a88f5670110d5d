/** Logs without a digital line: where the loads of a session lie in the power alone, against a known truth. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HostEdge, MarkerLog } from '../../../hardware/analysis/edges.ts';
import { PowerIntegral } from '../../../hardware/analysis/integral.ts';
import { hasLoads, loadCode, tieByLoad } from '../../../hardware/analysis/sync-load.ts';
import type { PowerTrace, SampleRule } from '../../../hardware/analysis/trace.ts';
import { normalFrom } from '../../../statistics/normal.ts';
import { seededRandom, type Random } from '../../../statistics/random.ts';

const chips = (which: 'open' | 'close'): number[] =>
  loadCode(which, 1).flatMap(({ highMs, lowMs }) => [
    ...Array<number>(Math.floor(highMs)).fill(1),
    ...Array<number>(Math.floor(lowMs)).fill(-1),
  ]);

test('loadCode() is 31 units that rise first and end low, and no code is like itself elsewhere or like the other', () => {
  const codes = [chips('open'), chips('close')] as const;
  for (const code of codes) {
    assert.equal(code.length, 31);
    assert.deepEqual([code[0], code.at(-1)], [1, -1]);
    for (let shift = 1; shift < 31; shift++) {
      const product = code.reduce((sum, chip, index) => sum + chip * (code[(index + shift) % 31] as number), 0);
      assert.equal(product, -1);
    }
  }
  for (let shift = 0; shift < 31; shift++) {
    const [open, close] = codes;
    const product = open.reduce((sum, chip, index) => sum + chip * (close[(index + shift) % 31] as number), 0);
    assert.ok(Math.abs(product) <= 11, `${product} at ${shift}`);
  }
});

const SESSION_S = 400;

interface Truth {
  readonly unitMs: number;
  readonly intervalS: number;
  readonly rule: SampleRule;
  readonly offsetS: number;
  readonly driftPpm: number;
  readonly noiseW: number;
  readonly riseW: number;
  readonly stepW: number;
}

/** A session with work of random length between its loads, and what a meter with its own clock says of the power. */
function session(truth: Truth, random: Random): { log: MarkerLog; trace: PowerTrace } {
  const edges: HostEdge[] = [];
  const steps: { fromS: number; powerW: number }[] = [{ fromS: -1e9, powerW: 2 }];
  const set = (timeS: number, powerW: number): unknown => steps.push({ fromS: timeS, powerW });
  const burst = (which: 'open' | 'close', fromS: number): number => {
    let nowS = fromS;
    for (const { highMs, lowMs } of loadCode(which, truth.unitMs)) {
      for (const [level, lastsMs] of [
        [1, highMs],
        [0, lowMs],
      ] as const) {
        const atNs = BigInt(Math.round(nowS * 1e9));
        edges.push({ id: which, kind: 'sync', level, beforeNs: atNs, afterNs: atNs + 2000n, written: true });
        set(nowS + 0.001 * random(), 2 + level * truth.riseW);
        nowS += lastsMs / 1e3;
      }
    }
    return nowS;
  };
  let nowS = burst('open', 5000 + random());
  const untilS = nowS + SESSION_S;
  while (nowS < untilS) {
    set(nowS, 2 + truth.riseW * random());
    nowS += 1 + 5 * random();
    set(nowS, 2);
    nowS += 1 + 5 * random();
  }
  const endS = burst('close', nowS) + 10;
  const times: number[] = [];
  const values: number[] = [];
  const toLogS = (timeS: number): number => timeS * (1 + truth.driftPpm * 1e-6) + truth.offsetS;
  let at = 0;
  const meanOver = (fromS: number, toS: number): number => {
    while (at + 1 < steps.length && (steps[at + 1] as { fromS: number }).fromS <= fromS) at++;
    let sum = 0;
    for (let index = at; index < steps.length && (steps[index] as { fromS: number }).fromS < toS; index++) {
      const startS = Math.max(fromS, (steps[index] as { fromS: number }).fromS);
      const stopS = Math.min(toS, steps[index + 1]?.fromS ?? toS);
      sum += (steps[index] as { powerW: number }).powerW * Math.max(0, stopS - startS);
    }
    return sum / (toS - fromS);
  };
  const phaseS = truth.intervalS * random();
  for (let timeS = 4990 + phaseS; timeS < endS; timeS += truth.intervalS) {
    const exact = truth.rule === 'average' ? meanOver(timeS - truth.intervalS, timeS) : meanOver(timeS, timeS + 1e-6);
    const noisy = exact + truth.noiseW * normalFrom(random);
    times.push(toLogS(timeS));
    values.push(truth.stepW === 0 ? noisy : Math.round(noisy / truth.stepW) * truth.stepW);
  }
  const trace = {
    source: 'meter',
    rule: truth.rule,
    clock: 'logger',
    synthetic: true,
    timeS: Float64Array.from(times),
    value: Float64Array.from(values),
    refreshS: truth.intervalS,
    resolution: truth.stepW,
    breaks: [],
  } as const;
  return { log: { edges, synthetic: true, bursts: 'load' }, trace };
}

const BASE: Truth = {
  unitMs: 2000,
  intervalS: 1,
  rule: 'average',
  offsetS: -4321,
  driftPpm: 60,
  noiseW: 0.05,
  riseW: 3,
  stepW: 0,
};

for (const [name, change] of [
  ['1 Hz means', {}],
  ['10 Hz instants', { intervalS: 0.1, rule: 'instant', unitMs: 500 }],
  ['steps of 1 W', { stepW: 1 }],
  ['noise of a fifth of the load', { noiseW: 0.6 }],
  ['a fast logger', { intervalS: 0.01, rule: 'instant', unitMs: 200, driftPpm: -80 }],
] as const satisfies readonly (readonly [string, Partial<Truth>])[]) {
  test(`tieByLoad() finds where a session lies, within what it says of it: ${name}`, () => {
    let held = 0;
    let places = 0;
    const truth: Truth = { ...BASE, ...change };
    for (let seed = 1; seed <= (truth.intervalS < 1 ? 8 : 25); seed++) {
      const { log, trace } = session(truth, seededRandom(seed));
      const { timeline } = tieByLoad(log, new PowerIntegral(trace));
      for (const share of [0.05, 0.5, 0.95]) {
        const hostS = 5080 + share * SESSION_S;
        const { timeS, uncertaintyS } = timeline(BigInt(Math.round(hostS * 1e9)));
        const errorS = timeS - (hostS * (1 + truth.driftPpm * 1e-6) + truth.offsetS);
        places++;
        if (Math.abs(errorS) <= 1.96 * uncertaintyS) held++;
        assert.ok(Math.abs(errorS) < truth.unitMs / 4000, `${errorS} s`);
      }
    }
    assert.ok(held >= 0.9 * places, `${held} of ${places} hold`);
  });
}

test('tieByLoad() refuses a log of another machine, one that lacks an end, and a drift that no crystal has', () => {
  const { log } = session(BASE, seededRandom(1));
  const other = session({ ...BASE, riseW: 0 }, seededRandom(2)).trace;
  assert.throws(() => tieByLoad(log, new PowerIntegral(other)), { key: 'NO_LOAD', message: /sync load/ });
  const { trace } = session(BASE, seededRandom(1));
  const cut = Math.floor(trace.timeS.length / 2);
  const half = { ...trace, timeS: trace.timeS.slice(0, cut), value: trace.value.slice(0, cut) };
  assert.throws(() => tieByLoad(log, new PowerIntegral(half)), { key: 'NO_LOAD' });
  const fast = session({ ...BASE, driftPpm: 5000 }, seededRandom(1));
  assert.throws(() => tieByLoad(fast.log, new PowerIntegral(fast.trace)), { key: 'BAD_FIT', message: /ppm/ });
  assert.equal(hasLoads({ edges: [], synthetic: false }), false);
});

/** A trace of noise about a level, with no load in it. */
function flat(spanS: number, samples: number): PowerTrace {
  const { trace } = session(BASE, seededRandom(1));
  const timeS = Float64Array.from({ length: samples }, (_, index) => (index * spanS) / (samples - 1));
  return { ...trace, timeS, value: timeS.map((_, index) => 2 + (index % 3) / 100) };
}

test('tieByLoad() refuses bursts that no marker writes: of a session that broke off, at one time, too many, too long', () => {
  const { log, trace } = session(BASE, seededRandom(1));
  const integral = new PowerIntegral(trace);
  const opening = log.edges.filter(({ id }) => id === 'open');
  const [first, second] = opening as [HostEdge, HostEdge];
  const with_ = (edges: readonly HostEdge[]): MarkerLog => ({ ...log, edges });
  for (const [edges, message] of [
    [opening, /the sync load close: expected at least 2 edges, got 0/],
    [opening.slice(0, 1), /the sync load open: expected at least 2 edges, got 1/],
    [[first, { ...second, beforeNs: first.beforeNs, afterNs: first.afterNs }], /0\.04 s apart, got 0 s/],
    [[second, first], /apart, got -/],
    [
      [first, second, { ...first, beforeNs: first.beforeNs + 10n ** 18n, afterNs: first.afterNs + 10n ** 18n }],
      /at most 310 times its shortest stretch/,
    ],
    [Array.from({ length: 200_000 }, () => first), /at most 62 edges, got 200000/],
  ] as const) {
    assert.throws(() => tieByLoad(with_(edges), integral), { key: 'EDGES_INVALID', message });
  }
});

test('tieByLoad() tries the places of a long log, and refuses one of more than it can try', () => {
  const { log } = session({ ...BASE, unitMs: 50 }, seededRandom(1));
  // More places than arguments fit on the stack.
  assert.throws(() => tieByLoad(log, new PowerIntegral(flat(2000, 4000))), { key: 'NO_LOAD' });
  const long = new PowerIntegral(flat(50_000, 3));
  assert.throws(() => tieByLoad(log, long), { key: 'TRACE_INVALID', message: /at most 4194304 places/ });
  assert.throws(() => tieByLoad(log, new PowerIntegral(flat(0.5, 10))), { key: 'NO_LOAD' });
});
