/**
 * Gates: what must hold of the machine and the recording before and after a session for its result to count. Pure
 * functions over two readings. A gate that fails stamps the result; one that cannot be read is said to be unchecked.
 */

import type { CpuTicks, MachineReading } from './machine.ts';

/** What is looked at before and after a session. */
export type GateName =
  | 'governor'
  | 'frequency'
  | 'throttling'
  | 'temperature'
  | 'load'
  | 'time'
  | 'steal'
  | 'lost-samples';

/** One gate as it was met or not; null where the machine does not say. */
export interface Gate {
  readonly name: GateName;
  readonly before: string;
  readonly after: string;
  readonly expected: string;
  readonly met: boolean | null;
}

/** What is let through. */
export interface GateLimits {
  /** Governors that keep the clock. */
  readonly governors: readonly string[];
  /** Greatest change of a CPU's clock. */
  readonly frequencyShare: number;
  readonly temperatureC: number;
  /** Greatest change of temperature, in degrees. */
  readonly temperatureChangeC: number;
  /** Share of all CPUs that may be busy while nothing is measured. */
  readonly busyShare: number;
  /** Greatest change of the clock's rate, in millionths, and the greatest step of the wall clock, in seconds. */
  readonly rateChangePpm: number;
  readonly stepS: number;
  /** Share of the CPUs' time that the machine below may take. */
  readonly stealShare: number;
  readonly lostShare: number;
}

/** What must hold unless a caller says otherwise. */
const DEFAULT_GATE_LIMITS: GateLimits = {
  governors: ['performance', 'userspace'],
  frequencyShare: 0.02,
  temperatureC: 75,
  temperatureChangeC: 10,
  busyShare: 0.05,
  rateChangePpm: 1,
  stepS: 0.01,
  // What is taken lengthens calls by as much: a hundredth is less than intervals of time tell apart.
  stealShare: 0.01,
  lostShare: 0.001,
};

/** What of the session is not in the machine's readings. */
export interface SessionFacts {
  /** Share of the samples, or of the time, that the recording lacks; undefined when there was none. */
  readonly lostShare?: number;
}

const UNKNOWN = 'not readable';

type Check = (before: MachineReading, after: MachineReading, limits: GateLimits, session: SessionFacts) => Gate;

function gate(name: GateName, expected: string, sides: readonly [string, string], met: boolean | null): Gate {
  return { name, before: sides[0], after: sides[1], expected, met };
}

/** Both sides as text, and whether they are met; null when a side does not say it. */
function sidesOf<Value>(
  values: readonly [Value | undefined, Value | undefined],
  show: (value: Value) => string,
  met: (before: Value, after: Value) => boolean,
): readonly [readonly [string, string], boolean | null] {
  const [before, after] = values;
  const shown = (value: Value | undefined): string => (value === undefined ? UNKNOWN : show(value));
  const sides = [shown(before), shown(after)] as const;
  return [sides, before === undefined || after === undefined ? null : met(before, after)];
}

function percent(share: number): string {
  return `${Number((100 * share).toPrecision(3))} %`;
}

const governor: Check = (before, after, { governors }) => {
  const [sides, met] = sidesOf(
    [before.governors, after.governors],
    (names) => [...new Set(names)].join(', '),
    (...both) => both.every((names) => new Set(names).size === 1 && governors.includes(names[0] as string)),
  );
  return gate('governor', `one of ${governors.join(', ')} on all CPUs`, sides, met);
};

const frequency: Check = (before, after, { frequencyShare }) => {
  const [sides, met] = sidesOf(
    [before.frequencyKhz, after.frequencyKhz],
    (all) => `${Math.min(...all) / 1e3} to ${Math.max(...all) / 1e3} MHz`,
    (from, to) => {
      const changes = from.map((khz, cpu) => Math.abs((to[cpu] ?? Number.NaN) / khz - 1));
      return from.length === to.length && changes.every((change) => change <= frequencyShare);
    },
  );
  return gate('frequency', `each CPU within ${percent(frequencyShare)} of before`, sides, met);
};

interface Throttling {
  readonly bits: number;
  readonly count: number;
  readonly alarm: boolean;
}

function throttlingOf({ throttledBits, throttleCount, underVoltage }: MachineReading): Throttling | undefined {
  if (throttledBits === undefined && throttleCount === undefined && underVoltage === undefined) return undefined;
  return { bits: throttledBits ?? 0, count: throttleCount ?? 0, alarm: underVoltage ?? false };
}

const throttling: Check = (before, after) => {
  const [sides, met] = sidesOf(
    [throttlingOf(before), throttlingOf(after)],
    ({ bits, count, alarm }) => `0x${bits.toString(16)}, ${count} times${alarm ? ', under-voltage' : ''}`,
    (from, to) => from.bits === 0 && to.bits === 0 && from.count === to.count && !from.alarm && !to.alarm,
  );
  return gate('throttling', '0x0 before and after, not one time more, no under-voltage', sides, met);
};

