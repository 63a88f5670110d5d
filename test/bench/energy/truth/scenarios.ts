/** The cases in which intervals must hold the truth, or be refused. */

import type { Wave } from './load.ts';
import type { MeterKind } from './meter.ts';

/** One case; a pair of numbers is a range that each run draws from. */
export interface Scenario {
  readonly name: string;
  readonly about: string;
  readonly idleW: readonly [number, number];
  /** Power above idle of the reference's and of the subject's batches. */
  readonly loadsW: readonly [readonly [number, number], readonly [number, number]];
  /** Length of a call of either, in seconds. */
  readonly callsS: readonly [number, number];
  readonly blocks: number;
  readonly batchS: number;
  readonly guardS: number;
  readonly pauseS: number;
  /** How much the power of a batch differs from block to block, as a share of it. */
  readonly blockShare: number;
  readonly wave?: Omit<Wave, 'periodS'> & { readonly periodS: readonly [number, number] | 'call' };
  /** Standard deviation of what idle power does in a second, in W; its drift in W per hour. */
  readonly walkW: number;
  readonly driftWPerHour: number;
  /** Rate of the logger's own clock against the host's, in millionths; undefined where the meter has the host's clock. */
  readonly clockPpm?: readonly [number, number];
  readonly meter: MeterKind;
  /** A refusal is no answer here. */
  readonly mustTell: boolean;
}

const FAST: MeterKind = {
  rule: 'instant',
  pollS: 0.01,
  jitter: 0,
  refreshS: 0,
  meanS: 0,
  lagS: 0,
  smoothS: 0,
  step: 0,
  noiseW: 0.05,
  says: {},
};

const BASE: Scenario = {
  name: 'base',
  about: '100 instants a second with 50 mW of noise, batches of 5 s',
  idleW: [2, 3],
  loadsW: [
    [1, 2],
    [1, 2],
  ],
  callsS: [0.0123, 0.0217],
  blocks: 10,
  batchS: 5,
  guardS: 10,
  pauseS: 0.5,
  blockShare: 0.01,
  walkW: 0,
  driftWPerHour: 0,
  meter: FAST,
  mustTell: true,
};

const SLOW: Partial<Scenario> = { batchS: 30, pauseS: 3, guardS: 30, mustTell: false };
const GUDE: MeterKind = { ...FAST, pollS: 0.2, jitter: 0.1, refreshS: 1, meanS: 0.33, noiseW: 0.02, step: 1 };
const TEN_HZ: MeterKind = { ...FAST, pollS: 0.1, noiseW: 0.02 };
const SQUARE = { shape: 'square', amplitudeW: 2, duty: 0.4 } as const;
const SINE = { shape: 'sine', amplitudeW: 1, duty: 0.5 } as const;

const scenario = (name: string, about: string, given: Partial<Scenario>): Scenario => ({
  ...BASE,
  ...given,
  name,
  about,
});

const gude = (name: string, about: string, given: Partial<Scenario>): Scenario =>
  scenario(name, about, {
    ...SLOW,
    idleW: [2.47, 2.47],
    loadsW: [
      [1.3, 1.3],
      [1.4, 1.4],
    ],
    meter: { ...GUDE, says: { refreshS: 1, resolution: 1 } },
    ...given,
  });

const instants = (name: string, about: string, wave: Scenario['wave'], given: Partial<Scenario> = {}): Scenario =>
  scenario(name, about, { meter: TEN_HZ, mustTell: false, ...(wave === undefined ? {} : { wave }), ...given });

