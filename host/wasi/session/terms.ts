/** On what terms one call of a guest with a budget runs: until when, and who may stop it before. */

import type { RunRecord } from './run-record.ts';
import type { StopCell } from './stop-cell.ts';

/** The terms of one run. */
export interface Terms {
  /** When its time is up, on the clock of `monotonicNs`; Infinity is never. */
  readonly deadlineNs: number;
  /** Which time that is, in milliseconds: the one that its caller gave, or its function's limit. */
  readonly timeoutMs: number;
  /** Whether `limits.units` and `limits.cpuMs` hold: of calls they do, of an initialisation they do not. */
  readonly isCall: boolean;
  /** Where another thread stops it; until it is suspended, where it may be. */
  readonly stop?: StopCell | undefined;
  /** Where another thread stops it that was suspended once. */
  readonly record?: Pick<RunRecord, 'told'> | undefined;
}

/** What is left to a run that begins when its caller's time is up, in nanoseconds: as in pools/deadline.ts. */
const NO_TIME_NS = 1e6;

/**
 * The terms of a call: the time that its caller gave runs from the call on, the limit of its function from the run's start.
 * @param askedMs the time that the caller gave; none when left out or 0
 * @param limitMs the function's limit; 0 is none
 */
export function callTerms(
  times: { readonly askedMs: number | undefined; readonly limitMs: number },
  calledNs: number,
  startedNs: number,
  stop?: StopCell,
): Terms {
  const { askedMs = 0, limitMs } = times;
  const limitNs = limitMs > 0 ? startedNs + limitMs * 1e6 : Infinity;
  const askedNs = askedMs > 0 ? Math.max(calledNs + askedMs * 1e6, startedNs + NO_TIME_NS) : Infinity;
  const isAsked = askedNs < limitNs;
  const deadlineNs = isAsked ? askedNs : limitNs;
  return { deadlineNs, timeoutMs: isAsked ? askedMs : limitMs, isCall: true, stop };
}

/** The terms of code that runs outside of calls for at most `timeoutMs` from now on; 0 is without end. */
export function initialTerms(timeoutMs: number, startedNs: number): Terms {
  const deadlineNs = timeoutMs > 0 ? startedNs + timeoutMs * 1e6 : Infinity;
  return { deadlineNs, timeoutMs, isCall: false };
}
