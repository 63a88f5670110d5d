/**
 * Runs guests on worker threads. A deadline or an abort stops the guest's thread, whatever the guest does; a spare thread
 * stands by so that the next caller does not wait for a new one.
 */

import { availableParallelism } from 'node:os';
import { AddressSpace, memoryLimit } from '../../host/linux/address-space.ts';
import type { FunctionDefinition } from '../../host/definition/definition.ts';
import { NebulaError } from '../../host/errors.ts';
import { monotonicNs } from '../../host/monotonic.ts';
import type { Invocation, Outcome } from '../../host/outcome.ts';
import { abortedOutcome, type DeployReport, type Executor, type ExecutorStats } from '../executor.ts';
import { Drain } from '../drain.ts';
import { HeapKeeper } from '../heap.ts';
import { reportOf } from '../report.ts';
import { Call } from './call.ts';
import { Chores } from './chores.ts';
import { deployOnThread } from './deploy.ts';
import { Dispatcher } from './dispatcher.ts';
import { Fairness } from './fairness.ts';
import type { Refusal } from './messages.ts';
import { InvocationQueue } from './queue.ts';
import { errorOf } from './refusals.ts';
import { Retries } from './retries.ts';
import { Threads } from './threads.ts';
import { leaveThreads, Versions } from './versions.ts';
import type { Unit } from './unit.ts';

/** How many threads an executor has, and how many memories for them. */
export interface WorkerExecutorOptions {
  /** Threads that run guests at once; default: the machine's cores. */
  readonly threads?: number;
  /** Threads that stand by; default 1. */
  readonly spareThreads?: number;
  /** Memories alive at once; default: what the machine's address space holds. */
  readonly memories?: number;
}

/** An executor on worker threads, which are started at once. */
export function createWorkerExecutor(options: WorkerExecutorOptions = {}): Executor {
  return new WorkerExecutor(options);
}

class WorkerExecutor implements Executor {
  readonly kind = 'worker' as const;
  readonly #threads: Threads<Call>;
  readonly #space: AddressSpace;
  readonly #fairness: Fairness;
  readonly #queue: InvocationQueue<Call>;
  readonly #dispatcher: Dispatcher;
  readonly #versions: Versions;
  readonly #chores: Chores;
  readonly #retries: Retries;
  readonly #heap: HeapKeeper = new HeapKeeper(() => this.#chores.doInTurn({ op: 'collect' }));
  #closing: Promise<void> | undefined;
  /** Looks again for what fairness made wait. */
  #wakeUp: NodeJS.Timeout | undefined;
  readonly #drain: Drain = new Drain();
  /** Whether the time for calls to finish is up. */
  #isStopped = false;

