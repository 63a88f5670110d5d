/**
 * The one seam through which calls are observed. Statistics and markers are observers; what else is to see calls implements
 * `Observer` and is named in observer-table.ts.
 */

import type { Invocation, Outcome } from '../../host/outcome.ts';
import type { NebulaStats } from '../schema/stats.ts';

/** The version of a function that a call is answered by, and who observes its calls. */
export interface ObservedFunction {
  readonly name: string;
  readonly version: number;
  /** The last is told of a start last and of its end first: its window is the narrowest. */
  readonly observers: readonly Observer[];
}

/**
 * One call of a function that its executor is asked to carry out. From `start` to `end` or `fail` it is this very object,
 * which may be the key of what an observer keeps; from then on it may stand for another call.
 */
export interface Call {
  readonly function: ObservedFunction;
  readonly invocation: Invocation;
}

/**
 * Is told of every call on the thread of whoever called `createNebula`: once of its start, and once of how it came out. It is
 * on the path of every call and must not throw.
 */
export interface Observer {
  /** Right before the executor is asked. */
  start(call: Call): void;
  /** The call has its outcome. Of a guest that runs in this thread that is before the caller has it. */
  end(call: Call, outcome: Outcome): void;
  /** Nebula could not carry the call out, and its caller gets this error. */
  fail(call: Call, error: unknown): void;
  /** What it adds to `stats()`. */
  stats?(): Partial<NebulaStats>;
}
