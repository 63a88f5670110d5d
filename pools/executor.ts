/** The one interface behind which guests run: in this thread, on worker threads, in containers, as processes. */

import { noOutput } from '../host/bytes.ts';
import type { FunctionDefinition } from '../host/definition/definition.ts';
import { NO_USAGE, type Ending, type Invocation, type Outcome } from '../host/outcome.ts';
import { NO_PHASES } from '../host/phases.ts';
import type { Recorded } from '../host/wasi/session/run-reader.ts';
import type { DeployReport } from './deploy-report.ts';
import type { ExecutorStats } from './executor-stats.ts';

export type { DeployReport, ExecutorStats };

type Counts = Omit<ExecutorStats, 'paused' | 'pauses'>;

/** The stats of an executor that has nothing and has done nothing. */
export const NO_STATS: Counts = {
  running: 0,
  suspended: 0,
  waiting: 0,
  units: 0,
  unitsReplaced: 0,
  stops: 0,
  restores: 0,
  restoresNs: 0,
  memories: 0,
  memoriesLimit: 0,
};

/** What two executors do and have done, together. Only one of them may pause functions. */
export function addStats(left: ExecutorStats, right: ExecutorStats): ExecutorStats {
  const names = Object.keys(NO_STATS) as (keyof Counts)[];
  const sums = Object.fromEntries(names.map((name) => [name, left[name] + right[name]])) as unknown as Counts;
  return { ...left, ...right, ...sums };
}

/** Is told the id of a version a call of which had to be stopped together with its thread. */
export type ThreadLossListener = (id: string) => void;

/** Calls in one instance. */
export interface ExecutorSession {
  /** As `Executor.invoke`; after a call that did not return there is no instance any more. @throws NebulaError SESSION_ENDED too */
  invoke(invocation: Invocation, signal?: AbortSignal): Promise<Outcome>;
  /** Ends it, after a call under way or `drainMs`, 0 when left out. */
  close(drainMs?: number): Promise<void>;
}

/** An executor of functions that are defined by `Definition`. */
export interface Executor<Definition = FunctionDefinition> {
  readonly kind: 'in-thread' | 'worker' | 'container' | 'process';

  /**
   * Initialises the function, takes its snapshot and chooses how to restore it.
   * @throws NebulaError INIT_FAILED, INIT_NONDETERMINISTIC, SNAPSHOT_*, MOUNT_UNAVAILABLE, CLOSED
   */
  deploy(definition: Definition): Promise<DeployReport>;

  /**
   * Runs the function once. What the guest does is in the Outcome; it rejects only for what Nebula could not do.
   * An aborted signal gives an `aborted` outcome, whether the invocation was waiting or running.
   * @throws NebulaError QUEUE_FULL, FUNCTION_PAUSED, CLOSED, WORKER_LOST, ADDRESS_SPACE, SNAPSHOT_DIVERGED
   */
  invoke(definition: Definition, invocation: Invocation, signal?: AbortSignal): Promise<Outcome>;

  /**
   * As `invoke`, of an executor whose guests run in the caller's thread: the outcome itself once the guest has run, a
   * promise of it when the call has to wait first.
   * @throws what `invoke` rejects with
   */
  invokeHere?(definition: Definition, invocation: Invocation, signal?: AbortSignal): Outcome | Promise<Outcome>;

  /**
   * Opens a session of a version: its calls have one instance, whose state stays from call to call, and to which nobody else
   * comes. They must be made one after the other.
   * @throws NebulaError FUNCTION_NOT_FOUND, FUNCTION_PAUSED, CLOSED
   */
  openSession?(definition: Definition): ExecutorSession;

  /** Forgets a version. Calls in flight or waiting finish first; its micro-VMs are dropped as they fall idle. */
  undeploy(id: string): Promise<void>;

  /** Has `listener` told of each version a call of which had to be stopped together with its thread. */
  watch?(listener: ThreadLossListener): void;

  stats(): ExecutorStats;

  /** Lets calls in flight finish for at most `drainMs`, then stops; nothing is left open. */
  close(drainMs: number): Promise<void>;
}

/** Whether a guest was stopped, and not ended by what it did itself. */
export function isStopped(ending: Ending): boolean {
  const { kind } = ending;
  if (kind === 'limit') return ending.limit === 'cpuMs' || ending.limit === 'units';
  return kind === 'timeout' || kind === 'aborted';
}

/** What is known of a guest that never ran. */
const nothing = (): Recorded => ({ stdout: noOutput(), stderr: noOutput(), usage: NO_USAGE });

/** The outcome of an invocation whose guest did not answer: it never ran, or its unit was stopped. */
export function unansweredOutcome(
  ending: Ending,
  queueNs: number,
  runNs: number,
  recorded: Recorded = nothing(),
): Outcome {
  const phases = { ...NO_PHASES, queue: queueNs, run: runNs };
  return { ...ending, ...recorded, start: 'ready', phases };
}

export function abortedOutcome(): Outcome {
  return unansweredOutcome({ kind: 'aborted' }, 0, 0);
}