  constructor(options: WorkerExecutorOptions) {
    const limit = options.threads ?? availableParallelism();
    const count = limit + (options.spareThreads ?? 1);
    const fairness = new Fairness({
      limit,
      threads: () => this.#threads.expected,
      running: () => this.#dispatcher.runningIds(),
    });
    this.#fairness = fairness;
    this.#queue = new InvocationQueue(
      (id, inFlight) => !fairness.concerns(id) || fairness.mayRun(id, inFlight, monotonicNs()),
    );
    this.#versions = new Versions(this.#queue);
    const memories = new SharedArrayBuffer(4);
    const memoriesLimit = options.memories ?? memoryLimit(count);
    this.#space = new AddressSpace(memories, memoriesLimit);
    this.#threads = new Threads<Call>(
      { count, memories, memoriesLimit },
      {
        onReady: () => this.#next(),
        onOutcome: (unit, ticket, outcome) => this.#answered(unit, ticket, outcome),
        onRefusal: (unit, ticket, refusal) => this.#refused(unit, ticket, refusal),
        onChoreDone: (unit, answer) => this.#chores.done(unit, answer),
        onTold: () => this.#next(),
        onLost: (unit, error) => this.#lost(unit, error),
        onUnstartable: (error) => this.#giveUp(error),
      },
    );
    this.#chores = new Chores(this.#threads);
    this.#retries = new Retries({
      queue: this.#queue,
      chores: this.#chores,
      refuseUnrunnable: (call) => {
        if (this.#isStopped) call.reject(new NebulaError('CLOSED'));
        else this.#loseUnstartable(call);
      },
      onDone: ({ definition }) => {
        this.#versions.ended(definition.id);
        this.#next();
      },
    });
    this.#dispatcher = new Dispatcher({
      threads: this.#threads,
      queue: this.#queue,
      limit,
      installationOf: (id) => this.#versions.get(id),
      onDeadline: () => this.#next(),
      onEnded: (call) => this.#versions.ended(call.definition.id),
      onCost: (call, heldNs) => this.#charge(call.definition, heldNs),
    });
  }

  async deploy(definition: FunctionDefinition): Promise<DeployReport> {
    this.#refuseClosed();
    const deployment = await deployOnThread(definition, {
      perform: (chore) => {
        const answer = this.#chores.add(chore, definition.id);
        this.#next();
        return answer;
      },
      makeRoom: () => this.#chores.doOnIdle({ op: 'evict' }),
    });
    const { snapshot: _, ...installed } = definition;
    const { image, strategy } = deployment;
    this.#fairness.add(definition.id);
    this.#versions.add({ definition: installed, image, strategy });
    this.#heap.trimSoon();
    return reportOf(deployment);
  }

  invoke(definition: FunctionDefinition, invocation: Invocation, signal?: AbortSignal): Promise<Outcome> {
    return new Promise((resolve, reject) => {
      this.#refuseClosed();
      if (signal?.aborted === true) {
        resolve(abortedOutcome());
        return;
      }
      const call = new Call(definition, invocation, resolve, reject);
      this.#admit(call);
      if (call.isSettled) return;
      call.expect(this.#dispatcher.onDeadline);
      if (signal !== undefined) {
        call.watch(signal, () => {
          this.#dispatcher.end(call, { kind: 'aborted' });
          this.#next();
        });
      }
    });
  }

  async undeploy(id: string): Promise<void> {
    const installation = await this.#versions.remove(id);
    if (installation === undefined) return;
    this.#dispatcher.forget(id);
    this.#fairness.forget(id);
    leaveThreads(this.#threads.units, installation);
    this.#next();
  }

  stats(): ExecutorStats {
    const { count: restores, totalNs: restoresNs } = this.#threads.restores;
    return {
      running: this.#dispatcher.running,
      waiting: this.#queue.waiting,
      units: this.#threads.ready,
      unitsReplaced: this.#threads.replaced,
      restores,
      restoresNs,
      memories: this.#space.live,
      memoriesLimit: this.#space.limit,
      paused: this.#fairness.paused(monotonicNs()),
      pauses: this.#fairness.pauses,
    };
  }

  close(drainMs: number): Promise<void> {
    this.#closing ??= Promise.resolve().then(() => this.#close(drainMs));
    return this.#closing;
  }

  async #close(drainMs: number): Promise<void> {
    if (!this.#isIdle() && drainMs > 0) await this.#drain.wait(drainMs);
    this.#isStopped = true;
    clearTimeout(this.#wakeUp);
    for (const call of this.#queue.drain()) call.reject(new NebulaError('CLOSED'));
    for (const unit of this.#threads.units) {
      unit.collectAll();
      const calls = [...unit.inFlight];
      for (const call of calls) {
        call.stop();
        call.end({ kind: 'aborted' }, unit.recorded(call));
      }
    }
    this.#chores.rejectAll(new NebulaError('CLOSED'));
    this.#versions.release();
    this.#heap.close();
    await this.#threads.close();
    this.#versions.close();
  }

  #isIdle(): boolean {
    return this.#queue.isEmpty && !this.#chores.areRunning;
  }

  #refuseClosed(): void {
    if (this.#closing !== undefined) throw new NebulaError('CLOSED');
  }

  #admit(call: Call): void {
    const { definition } = call;
    this.#loseUnstartable(call);
    if (call.isSettled) return;
    if (!this.#versions.isServed(definition.id)) {
      throw new NebulaError('FUNCTION_NOT_FOUND', { name: definition.name });
    }
    if (this.#fairness.isWatching) {
      const refusal = this.#fairness.refusal(definition, call.calledNs);
      if (refusal !== undefined) throw refusal;
      this.#fairness.called(definition.id, call.calledNs);
    }
    const mayStart = !this.#chores.areWaiting && this.#queue.mayStart(definition);
    if (mayStart && this.#dispatcher.idleUnit(definition.id) === undefined) this.#queue.refuseFull(definition);
    if (mayStart && this.#dispatcher.place(call)) return;
    this.#queue.push(call);
    if (this.#fairness.concerns(definition.id)) this.#lookAgain();
  }

  /** Gives threads what waits for them. Called whenever one may have become idle, or something may have begun to wait. */
  #next(): void {
    this.#chores.forgetLeaving();
    if (!this.#chores.startWaiting((id) => this.#dispatcher.idleUnit(id))) return;
    while (this.#queue.length > 0 && this.#dispatcher.hasRoom) {
      const call = this.#queue.shift();
      if (call === undefined) break;
      this.#dispatcher.place(call);
    }
    while (this.#dispatcher.steal()) continue;
    if (this.#queue.length > 0 && this.#fairness.isWatching) this.#lookAgain();
    if (this.#drain.isAwaited && this.#isIdle()) this.#drain.end();
  }

  #lookAgain(): void {
    if (this.#wakeUp !== undefined || this.#isStopped) return;
    const waitMs = Math.ceil(this.#fairness.waitNs(monotonicNs()) / 1e6);
    this.#wakeUp = setTimeout(() => {
      this.#wakeUp = undefined;
      this.#next();
    }, waitMs);
  }

  /** Holds it against a function that a call of it has cost a thread; what waits of it is refused if it is paused for that. */
  #charge(definition: FunctionDefinition, heldNs: number): void {
    const nowNs = monotonicNs();
    if (!this.#fairness.ended(definition, heldNs, this.#threads.startNs, nowNs)) return;
    for (const call of this.#queue.drain(definition.id)) call.reject(this.#fairness.refusal(definition, nowNs));
    this.#versions.ended(definition.id);
  }

  #answered(unit: Unit<Call>, ticket: number, outcome: Outcome): void {
    const call = unit.answered(ticket);
    if (call === undefined) return;
    const runNs = outcome.phases.run;
    this.#dispatcher.leave(call, unit, runNs);
    const averageNs = this.#dispatcher.learn(call.definition.id, runNs);
    this.#fairness.answered(call.definition, call.calledNs, runNs, averageNs);
    call.resolve(outcome);
    this.#versions.ended(call.definition.id);
  }

  #refused(unit: Unit<Call>, ticket: number, refusal: Refusal): void {
    const call = unit.answered(ticket);
    if (call === undefined) return;
    this.#dispatcher.leave(call, unit);
    const isFull = refusal.failure?.name === 'ADDRESS_SPACE';
    if (!isFull || !this.#retries.take(call, unit)) call.reject(errorOf(call.definition, refusal));
    this.#versions.ended(call.definition.id);
  }

  #lost(unit: Unit<Call>, error: unknown): void {
    this.#chores.lost(unit, error);
    this.#dispatcher.lost(unit, error);
    this.#next();
  }

  #loseUnstartable(call: Call): void {
    const { unstartable } = this.#threads;
    if (unstartable !== undefined) call.lose(unstartable.error);
  }

  /** No thread can be started: tells everyone who waits, instead of letting them wait for ever. */
  #giveUp(error: unknown): void {
    for (const call of this.#queue.drain()) {
      call.lose(error);
      this.#versions.ended(call.definition.id);
    }
    this.#chores.rejectWaiting(error);
  }
}
