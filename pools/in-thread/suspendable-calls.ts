/**
 * Calls in the caller's own thread whose guests may wait, where Node can suspend them: each has a micro-VM to itself, and the
 * thread does other things meanwhile. All of them count units, so that one that runs ends by itself; one that is suspended is dropped.
 */

import type { FunctionDefinition } from '../../host/definition/definition.ts';
import { isNebulaError, NebulaError } from '../../host/errors.ts';
import type { Ending, Invocation, Outcome } from '../../host/outcome.ts';
import type { GuestThread } from '../../host/thread/guest-thread.ts';
import type { StartedCall } from '../../host/thread/waiting-lane.ts';
import { MOST_RUN } from '../../host/wasi/session/record-layout.ts';
import { Drain } from '../drain.ts';
import { isStopped } from '../executor.ts';
import { Call } from '../worker/call.ts';
import { InvocationQueue } from '../worker/queue.ts';
import type { SuspendedGuests } from '../worker/suspended-guests.ts';

/** What such calls need of their executor. */
export interface SuspendableCallOptions {
  readonly thread: GuestThread;
  /** The records of the thread's guests. */
  readonly guests: SuspendedGuests<SuspendableCall>;
  /** Has micro-VMs that nobody needs now given up. */
  makeRoom(): Promise<void>;
  /** Runs a call to its end where it turns out that its guests cannot be suspended. */
  run(call: Call): Outcome;
  /** Told of each guest that was stopped. */
  onStopped(): void;
}

/** One such call. */
class SuspendableCall extends Call {
  /** Once its guest has begun. */
  started: StartedCall | undefined = undefined;
}

export type { SuspendableCall };

/** Starts and ends such calls. */
export class SuspendableCalls {
  readonly #options: SuspendableCallOptions;
  readonly #queue: InvocationQueue<SuspendableCall> = new InvocationQueue();
  readonly #underWay: Set<SuspendableCall> = new Set();
  /** Who waits until no call of a function is left, or of any. */
  readonly #drains: Set<{ readonly id: string | undefined; readonly drain: Drain }> = new Set();
  /** Those whose guests have begun, by the number of their run. */
  readonly #byRun: Map<number, SuspendableCall> = new Map();
  #runs = 0;
  readonly #onDeadline = (call: Call, timeoutMs: number): void =>
    this.#end(call as SuspendableCall, { kind: 'timeout', timeoutMs });

  constructor(options: SuspendableCallOptions) {
    this.#options = options;
  }

  /** Calls whose guests have begun and not ended. */
  get suspended(): number {
    return this.#underWay.size;
  }

  get waiting(): number {
    return this.#queue.waiting;
  }

  /** @throws as `Executor.invoke` */
  invoke(definition: FunctionDefinition, invocation: Invocation, signal?: AbortSignal): Promise<Outcome> {
    return new Promise((resolve, reject) => {
      const call = new SuspendableCall(definition, invocation, resolve, reject);
      const mayStart = this.#queue.mayStart(definition);
      if (!mayStart) this.#queue.push(call);
      call.expect(this.#onDeadline);
      if (signal !== undefined) call.watch(signal, () => this.#end(call, { kind: 'aborted' }));
      if (mayStart) this.#take(call);
    });
  }

  /** The call whose guest's run has this number. */
  callOf(run: number): SuspendableCall | undefined {
    return this.#byRun.get(run);
  }

  /** Ends when no call of a function is left, or of any; after `drainMs` at the latest. */
  async drained(id?: string, drainMs: number = 2 ** 31 - 1): Promise<void> {
    if (this.#isIdle(id) || drainMs <= 0) return;
    const waits = { id, drain: new Drain() };
    this.#drains.add(waits);
    await waits.drain.wait(drainMs);
    this.#drains.delete(waits);
  }

  /** Ends all calls that are left. */
  close(): void {
    for (const call of this.#queue.drain()) call.reject(new NebulaError('CLOSED'));
    for (const call of this.#underWay) this.#end(call, { kind: 'aborted' });
  }

  #isIdle(id: string | undefined): boolean {
    return id === undefined ? this.#queue.isEmpty : this.#queue.isIdle(id);
  }

  #take(call: SuspendableCall): void {
    this.#queue.started(call.definition);
    void this.#run(call);
  }

  async #run(call: SuspendableCall): Promise<void> {
    try {
      const outcome = await this.#outcomeOf(call);
      // One that was dropped is answered.
      if (outcome !== undefined) {
        if (outcome.kind !== 'ok' && isStopped(outcome)) this.#options.onStopped();
        call.resolve(outcome);
        call.started?.settle();
      }
    } catch (error) {
      if (isNebulaError(error)) call.reject(error);
      else call.lose(error);
    }
    call.halt();
    this.#underWay.delete(call);
    this.#byRun.delete(call.ticket);
    this.#options.guests.take(call.ticket);
    this.#leave(call);
  }

  /** The guest has run to its first wait when this returns its promise, unless room had to be made. */
  async #outcomeOf(call: SuspendableCall): Promise<Outcome | undefined> {
    try {
      return await this.#start(call);
    } catch (error) {
      if (!isNebulaError(error) || error.key !== 'ADDRESS_SPACE') throw error;
    }
    await this.#options.makeRoom();
    return this.#start(call);
  }

  #start(call: SuspendableCall): Promise<Outcome | undefined> | Outcome | undefined {
    // Its time was up, or its caller has gone, while room was made.
    if (call.isSettled) return undefined;
    const { thread, guests } = this.#options;
    call.ticket = this.#runs = (this.#runs % MOST_RUN) + 1;
    this.#byRun.set(call.ticket, call);
    const started = thread.start(call.definition.id, call.invocation, call.calledNs, call.ticket);
    if (started === undefined) return this.#options.run(call);
    call.started = started;
    call.begin(this.#onDeadline);
    this.#underWay.add(call);
    guests.add(call, started.record.number);
    // Ended by what it wrote, which its caller was given at once.
    if (call.isSettled) this.#stop(call, { kind: 'aborted' });
    return started.outcome;
  }

  #end(call: SuspendableCall, ending: Ending): void {
    if (call.isSettled) return;
    if (call.started === undefined) {
      this.#queue.remove(call);
      call.end(ending);
      this.#tellDrained();
      return;
    }
    const recorded = this.#options.guests.recordOf(call)?.read(call.ticket, () => undefined);
    if (!this.#stop(call, ending)) return;
    call.end(ending, recorded);
    this.#options.onStopped();
  }

  /** Drops a guest that is suspended. False for one that runs, which is told to stop, and for one that has ended: both answer. */
  #stop(call: SuspendableCall, { kind }: Ending): boolean {
    const { guests } = this.#options;
    if (guests.drop(call)) return call.started?.suspension.abandon() === true;
    guests.tellToStop(call, kind === 'aborted');
    return false;
  }

  #leave({ definition }: SuspendableCall): void {
    this.#queue.ended(definition);
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) this.#take(next);
    this.#tellDrained();
  }

  #tellDrained(): void {
    for (const { id, drain } of this.#drains) if (this.#isIdle(id)) drain.end();
  }
}
