/** A power trace: what a logger or meter said, in order, with what must be known to integrate it. Pure data. */

import { HardwareError } from '../instrument/errors.ts';
import type { HostIdentity } from '../instrument/host.ts';
import { median } from '../../statistics/quantiles.ts';

/**
 * What a value stands for: `instant` the power at its time, `average` the mean power since the value before it,
 * `counter` the energy since some start.
 */
export type SampleRule = 'instant' | 'average' | 'counter';

/** Whose clock the times are of. */
export type TraceClock = 'logger' | 'host-monotonic' | 'host-realtime';

/** A recording of power, from whatever recorded it. */
export interface PowerTrace {
  readonly source: string;
  readonly rule: SampleRule;
  readonly clock: TraceClock;
  /** Whose monotonic clock it is; undefined where the recording does not say. */
  readonly host?: HostIdentity;
  /** True when no power was measured: made for tests, and stamped through everything that follows from it. */
  readonly synthetic: boolean;
  /** Rising times in seconds. */
  readonly timeS: Float64Array;
  /** W, or J where the rule is `counter`. */
  readonly value: Float64Array;
  /** Time after which the source has a new value, in seconds: longer than the sampling interval when values repeat. */
  readonly refreshS: number;
  /** Smallest step of a value, in W or J; 0 when not known. */
  readonly resolution: number;
  /** Longest time that a change of power needs to be all in a value, beyond the refresh, in seconds; undefined: not known. */
  readonly lagS?: number;
  /** A longer interval is a gap, in seconds; default one and a half median intervals. Polls that come late lose nothing. */
  readonly gapS?: number;
  /** Indexes after which values are missing or a counter was reset: nothing is said about the time to the next one. */
  readonly breaks: readonly number[];
}

/** The median time between neighbours, in seconds; NaN for fewer than two samples. */
export function medianIntervalS(timeS: Float64Array): number {
  const intervals = new Float64Array(Math.max(0, timeS.length - 1));
  for (let index = 0; index < intervals.length; index++) {
    intervals[index] = (timeS[index + 1] as number) - (timeS[index] as number);
  }
  return median(intervals.sort());
}

/**
 * Passes a trace that can be integrated.
 * @throws HardwareError TRACE_INVALID for fewer than two samples, times that do not rise, values that are no numbers
 */
export function requireTrace(trace: PowerTrace): PowerTrace {
  const { source, timeS, value } = trace;
  const refuse = (expected: string, got: string | number): never => {
    throw new HardwareError('TRACE_INVALID', { source, expected, got });
  };
  if (timeS.length < 2) refuse('at least two samples', timeS.length);
  if (timeS.length !== value.length) refuse(`${timeS.length} values`, value.length);
  for (let index = 0; index < timeS.length; index++) {
    const now = timeS[index] as number;
    if (!Number.isFinite(now)) refuse('times in seconds', now);
    if (!Number.isFinite(value[index])) refuse('values that are numbers', `${value[index]} at ${now} s`);
    if (index > 0 && !(now > (timeS[index - 1] as number))) {
      refuse('rising times', `${now} s after ${timeS[index - 1]} s`);
    }
  }
  return trace;
}

/** A counter's readings made to rise on. */
export interface UnwrappedCounter {
  readonly value: Float64Array;
  readonly wraps: number;
  /** Indexes after which the counter fell although it cannot wrap there: how much was lost is not known. */
  readonly resets: readonly number[];
}

/**
 * Adds the range at each wrap. A fall is a wrap only where the range is known and the reading before lies in its upper
 * and the reading after in its lower half; anything else is a reset.
 * @param range what the counter counts to before it starts at 0 again; undefined when it never does
 */
export function unwrapCounter(readings: ArrayLike<number>, range?: number): UnwrappedCounter {
  const value = new Float64Array(readings.length);
  const resets: number[] = [];
  let wraps = 0;
  let addend = 0;
  for (let index = 0; index < readings.length; index++) {
    const now = readings[index] as number;
    const last = index === 0 ? now : (readings[index - 1] as number);
    if (now < last) {
      if (range !== undefined && last >= range / 2 && now < range / 2) {
        addend += range;
        wraps++;
      } else {
        resets.push(index - 1);
        addend += last - now;
      }
    }
    value[index] = now + addend;
  }
  return { value, wraps, resets };
}
