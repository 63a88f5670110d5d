/** Takes calls on: each gets a thread at once, waits, or is refused; and what waits gets a thread when one is free. */

import { NebulaError } from '../../host/errors.ts';
import { monotonicNs } from '../../host/monotonic.ts';
import type { Drain } from '../drain.ts';
import type { Call } from './call.ts';
import type { Chores } from './chores.ts';
import type { Dispatcher } from './dispatcher.ts';
import type { Fairness } from './fairness.ts';
import type { Growth } from './growth.ts';
import type { InvocationQueue } from './queue.ts';
import type { Threads } from './threads.ts';
import type { Versions } from './versions.ts';
import { Vigil } from './vigil.ts';

/** The parts of a pool that a call meets on its way to a thread. */
export interface AdmissionOptions {
  readonly threads: Threads<Call>;
  readonly queue: InvocationQueue<Call>;
  readonly dispatcher: Dispatcher;
  readonly versions: Versions;
  readonly chores: Chores;
  readonly fairness: Fairness;
  readonly growth: Growth;
  readonly drain: Drain;
}

/** Lets calls in to the threads of one pool. */
export class Admission {
  readonly #options: AdmissionOptions;
  readonly #vigil: Vigil = new Vigil(() => this.next());
  /** Looks again for what fairness made wait. */
  #wakeUp: NodeJS.Timeout | undefined;
  #wakeUpNs = Infinity;
  /** Whether the time for calls to finish is up. */
  #isClosed = false;

  constructor(options: AdmissionOptions) {
    this.#options = options;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Whether nothing waits or runs, deploys included. */
  get isIdle(): boolean {
    return this.#options.queue.isEmpty && !this.#options.chores.areRunning;
  }

  /** Gives no thread to what fairness made wait any more. */
  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#wakeUp);
    this.#vigil.close();
  }

  /**
   * Has a call run now, or wait.
   * @throws NebulaError FUNCTION_NOT_FOUND, FUNCTION_PAUSED, QUEUE_FULL
   */
  admit(call: Call): void {
    const { definition } = call;
    this.loseUnstartable(call);
    if (call.isSettled) return;
    if (!this.#options.versions.isServed(definition.id)) {
      throw new NebulaError('FUNCTION_NOT_FOUND', { name: definition.name });
    }
    if (this.#options.fairness.isWatching) {
      const refusal = this.#options.fairness.refusal(definition, call.calledNs);
      if (refusal !== undefined) throw refusal;
      this.#options.fairness.called(definition.id, call.calledNs);
    }
    const mayStart = !this.#options.chores.areWaiting && this.#options.queue.mayStart(definition);
    if (mayStart && this.#options.dispatcher.idleUnit(definition.id) === undefined)
      this.#options.queue.refuseFull(definition);
    if (mayStart && this.#options.dispatcher.place(call)) return;
    this.#options.queue.push(call);
    this.#vigil.keep(true);
    this.#options.growth.expect();
    this.#options.dispatcher.watch();
    if (this.#options.fairness.concerns(definition.id)) this.#lookAgain();
  }

  /** Gives threads what waits for them. Called whenever one may have become idle, or something may have begun to wait. */
  next(): void {
    this.#options.chores.forgetLeaving();
    if (this.#options.chores.startWaiting((id) => this.#options.dispatcher.idleUnit(id))) this.#placeWaiting();
    if (this.#isClosed) return;
    this.#options.dispatcher.watch();
    const { queue, chores } = this.#options;
    this.#vigil.keep(queue.length > 0 || chores.areWaiting || chores.areRunning);
  }

  #placeWaiting(): void {
    while (this.#options.queue.length > 0 && this.#options.dispatcher.hasRoom) {
      const call = this.#options.queue.shift();
      if (call === undefined) break;
      if (this.#options.dispatcher.place(call)) continue;
      // A guest has taken its thread meanwhile.
      this.#options.queue.requeue([call]);
      break;
    }
    while (this.#options.dispatcher.steal()) continue;
    if (this.#options.queue.length > 0 && this.#options.fairness.mayHold) this.#lookAgain();
    if (this.#options.drain.isAwaited && this.isIdle) this.#options.drain.end();
  }

  #lookAgain(): void {
    if (this.#isClosed) return;
    const nowNs = monotonicNs();
    const waitMs = Math.ceil(this.#options.fairness.waitNs(nowNs) / 1e6);
    // One that comes as soon is on its way.
    if (this.#wakeUpNs <= nowNs + waitMs * 1e6) return;
    clearTimeout(this.#wakeUp);
    this.#wakeUpNs = nowNs + waitMs * 1e6;
    this.#wakeUp = setTimeout(() => {
      this.#wakeUpNs = Infinity;
      this.next();
    }, waitMs);
  }

  /** Fails a call where no thread can be started that would run it. */
  loseUnstartable(call: Call): void {
    const { unstartable } = this.#options.threads;
    if (unstartable !== undefined) call.lose(unstartable.error);
  }

  /** No thread can be started: tells everyone who waits, instead of letting them wait for ever. */
  giveUp(error: unknown): void {
    for (const call of this.#options.queue.drain()) {
      call.lose(error);
      this.#options.versions.ended(call.definition.id);
    }
    this.#options.chores.rejectWaiting(error);
  }
}
