/**
 * What one function has cost its neighbours of late, as a debt of thread time: each call that ends its thread adds how long
 * it held the thread and what another thread takes to start. Debt is paid off by time, and by calls that end by themselves.
 */

/** Endings, at the price of the dearest of late, that a function may owe before it is paused. */
export const FREE_ENDINGS = 4;
/** Share of a thread's time that may go into endings for good: as much debt is paid off as time goes by. */
const PAID_SHARE = 1 / 10;
/** A first pause takes as long as the ending did, each further one twice as long, up to this. */
const LONGEST_PAUSE_NS = 60e9;
/** For how long it is remembered that the latest call ended its thread, if none has ended by itself since. */
const REMEMBERED_NS = 600e9;
/** For how long stopped calls are remembered of a function that wants no thread meanwhile. */
const STOPS_REMEMBERED_NS = 60e9;
/** Stopped calls, at the price of the dearest, that a function may have paid for in advance. */
const STOPS_AHEAD = 4;

/** How one function stands. */
export class Standing {
  readonly name: string;
  /** Calls that ended their threads so far. */
  endings = 0;
  /** When it may run again, on the clock of `monotonicNs`. */
  pausedUntilNs = 0;
  /** Until when it counts as a function whose calls hold a thread for long. */
  #slowUntilNs = 0;
  #debtNs = 0;
  /** Cost of the dearest ending of late. */
  #costNs = 0;
  #paidNs = 0;
  /** Until when it is held against it that its latest call ended its thread. */
  #doubtedUntilNs = 0;
  /** Endings and pauses since it owed nothing. */
  #owed = 0;
  #pauses = 0;
  /** Time of stopped calls that those which ended by themselves have not made up for, and the dearest of the stopped. */
  #stoppedNs = 0;
  #dearestStopNs = 0;
  #stopsUntilNs = 0;

  constructor(name: string, nowNs: number) {
    this.name = name;
    this.#paidNs = nowNs;
  }

  /** Adds a call that ended its thread; true when the function is paused for it. */
  charge(costNs: number, nowNs: number): boolean {
    this.#pay(0, nowNs);
    this.endings++;
    this.#owed++;
    this.#doubtedUntilNs = nowNs + REMEMBERED_NS;
    this.#costNs = Math.max(costNs, this.#costNs / 2);
    this.#debtNs += costNs;
    const allowedNs = FREE_ENDINGS * this.#costNs;
    // A dear ending before cheap ones is still one. Calls that were in flight together end together.
    const isFree = this.#owed <= FREE_ENDINGS || this.#debtNs <= allowedNs;
    if (isFree || nowNs < this.pausedUntilNs) return false;
    this.#debtNs = allowedNs;
    this.pausedUntilNs = nowNs + Math.min(LONGEST_PAUSE_NS, this.#costNs * 2 ** this.#pauses);
    this.#pauses++;
    return true;
  }

  /** Takes note of a call that ended by itself. */
  credit(runNs: number, nowNs: number): void {
    this.#doubtedUntilNs = 0;
    this.#pay(runNs, nowNs);
    this.#stoppedNs = Math.max(-STOPS_AHEAD * this.#dearestStopNs, this.#stoppedNs - runNs);
  }

  /** Takes note of a call that was stopped without its thread. The first one of a function that has answered before is free. */
  stopped(heldNs: number, isTried: boolean, nowNs: number): void {
    this.#doubtedUntilNs = 0;
    if (!isTried || this.#dearestStopNs > 0) this.#stoppedNs += heldNs;
    this.#dearestStopNs = Math.max(this.#dearestStopNs, heldNs);
    this.#stopsUntilNs = nowNs + STOPS_REMEMBERED_NS;
  }

  /** Takes note that it wants a thread. */
  asked(nowNs: number): void {
    this.#stopsUntilNs = nowNs + STOPS_REMEMBERED_NS;
  }

  /** Whether its calls keep being stopped: for longer than others of it ran that ended by themselves. */
  isStopped(nowNs: number): boolean {
    return this.#stoppedNs > 0 && nowNs < this.#stopsUntilNs;
  }

  /** It counts as slow for so long from now on. */
  holds(forNs: number, nowNs: number): void {
    this.#slowUntilNs = Math.max(this.#slowUntilNs, nowNs + forNs);
  }

  /** Nanoseconds for which it is paused from now on; 0 when it is not. */
  pausedForNs(nowNs: number): number {
    return Math.max(0, this.pausedUntilNs - nowNs);
  }

  /** Calls it may have in flight: any number, as long as it owes no more than two endings. */
  mostInFlight(nowNs: number): number {
    this.#pay(0, nowNs);
    return this.#debtNs > 2 * this.#costNs ? 1 : Infinity;
  }

  /** Whether its next call may well end its thread: its latest did, or it has not paid for all endings. */
  isRisky(nowNs: number): boolean {
    this.#pay(0, nowNs);
    return this.#debtNs > 0 || nowNs < this.#doubtedUntilNs;
  }

  isSlow(nowNs: number): boolean {
    return nowNs < this.#slowUntilNs;
  }

  /** Whether nothing is held against it any more. */
  isClean(nowNs: number): boolean {
    if (this.isRisky(nowNs) || nowNs < this.pausedUntilNs) return false;
    return !this.isSlow(nowNs) && !this.isStopped(nowNs);
  }

  #pay(runNs: number, nowNs: number): void {
    const paidNs = runNs + (nowNs - this.#paidNs) * PAID_SHARE;
    this.#paidNs = nowNs;
    this.#debtNs = Math.max(0, this.#debtNs - paidNs);
    if (this.#debtNs > 0) return;
    this.#owed = 0;
    this.#pauses = 0;
    this.#costNs = 0;
  }
}
