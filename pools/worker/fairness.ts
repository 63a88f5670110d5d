/**
 * Which functions may have a thread now. Most have nothing held against them and are never looked at here: only one whose
 * call has ended its thread, or held one for long, has a standing. A call that ends its thread (deadline, abort, a crash)
 * costs every function the start of another; one that holds a thread for long keeps others from it.
 */

import { NebulaError } from '../../host/errors.ts';
import { monotonicNs } from '../../host/monotonic.ts';
import type { PausedFunction } from '../executor.ts';
import { Standing } from './standing.ts';

/** What the pool needs to know of a function. */
interface Named {
  readonly id: string;
  readonly name: string;
}

/** Calls that take longer by and large hold their threads for long: others would notice. */
const SLOW_NS = 10e6;
/** For how long a function counts as slow then: this, or ten times the run. */
const SLOW_FOR_NS = 1e9;
/** A function that was called within this time is there to be considered. */
const ACTIVE_NS = 100e6;
/**
 * Share of the time of all threads that may go into starting new ones in place of those that were ended; beyond that, who
 * ends them waits.
 */
const STARTING_SHARE = 1 / 16;
/** Starts that may be owed before those who end threads wait. */
const FREE_STARTS = 4;
/** Nobody waits for longer than this until threads may be ended again. */
const LONGEST_WAIT_NS = 10e9;
/** How often those that nothing is held against any more are forgotten. */
const SWEEP_NS = 1e9;

/** What fairness needs to know of its pool. */
export interface FairnessOptions {
  /** Threads that may run guests at once. */
  readonly limit: number;
  /** Threads there are or will be soon. */
  threads(): number;
  /** What each thread that is ready runs now: the id of a function, or undefined. */
  running(): Iterable<string | undefined>;
}

/** Says which functions may have a thread now. */
export class Fairness {
  readonly #options: FairnessOptions;
  readonly #standings: Map<string, Standing> = new Map();
  /** Functions no call of which has ended: they may be quick, or may never end. */
  readonly #untried: Set<string> = new Set();
  #sweepNs = 0;
  #pauses = 0;
  /** What starts of threads are owed for, in nanoseconds, and since when it was paid off. */
  #owedNs = 0;
  #owedAtNs = 0;
  #startNs = 0;
  /** The two functions that were called last, when, and when one was that is quick. */
  #lastId = '';
  #lastNs = -Infinity;
  #otherNs = -Infinity;
  #quickNs = -Infinity;
  /** With a single thread: until when a slow function leaves it to others. */
  #gapUntilNs = 0;

  constructor(options: FairnessOptions) {
    this.#options = options;
  }

  /** Takes note of a function that is new. */
  add(id: string): void {
    this.#untried.add(id);
  }

  forget(id: string): void {
    this.#standings.delete(id);
    this.#untried.delete(id);
  }

  /** Whether any function has a standing: without one, no call needs to be told of. */
  get isWatching(): boolean {
    return this.#standings.size > 0;
  }

  /** Pauses so far. */
  get pauses(): number {
    return this.#pauses;
  }

