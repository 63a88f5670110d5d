/** What a Nebula counts. Types only: no wire has them but as metrics. */

import type { NebulaError } from '../../host/errors.ts';
import type { Outcome } from '../../host/outcome.ts';
import type { ExecutorStats } from '../../pools/executor-stats.ts';

/** Times of a phase, in microseconds. */
export interface LatencySummary {
  /** Calls that the phase took any time of. */
  readonly count: number;
  readonly p50Us: number;
  readonly p90Us: number;
  readonly p99Us: number;
  readonly maxUs: number;
  readonly meanUs: number;
}

/** What the calls of one function came to since it was first deployed. */
export interface FunctionStats {
  readonly name: string;
  /** Invocations by how they ended; `failed` are those Nebula could not carry out. */
  readonly outcomes: Readonly<Record<Outcome['kind'] | 'failed', number>>;
  /** What its calls have used of what is counted: units, and nanoseconds of processor time. */
  readonly used: { readonly units: number; readonly cpuNs: number };
  /** Per phase, and `total`. */
  readonly latency: Readonly<Record<string, LatencySummary>>;
}

/** A function of the store that could not be brought back; deploy, roll back or undeploy it. */
export interface UnavailableFunction {
  readonly name: string;
  /** Why it cannot. */
  readonly error: NebulaError;
}

/** What `stats()` tells. */
export interface NebulaStats {
  /** Functions that are deployed. */
  readonly functions: readonly FunctionStats[];
  /** Absent means none. */
  readonly unavailable?: readonly UnavailableFunction[];
  /** What runs functions, all runtimes together. */
  readonly executor: ExecutorStats;
  /** Records of the log. */
  readonly log?: LogStats;
  /** Present when there are markers. */
  readonly markers?: MarkerStats;
}

/** How much was logged. */
export interface LogStats {
  readonly records: number;
  /** Calls of `onLog` that threw. */
  readonly failures: number;
  /** The message of the first of them. */
  readonly firstFailure?: string;
}

/** What marking came to, and what it cost. */
export interface MarkerStats {
  /** Windows that were opened and closed. */
  readonly windows: number;
  /** Calls that were marked. */
  readonly calls: number;
  /** Windows in which more than one call ran. */
  readonly batches: number;
  /** Calls of `start` and `end` that threw. The calls they were for went on. */
  readonly failures: number;
  /** The message of the first of them. */
  readonly firstFailure?: string;
  /** Time in `start` and `end`, each taken by itself, in nanoseconds; the quantiles are those of the latest 4,096. */
  readonly cost: { readonly count: number; readonly p50Ns: number; readonly p99Ns: number; readonly maxNs: number };
}