const temperature: Check = (before, after, { temperatureC, temperatureChangeC }) => {
  const [sides, met] = sidesOf(
    [before.temperatureC, after.temperatureC],
    (celsius) => `${celsius.toFixed(1)} C`,
    (from, to) => Math.max(from, to) <= temperatureC && Math.abs(to - from) <= temperatureChangeC,
  );
  return gate('temperature', `at most ${temperatureC} C, within ${temperatureChangeC} C of before`, sides, met);
};

const load: Check = (before, after, { busyShare }) => {
  const [sides, met] = sidesOf(
    [before.busyShare, after.busyShare],
    percent,
    (from, to) => Math.max(from, to) <= busyShare,
  );
  return gate('load', `at most ${percent(busyShare)} of all CPUs while nothing is measured`, sides, met);
};

const time: Check = (before, after, { rateChangePpm, stepS }) => {
  // Slewing moves both clocks alike; only a step moves the wall clock against the monotonic one.
  const steppedS = after.wallS - before.wallS - (after.monotonicS - before.monotonicS);
  const isStepped = Math.abs(steppedS) > stepS;
  const [sides, met] = sidesOf(
    [before.correction, after.correction],
    ({ frequencyPpm, offsetS, isSteered }) =>
      `${frequencyPpm.toFixed(3)} ppm, ${(offsetS * 1e3).toFixed(3)} ms to slew, ${isSteered ? '' : 'not '}steered`,
    (from, to) => Math.abs(to.frequencyPpm - from.frequencyPpm) <= rateChangePpm,
  );
  const stepped = `${sides[1]}; stepped by ${(steppedS * 1e3).toFixed(1)} ms`;
  const expected = `rate within ${rateChangePpm} ppm of before, no step above ${stepS * 1e3} ms`;
  return gate('time', expected, [sides[0], isStepped ? stepped : sides[1]], isStepped ? false : met);
};

const takenOf = (from: CpuTicks, to: CpuTicks): number => (to.steal - from.steal) / Math.max(1, to.all - from.all);

const steal: Check = (before, after, { stealShare }) => {
  const [sides, met] = sidesOf(
    [before.ticks, after.ticks],
    ({ steal: ticks }) => `${ticks} ticks`,
    (from, to) => takenOf(from, to) <= stealShare,
  );
  const { ticks: from } = before;
  const { ticks: to } = after;
  const taken = from === undefined || to === undefined ? '' : `, ${percent(takenOf(from, to))} of the session`;
  const expected = `at most ${percent(stealShare)} of the session taken by the machine below`;
  return gate('steal', expected, [sides[0], `${sides[1]}${taken}`], met);
};

const lostSamples: Check = (_, __, limits, { lostShare }) => {
  const after = lostShare === undefined ? UNKNOWN : percent(lostShare);
  const met = lostShare === undefined ? null : lostShare <= limits.lostShare;
  return gate('lost-samples', `at most ${percent(limits.lostShare)}`, ['-', after], met);
};

const CHECKS: readonly Check[] = [governor, frequency, throttling, temperature, load, time, steal, lostSamples];

/** What the gates come to: the stamp of a result. */
export interface GateStamp {
  readonly gates: readonly Gate[];
  /** False when a gate failed, forced or not. */
  readonly valid: boolean;
  /** True for a result that was kept although a gate failed. */
  readonly forced: boolean;
  readonly failed: readonly GateName[];
  /** Gates that the machine gave no reading for: nothing is known of them. */
  readonly unchecked: readonly GateName[];
}

/** Each gate that failed with what was found and what is let through, as one text. */
export function failuresOf({ gates }: GateStamp): string {
  return gates
    .filter(({ met }) => met === false)
    .map(({ name, after, expected }) => `${name} (${after}; expected ${expected})`)
    .join(', ');
}

/** What keeps a result whose gates failed. */
export const FORCE_HINT =
  '--force keeps it, stamped; for a run that was measured: nebula bench energy --replay DIR --force';

/**
 * Holds two readings against the limits.
 * @param options `force` keeps a result whose gates failed; the stamp says so
 */
export function evaluateGates(
  before: MachineReading,
  after: MachineReading,
  session: SessionFacts = {},
  options: { readonly limits?: Partial<GateLimits>; readonly force?: boolean } = {},
): GateStamp {
  const limits = { ...DEFAULT_GATE_LIMITS, ...options.limits };
  const gates = CHECKS.map((check) => check(before, after, limits, session));
  const namesWhere = (met: boolean | null): GateName[] =>
    gates.filter((each) => each.met === met).map(({ name }) => name);
  const failed = namesWhere(false);
  const valid = failed.length === 0;
  return { gates, valid, forced: !valid && options.force === true, failed, unchecked: namesWhere(null) };
}