/** Every case, in the order in which they are told. */
export const SCENARIOS: readonly Scenario[] = [
  BASE,
  gude(
    'steps of 1 W',
    'GUDE: steps of 1 W, renewed each second, batches of 30 s; idle 2.47 W, loads of 1.3 and 1.4 W',
    {},
  ),
  gude('steps of 1 W, not declared', 'the same by a meter that says neither step nor refresh', {
    meter: { ...GUDE, says: {} },
  }),
  gude('steps of 1 W, two levels', 'instants in steps of 1 W that only ever show 2 W and 4 W, not declared', {
    meter: { ...GUDE, meanS: 0, says: {} },
  }),
  gude('steps of 1 W, any load', 'the same with idle and loads anywhere', { idleW: [2, 3], loadsW: BASE.loadsW }),
  scenario('steps of 0.1 W', 'steps of 0.1 W and 20 mW of noise', {
    meter: { ...FAST, step: 0.1, noiseW: 0.02, says: { resolution: 0.1 } },
  }),
  scenario('steps of 0.1 W, not declared', 'the same by a meter that does not say it', {
    meter: { ...FAST, step: 0.1, noiseW: 0.02 },
  }),
  scenario('steps of 0.1 W, dithered', 'steps of 0.1 W and 100 mW of noise', {
    meter: { ...FAST, step: 0.1, noiseW: 0.1, says: { resolution: 0.1 } },
  }),
  scenario('refresh of 1 s', 'an instant each second, read ten times a second, batches of 30 s', {
    ...SLOW,
    meter: { ...TEN_HZ, refreshS: 1, says: { refreshS: 1 } },
  }),
  scenario('refresh of 1 s, not declared', 'the same by a meter that does not say it', {
    ...SLOW,
    meter: { ...TEN_HZ, refreshS: 1 },
  }),
  scenario('a value each second', 'an instant each second, read once, batches of 30 s', {
    ...SLOW,
    meter: { ...TEN_HZ, pollS: 1 },
  }),
  scenario('mean of 1 s', 'the mean of the last second, renewed each second, batches of 12 s', {
    ...SLOW,
    batchS: 12,
    pauseS: 1,
    meter: { ...TEN_HZ, pollS: 0.2, refreshS: 1, meanS: 1 },
  }),
  scenario('mean of 1 s, short pauses', 'the same with half a second between batches', {
    ...SLOW,
    batchS: 12,
    pauseS: 0.5,
    meter: { ...TEN_HZ, pollS: 0.2, refreshS: 1, meanS: 1 },
  }),
  scenario('means of 0.5 s', 'a logger that stamps the mean of each half second at its end, batches of 12 s', {
    ...SLOW,
    batchS: 12,
    pauseS: 1,
    meter: { ...TEN_HZ, rule: 'average', pollS: 0.5, meanS: 0.5 },
  }),
  scenario('moving mean of 2 s', 'the mean of the last two seconds at any time, batches of 30 s', {
    ...SLOW,
    meter: { ...TEN_HZ, meanS: 2 },
  }),
  scenario('low-pass of 0.7 s', 'a value follows power with a time constant of 0.7 s, batches of 30 s', {
    ...SLOW,
    meter: { ...TEN_HZ, smoothS: 0.7 },
  }),
  instants(
    'variation in the window',
    '10 instants a second of a load with a period of 0.137 s',
    { ...SQUARE, periodS: 'call' },
    { callsS: [0.137, 0.137] },
  ),
  instants(
    'variation in the window, sine',
    'the same, a sine',
    { ...SINE, periodS: 'call' },
    { callsS: [0.137, 0.137] },
  ),
  scenario(
    'calls that begin with little',
    'the base case with calls of 0.35 s and 0.41 s that begin with a tenth of their power',
    {
      callsS: [0.3533, 0.4137],
      wave: { shape: 'square', amplitudeW: -1, duty: 0.3, periodS: 'call' },
    },
  ),
  instants('beating', '10 instants a second of a load whose period is near theirs', {
    ...SQUARE,
    periodS: [0.0985, 0.1015],
  }),
  instants('beating, sine', 'the same, a sine', { ...SINE, periodS: [0.0985, 0.1015] }),
  instants(
    'locked',
    'a load with exactly the period of the sampling, each call one',
    { ...SQUARE, periodS: 'call' },
    { callsS: [0.1, 0.1] },
  ),
  instants('locked, within calls', 'the same, not the period of the calls', { ...SQUARE, periodS: [0.1, 0.1] }),
  instants('locked, sine', 'a sine with exactly the period of the sampling', { ...SINE, periodS: [0.1, 0.1] }),
  scenario('counter of 36 J', 'a counter in steps of 36 J, read each second, that says no step, batches of 30 s', {
    ...SLOW,
    meter: { ...FAST, rule: 'counter', pollS: 1, step: 36 },
  }),
  scenario('counter of 36 J, long batches', 'the same with batches and guards of 10 minutes', {
    ...SLOW,
    batchS: 600,
    guardS: 600,
    meter: { ...FAST, rule: 'counter', pollS: 1, step: 36 },
  }),
  scenario('counter of 36 J, short batches', 'the same with batches of 5 s and guards of 10 s', {
    mustTell: false,
    meter: { ...FAST, rule: 'counter', pollS: 1, step: 36 },
  }),
  scenario('counter of 36 J, each 10 s', 'the same, told each 10 s, with batches and guards of 2 minutes', {
    ...SLOW,
    batchS: 120,
    guardS: 120,
    meter: { ...FAST, rule: 'counter', pollS: 10, jitter: 0.05, step: 36 },
  }),
  scenario('counter of 1 J', 'a counter in steps of 1 J, read ten times a second, that says no step', {
    ...SLOW,
    meter: { ...FAST, rule: 'counter', pollS: 0.1, step: 1 },
  }),
  scenario('counter of 61 uJ', "a processor's counter in steps of 61 uJ, read each 10 ms", {
    meter: { ...FAST, rule: 'counter', step: 6.1e-5 },
  }),
  scenario('idle walk', 'idle power walks at random by 10 mW in a second', { walkW: 0.01 }),
  scenario('five blocks', 'the base case with five blocks', { blocks: 5 }),
  scenario('drift', 'idle power drifts by 1 W an hour', { driftWPerHour: 1 }),
  scenario('drift of the clock', 'the logger has a clock of its own, up to 200 ppm fast or slow, and sees the pin', {
    clockPpm: [-200, 200],
  }),
];