  /** Functions that are paused now. */
  paused(nowNs: number): PausedFunction[] {
    return [...this.#standings.values()]
      .filter((standing) => standing.pausedForNs(nowNs) > 0)
      .map(({ name, endings, pausedUntilNs }) => ({ name, endings, forMs: (pausedUntilNs - nowNs) / 1e6 }));
  }

  /** The refusal of a function that is paused; undefined when it is not. */
  refusal({ id, name }: Named, nowNs: number): NebulaError | undefined {
    const standing = this.#standings.get(id);
    const forNs = standing?.pausedForNs(nowNs) ?? 0;
    if (standing === undefined || forNs === 0) return undefined;
    return new NebulaError('FUNCTION_PAUSED', {
      name,
      endings: standing.endings,
      retryAfterMs: Math.ceil(forNs / 1e6),
    });
  }

  /** Takes note of a call that is made. */
  called(id: string, nowNs: number): void {
    if (nowNs > this.#sweepNs) this.#sweep(nowNs);
    if (id !== this.#lastId) {
      this.#otherNs = this.#lastNs;
      this.#lastId = id;
    }
    this.#lastNs = nowNs;
  }

  /** Whether `mayRun` is to be asked about a function. */
  concerns(id: string): boolean {
    return this.#standings.size > 0 || this.#untried.has(id);
  }

  /** Whether a function with so many calls in flight may have one more. */
  mayRun(id: string, inFlight: number, nowNs: number): boolean {
    const standing = this.#standings.get(id);
    if (standing !== undefined) {
      if (standing.isRisky(nowNs) && (inFlight >= standing.mostInFlight(nowNs) || !this.#maySpend(nowNs))) return false;
      return !standing.isSlow(nowNs) || this.#leavesRoom(id, inFlight, nowNs);
    }
    if (!this.#untried.has(id)) return true;
    return (this.#startsOwedNs(nowNs) === 0 || this.#maySpend(nowNs)) && this.#leavesRoom(id, inFlight, nowNs);
  }

  /** Whether another thread may be put at risk: others have theirs meanwhile, and one is left for them if this one ends. */
  #maySpend(nowNs: number): boolean {
    const { limit } = this.#options;
    if (this.#startsWaitNs(nowNs) > 0) return false;
    let [atRisk, safe] = [0, 0];
    for (const id of this.#options.running()) {
      if (id !== undefined && this.#isRisky(id, nowNs)) atRisk++;
      else safe++;
    }
    return atRisk < Math.max(1, limit >> 1) && safe >= Math.min(2, this.#options.threads());
  }

  #isRisky(id: string, nowNs: number): boolean {
    return this.#untried.has(id) || this.#standings.get(id)?.isRisky(nowNs) === true;
  }

  /** Whether others who call find a thread while a slow function, or one that may be slow, has one more. */
  #leavesRoom(id: string, inFlight: number, nowNs: number): boolean {
    const sinceNs = nowNs - ACTIVE_NS;
    const most = this.#options.limit - 1;
    const areOthersActive = (id === this.#lastId ? this.#otherNs : this.#lastNs) > sinceNs;
    if (most === 0) return !areOthersActive || nowNs >= this.#gapUntilNs;
    if (areOthersActive && inFlight >= most) return false;
    return this.#quickNs <= sinceNs || this.#slowRunning(nowNs) < most;
  }

  #slowRunning(nowNs: number): number {
    let count = 0;
    for (const id of this.#options.running()) {
      if (id !== undefined && (this.#untried.has(id) || this.#standings.get(id)?.isSlow(nowNs) === true)) count++;
    }
    return count;
  }

  /** Nanoseconds after which `mayRun` may answer otherwise without a call having ended. */
  waitNs(nowNs: number): number {
    const startsNs = this.#startsWaitNs(nowNs);
    const gapNs = this.#gapUntilNs - nowNs;
    return startsNs > 0 ? startsNs : gapNs > 0 ? Math.min(gapNs, ACTIVE_NS) : ACTIVE_NS;
  }

  /** Takes note of a call that ended by itself, and of what one of its function takes on average. */
  answered(definition: Named, calledNs: number, runNs: number, averageNs: number): void {
    if (this.#untried.size > 0) this.#untried.delete(definition.id);
    const isSlow = averageNs > SLOW_NS;
    if (!isSlow) {
      this.#quickNs = calledNs;
      if (this.#standings.size === 0) return;
    }
    const nowNs = monotonicNs();
    if (isSlow) this.#held(this.#standingOf(definition, nowNs), runNs, nowNs);
    this.#standings.get(definition.id)?.credit(runNs, nowNs);
  }

  /**
   * Takes note of a call that ended its thread after it held it for so long, where another takes `startNs` to start. True
   * when its function is paused for it.
   */
  ended(definition: Named, heldNs: number, startNs: number, nowNs: number): boolean {
    this.#untried.delete(definition.id);
    const standing = this.#standingOf(definition, nowNs);
    const mostNs = FREE_STARTS * startNs + LONGEST_WAIT_NS * this.#startingShare;
    this.#owedNs = Math.min(mostNs, this.#startsOwedNs(nowNs) + startNs);
    this.#startNs = startNs;
    if (heldNs > SLOW_NS) this.#held(standing, heldNs, nowNs);
    const isPaused = standing.charge(heldNs + startNs, nowNs);
    if (isPaused) this.#pauses++;
    return isPaused;
  }

  #held(standing: Standing, heldNs: number, nowNs: number): void {
    standing.slowUntilNs = Math.max(standing.slowUntilNs, nowNs + Math.max(SLOW_FOR_NS, 10 * heldNs));
    this.#gapUntilNs = nowNs + heldNs;
  }

  /** Nanoseconds until threads may be put at risk again, as far as starts of threads go. */
  #startsWaitNs(nowNs: number): number {
    return Math.max(0, this.#startsOwedNs(nowNs) - FREE_STARTS * this.#startNs) / this.#startingShare;
  }

  get #startingShare(): number {
    return STARTING_SHARE * this.#options.limit;
  }

  #startsOwedNs(nowNs: number): number {
    this.#owedNs = Math.max(0, this.#owedNs - (nowNs - this.#owedAtNs) * this.#startingShare);
    this.#owedAtNs = nowNs;
    return this.#owedNs;
  }

  #standingOf({ id, name }: Named, nowNs: number): Standing {
    let standing = this.#standings.get(id);
    if (standing !== undefined) return standing;
    standing = new Standing(name, nowNs);
    this.#standings.set(id, standing);
    return standing;
  }

  #sweep(nowNs: number): void {
    this.#sweepNs = nowNs + SWEEP_NS;
    for (const [id, standing] of this.#standings) if (standing.isClean(nowNs)) this.#standings.delete(id);
  }
}
