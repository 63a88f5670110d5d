/**
 * Which functions may have a thread now. Most have nothing held against them and are never looked at here: only one whose
 * call has ended its thread, was stopped, or held one for long, has a standing. A call that ends its thread (deadline, abort,
 * a crash) costs every function the start of another; one that holds a thread for long keeps others from it; those whose calls
 * keep being stopped would keep it together, however short each is.
 */

import type { NebulaError } from '../../host/errors.ts';
import { monotonicNs } from '../../host/monotonic.ts';
import type { PausedFunction } from '../executor-stats.ts';
import { Finding } from './finding.ts';
import type { Crowd } from './queue.ts';
import type { Standing } from './standing.ts';
import { Standings, type Named } from './standings.ts';
import { StartBudget } from './start-budget.ts';
import { StoppedShare } from './stopped-share.ts';

/** Calls that take longer by and large hold their threads for long: others would notice. */
const SLOW_NS = 10e6;
/** For how long a function counts as slow then: this, or ten times the run. */
const SLOW_FOR_NS = 1e9;
/** The same for one that was stopped: its next call may well use all of its time, too. */
const STOPPED_FOR_NS = 10e9;
/** A function that was called within this time is there to be considered. */
const ACTIVE_NS = 100e6;

/** What fairness needs to know of its pool. */
export interface FairnessOptions {
  /** Threads that may run guests at once. */
  readonly limit: number;
  /** Threads there are or will be soon. */
  threads(): number;
  /** What each thread that is ready runs now: the id of a function, or undefined. */
  running(): Iterable<string | undefined>;
  /** Whether a function waits that is below its concurrency, and of which `test` says yes. */
  someWaiting(test: (id: string, inFlight: number) => boolean): boolean;
  /** As long as it stays the same, the same functions wait, with as many calls in flight. */
  changes(): number;
  /** The clock; `monotonicNs` when left out. */
  readonly nowNs?: () => number;
}

/** Says which functions may have a thread now. */
export class Fairness implements Crowd {
  readonly #options: FairnessOptions;
  readonly #standings: Standings = new Standings();
  /** Functions no call of which has ended: they may be quick, or may never end. */
  readonly #untried: Set<string> = new Set();
  #pauses = 0;
  readonly #starts: StartBudget;
  readonly #stopped: StoppedShare;
  readonly #nowNs: () => number;
  /** The two functions that were called last, when, and when one was that is quick; those that keep being stopped apart. */
  #lastId = '';
  #lastNs = -Infinity;
  #otherNs = -Infinity;
  #quickNs = -Infinity;
  readonly #quickWaiting: Finding = new Finding();
  readonly #othersWaiting: Finding = new Finding();
  /** With a single thread: until when a slow function leaves it to others. */
  #gapUntilNs = 0;

