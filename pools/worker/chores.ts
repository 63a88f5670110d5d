/** What threads do besides invocations: deploys, which wait for an idle thread, and housekeeping on threads that are idle. */

import type { Call } from './call.ts';
import type { Chore, ChoreAnswer } from './messages.ts';
import type { Threads } from './threads.ts';
import type { Removal, Unit } from './unit.ts';

interface PendingChore {
  readonly chore: Chore;
  readonly functionId: string;
  readonly resolve: (answer: ChoreAnswer) => void;
  readonly reject: (error: unknown) => void;
  /** Times its thread was stopped for a guest that was suspended there. */
  stops: number;
}

/** How often a deploy is begun again on another thread. */
const MOST_STOPS = 4;

/** What the threads of a pool are to do besides, and do. */
export class Chores {
  readonly #threads: Threads<Call>;
  readonly #waiting: PendingChore[] = [];
  readonly #running: Map<Unit<Call>, PendingChore> = new Map();

  constructor(threads: Threads<Call>) {
    this.#threads = threads;
  }

  /** Whether some wait for an idle thread: then no invocation may take one before them. */
  get areWaiting(): boolean {
    return this.#waiting.length > 0;
  }

  get areRunning(): boolean {
    return this.#running.size > 0;
  }

  /** Does something on the next idle thread; `startWaiting` must be called. Rejects when no thread can be had. */
  add(chore: Chore, functionId: string): Promise<ChoreAnswer> {
    const { unstartable } = this.#threads;
    if (unstartable !== undefined) return Promise.reject(unstartable.error);
    return new Promise((resolve, reject) => this.#waiting.push({ chore, functionId, resolve, reject, stops: 0 }));
  }

  /** Gives waiting chores the idle threads that `idleUnit` answers; false when some still wait. */
  startWaiting(idleUnit: (functionId: string) => Unit<Call> | undefined): boolean {
    for (let pending = this.#waiting[0]; pending !== undefined; pending = this.#waiting[0]) {
      const unit = idleUnit(pending.functionId);
      if (unit === undefined) return false;
      this.#waiting.shift();
      unit.installed.add(pending.functionId);
      this.#start(unit, pending);
    }
    return true;
  }

  /** Has every idle thread that is to forget a version forget one. */
  forgetLeaving(): void {
    for (const unit of this.#threads.units) {
      if (!hasTurn(unit) || unit.leaving.length === 0) continue;
      const { id, done } = unit.leaving.pop() as Removal;
      this.#start(unit, { chore: { op: 'remove', id }, functionId: id, resolve: done, reject: done, stops: 0 });
    }
  }

  /** Has every thread that is idle now do something, but for one. */
  async doOnIdle(chore: Chore, except?: Unit<Call>): Promise<void> {
    const units = [...this.#threads.units].filter((unit) => unit !== except && hasTurn(unit));
    await Promise.allSettled(units.map((unit) => this.#doOn(unit, chore)));
  }

  /** Has every thread that is idle then do something, one after the other, so that others can take calls meanwhile. */
  async doInTurn(chore: Chore): Promise<void> {
    const units = [...this.#threads.units];
    for (const unit of units) if (hasTurn(unit)) await Promise.allSettled([this.#doOn(unit, chore)]);
  }

  #doOn(unit: Unit<Call>, chore: Chore): Promise<ChoreAnswer> {
    return new Promise((resolve, reject) => this.#start(unit, { chore, functionId: '', resolve, reject, stops: 0 }));
  }

  done(unit: Unit<Call>, answer: ChoreAnswer): void {
    const pending = this.#running.get(unit);
    this.#running.delete(unit);
    unit.choreDone();
    if (pending?.chore.op === 'deploy' && !answer.ok) unit.installed.delete(pending.functionId);
    pending?.resolve(answer);
  }

  /** A thread ended with what it was doing. */
  lost(unit: Unit<Call>, error: unknown): void {
    this.#running.get(unit)?.reject(error);
    this.#running.delete(unit);
  }

  /** A thread was stopped for a guest that it held besides. A deploy has not begun then, or is begun again on another one. */
  stopped(unit: Unit<Call>, error: unknown): void {
    const pending = this.#running.get(unit);
    if (pending?.chore.op !== 'deploy' || ++pending.stops > MOST_STOPS) {
      this.lost(unit, error);
      return;
    }
    this.#running.delete(unit);
    this.#waiting.unshift(pending);
  }

  /** No thread will come for those that wait. */
  rejectWaiting(error: unknown): void {
    for (const { reject } of this.#waiting.splice(0)) reject(error);
  }

  rejectAll(error: unknown): void {
    this.rejectWaiting(error);
    for (const { reject } of this.#running.values()) reject(error);
  }

  #start(unit: Unit<Call>, pending: PendingChore): void {
    this.#running.set(unit, pending);
    unit.sendChore(pending.chore);
  }
}

/** Whether a thread can do something now, or soon: guests that take turns leave one. */
function hasTurn(unit: Unit<Call>): boolean {
  return unit.isIdle || unit.isShared;
}