  constructor(options: FairnessOptions) {
    this.#options = options;
    this.#nowNs = options.nowNs ?? monotonicNs;
    this.#starts = new StartBudget(() => options.limit);
    this.#stopped = new StoppedShare({
      get limit() {
        return options.limit;
      },
      running: (nowNs) => this.#countRunning((id) => this.#isStopped(id, nowNs)),
      areOthersActive: (nowNs) => this.#lastNs > nowNs - ACTIVE_NS || this.#areOthersWaiting(nowNs),
    });
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

  /** Whether any function may be kept from a thread for a while: also one that is new. */
  get mayHold(): boolean {
    return this.#standings.size > 0 || this.#untried.size > 0;
  }

  /** Pauses so far. */
  get pauses(): number {
    return this.#pauses;
  }

  /** Functions that are paused now. */
  paused(nowNs: number): PausedFunction[] {
    return this.#standings.paused(nowNs);
  }

  /** The refusal of a function that is paused; undefined when it is not. */
  refusal(definition: Named, nowNs: number): NebulaError | undefined {
    return this.#standings.refusal(definition, nowNs);
  }

  /** Takes note of a call that is made. */
  called(id: string, nowNs: number): void {
    this.#standings.sweep(nowNs);
    if (this.#isStopped(id, nowNs)) return;
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
      if (!this.#mayRisk(standing, inFlight, nowNs)) return false;
      if (standing.isStopped(nowNs)) return this.#mayBeStopped(standing, nowNs);
      return !standing.isSlow(nowNs) || this.#leavesRoom(id, inFlight, nowNs);
    }
    if (!this.#untried.has(id)) return true;
    return (this.#starts.isUnspent(nowNs) || this.#maySpend(nowNs)) && this.#leavesRoom(id, inFlight, nowNs);
  }

  /** Whether a function is one of those that keep being stopped, and none of them may have a thread now. */
  holdsBack(id: string): boolean {
    const nowNs = this.#nowNs();
    return this.#isStopped(id, nowNs) && this.#stopped.isSpent(nowNs);
  }

  /** Whether none of those that keep being stopped may have a thread now. */
  isHeldBack(): boolean {
    return this.#stopped.isSpent(this.#nowNs());
  }

  #mayBeStopped(standing: Standing, nowNs: number): boolean {
    standing.asked(nowNs);
    if (this.#stopped.isSpent(nowNs)) return false;
    return this.#options.limit === 1 || this.#leavesLast(nowNs);
  }

  #isStopped(id: string, nowNs: number): boolean {
    return this.#standings.get(id)?.isStopped(nowNs) === true;
  }

  #areOthersWaiting(nowNs: number): boolean {
    return this.#othersWaiting.isTrue(this.#options.changes(), nowNs, () =>
      this.#options.someWaiting((id) => !this.#isStopped(id, nowNs)),
    );
  }

  #mayRisk(standing: Standing, inFlight: number, nowNs: number): boolean {
    return !standing.isRisky(nowNs) || (inFlight < standing.mostInFlight(nowNs) && this.#maySpend(nowNs));
  }

  /** Whether another thread may be put at risk: others have theirs meanwhile, and one is left for them if this one ends. */
  #maySpend(nowNs: number): boolean {
    const { limit } = this.#options;
    if (this.#starts.waitNs(nowNs) > 0) return false;
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
    return !(areOthersActive && inFlight >= most) && this.#leavesLast(nowNs);
  }

  /** Whether the last thread is left to those whose calls are quick, or none of them would take it. */
  #leavesLast(nowNs: number): boolean {
    if (this.#countRunning((id) => this.#maySlow(id, nowNs)) < this.#options.limit - 1) return true;
    return this.#quickNs <= nowNs - ACTIVE_NS && !this.#isQuickWaiting(nowNs);
  }

  /**
   * Whether a function waits for a thread whose calls are quick: one that gets none is not answered, and would seem to be
   * gone. All are looked at, once for as many slow ones as ask before anything changes.
   */
  #isQuickWaiting(nowNs: number): boolean {
    return this.#quickWaiting.isTrue(this.#options.changes(), nowNs, () =>
      this.#options.someWaiting((id, inFlight) => this.#isQuick(id, inFlight, nowNs)),
    );
  }

  /** Whether the calls of a function are quick, and it may have one more. */
  #isQuick(id: string, inFlight: number, nowNs: number): boolean {
    if (this.#untried.has(id)) return false;
    const standing = this.#standings.get(id);
    if (standing === undefined) return true;
    return !standing.isSlow(nowNs) && !standing.isStopped(nowNs) && this.#mayRisk(standing, inFlight, nowNs);
  }

  /** Whether a call of a function may hold its thread for long. */
  #maySlow(id: string, nowNs: number): boolean {
    if (this.#untried.has(id)) return true;
    const standing = this.#standings.get(id);
    return standing !== undefined && (standing.isSlow(nowNs) || standing.isStopped(nowNs));
  }

  #countRunning(test: (id: string) => boolean): number {
    let count = 0;
    for (const id of this.#options.running()) if (id !== undefined && test(id)) count++;
    return count;
  }

  /** Nanoseconds after which `mayRun` may answer otherwise without a call having ended. */
  waitNs(nowNs: number): number {
    const startsNs = this.#starts.waitNs(nowNs);
    const gapNs = this.#gapUntilNs - nowNs;
    const stoppedNs = this.#stopped.waitNs(nowNs);
    return Math.min(orLong(startsNs), orLong(gapNs), orLong(stoppedNs));
  }

  /** Takes note of a call that ended by itself, and of what one of its function takes on average. */
  answered(definition: Named, calledNs: number, runNs: number, averageNs: number): void {
    if (this.#untried.size > 0) this.#untried.delete(definition.id);
    const isSlow = averageNs > SLOW_NS;
    if (!isSlow) {
      this.#quickNs = calledNs;
      if (this.#standings.size === 0) return;
    }
    const nowNs = this.#nowNs();
    if (isSlow) this.#held(this.#standings.of(definition, nowNs), runNs, nowNs);
    this.#standings.get(definition.id)?.credit(runNs, nowNs);
  }

  /** Takes note of a call that was stopped after so long, and whose thread lives on: it costs others what it held, no start. */
  stopped(definition: Named, heldNs: number): void {
    const nowNs = this.#nowNs();
    const isTried = !this.#untried.delete(definition.id);
    const standing = this.#standings.of(definition, nowNs);
    standing.stopped(heldNs, isTried, nowNs);
    standing.holds(Math.max(STOPPED_FOR_NS, 10 * heldNs), nowNs);
    this.#stopped.charge(heldNs, nowNs);
  }

  /**
   * Takes note of a call that ended its thread after it held it for so long, where another takes `startNs` to start. True
   * when its function is paused for it.
   */
  ended(definition: Named, heldNs: number, startNs: number, nowNs: number): boolean {
    this.#untried.delete(definition.id);
    const standing = this.#standings.of(definition, nowNs);
    this.#starts.spend(startNs, nowNs);
    if (heldNs > SLOW_NS) this.#held(standing, heldNs, nowNs);
    const isPaused = standing.charge(heldNs + startNs, nowNs);
    if (isPaused) this.#pauses++;
    return isPaused;
  }

  #held(standing: Standing, heldNs: number, nowNs: number): void {
    standing.holds(Math.max(SLOW_FOR_NS, 10 * heldNs), nowNs);
    this.#gapUntilNs = nowNs + heldNs;
  }
}

/** A time to wait, of at most the longest after which it is looked again in any case. */
function orLong(waitNs: number): number {
  return waitNs > 0 ? Math.min(waitNs, ACTIVE_NS) : ACTIVE_NS;
}
