/**
 * Runs guests on worker threads. A deadline or an abort stops the guest's thread, whatever the guest does; a spare thread
 * stands by so that the next caller does not wait for a new one.
 */

import { AddressSpace, memoryLimit } from '../../host/linux/address-space.ts';
import type { FunctionDefinition } from '../../host/definition/definition.ts';
import { NebulaError } from '../../host/errors.ts';
import { CallerSignal } from '../../host/component/channel/signal.ts';
import { monotonicNs } from '../../host/monotonic.ts';
import type { Invocation, Outcome } from '../../host/outcome.ts';
import {
  abortedOutcome,
  isStopped,
  type DeployReport,
  type Executor,
  type ExecutorSession,
  type ExecutorStats,
  type ThreadLossListener,
} from '../executor.ts';
import { BoundCalls } from '../bindings/bound-calls.ts';
import { Admission } from './admission.ts';
import { Drain } from '../drain.ts';
import { HeapKeeper } from '../heap.ts';
import { reportOf } from '../report.ts';
import { keptDefinition, Sessions } from '../sessions.ts';
import { Call } from './call.ts';
import { Chores } from './chores.ts';
import { deployOnThread } from './deploy.ts';
import { channelOf } from './endings.ts';
import { Dispatcher } from './dispatcher.ts';
import { Fairness } from './fairness.ts';
import type { Installation, Refusal } from './messages.ts';
import { Growth } from './growth.ts';
import { threadCounts, type WorkerExecutorOptions } from './options.ts';
import { InvocationQueue } from './queue.ts';
import { errorOf } from './refusals.ts';
import { Retries } from './retries.ts';
import { Threads, type ThreadEvents } from './threads.ts';
import { leaveThreads, Versions } from './versions.ts';
import type { Unit, UnitBindings } from './unit.ts';

export type { WorkerExecutorOptions };

/** An executor on worker threads, which are started at once. */
export function createWorkerExecutor(options: WorkerExecutorOptions = {}): Executor {
  return new WorkerExecutor(options);
}

/** What an executor has together with those of its sessions: the count of memories, and what runs bindings. */
interface Shared {
  readonly memories: SharedArrayBuffer;
  readonly memoriesLimit: number;
  readonly bindings: UnitBindings<Call> | undefined;
}

function sharedOf(options: WorkerExecutorOptions, threads: number): Shared {
  const memoriesLimit = options.memories ?? memoryLimit(threads);
  return { memories: new SharedArrayBuffer(4), memoriesLimit, bindings: bindingsOf(options) };
}

class WorkerExecutor implements Executor {
  readonly kind = 'worker' as const;
  readonly #shared: Shared;
  readonly #sessions: Sessions = new Sessions();
  /** Whether the images of its functions are its own. */
  #hasImages = true;
  readonly #threads: Threads<Call>;
  readonly #growth: Growth;
  readonly #space: AddressSpace;
  readonly #fairness: Fairness;
  readonly #queue: InvocationQueue<Call>;
  readonly #dispatcher: Dispatcher;
  readonly #versions: Versions;
  readonly #chores: Chores;
  readonly #admission: Admission;
  readonly #retries: Retries;
  readonly #heap: HeapKeeper = new HeapKeeper(() => this.#chores.doInTurn({ op: 'collect' }));
  #closing: Promise<void> | undefined;
  #onThreadLoss: ThreadLossListener | undefined;
  readonly #drain: Drain = new Drain();
  /** Guests that were stopped and whose threads live on. */
  #stops = 0;

  /** @param owner whose session it runs, and whose count of memories and bindings it has */
  constructor(options: WorkerExecutorOptions, owner?: WorkerExecutor) {
    const { least, most, spare } = threadCounts(options);
    const limit = (): number => this.#growth.limit;
    const fairness = new Fairness({
      get limit() {
        return limit();
      },
      threads: () => this.#threads.expected,
      running: () => this.#dispatcher.runningIds(),
      someWaiting: (test) => this.#queue.someWaiting(test),
      changes: () => this.#queue.changes,
    });
    this.#fairness = fairness;
    this.#queue = new InvocationQueue(
      (id, inFlight) =>
        (!fairness.concerns(id) || fairness.mayRun(id, inFlight, monotonicNs())) && this.#dispatcher.isAccepted(id),
      fairness,
    );
    this.#versions = new Versions(this.#queue);
    this.#shared = owner === undefined ? sharedOf(options, most + spare) : owner.#shared;
    const { memories, memoriesLimit } = this.#shared;
    this.#space = new AddressSpace(memories, memoriesLimit);
    this.#threads = new Threads<Call>(
      { count: least + spare, mostCount: most + spare, ...this.#shared },
      this.#threadEvents(),
    );
    this.#growth = new Growth({ threads: this.#threads, least, most, spare, mustWait: () => this.#queue.wantsThread });
    this.#chores = new Chores(this.#threads);
    this.#retries = new Retries({
      queue: this.#queue,
      // A session's thread has its own instance and nothing to give up.
      chores: (owner ?? this).#chores,
      refuseUnrunnable: (call) => {
        if (this.#admission.isClosed) call.reject(new NebulaError('CLOSED'));
        else this.#admission.loseUnstartable(call);
      },
      onDone: ({ definition }) => {
        this.#versions.ended(definition.id);
        this.#admission.next();
      },
    });
    this.#dispatcher = new Dispatcher({
      threads: this.#threads,
      queue: this.#queue,
      get limit() {
        return limit();
      },
      installationOf: (id) => this.#versions.get(id),
      mustWait: () => this.#chores.areWaiting || this.#queue.wantsThread,
      onDeadline: () => this.#admission.next(),
      onEnded: (call) => this.#versions.ended(call.definition.id),
      onStopped: (call, heldNs) => this.#stopped(call, heldNs),
      onCost: (call, heldNs) => this.#charge(call.definition, heldNs),
      onThreadStopped: ({ definition }, unit, error) => {
        this.#chores.stopped(unit, error);
        this.#onThreadLoss?.(definition.id);
      },
    });
    this.#admission = new Admission({
      threads: this.#threads,
      queue: this.#queue,
      dispatcher: this.#dispatcher,
      versions: this.#versions,
      chores: this.#chores,
      fairness,
      growth: this.#growth,
      drain: this.#drain,
    });
  }

  #threadEvents(): ThreadEvents<Call> {
    return {
      onReady: () => this.#admission.next(),
      onOutcome: (unit, ticket, outcome, heldNs) => this.#answered(unit, ticket, outcome, heldNs),
      onParked: (unit, call, heldNs) => {
        this.#dispatcher.learn(call.definition.id, heldNs);
        this.#dispatcher.parked(call, unit);
      },
      onRefusal: (unit, ticket, refusal) => this.#refused(unit, ticket, refusal),
      onChoreDone: (unit, answer) => this.#chores.done(unit, answer),
      onTold: () => this.#admission.next(),
      onLost: (unit, error) => this.#lost(unit, error),
      onUnstartable: (error) => this.#admission.giveUp(error),
    };
  }

  async deploy(definition: FunctionDefinition): Promise<DeployReport> {
    this.#refuseClosed();
    const deployment = await deployOnThread(definition, {
      perform: (chore) => {
        const answer = this.#chores.add(chore, definition.id);
        this.#admission.next();
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
      this.#admission.admit(call);
      if (call.isSettled) return;
      call.expect(this.#dispatcher.onDeadline);
      if (signal !== undefined) {
        call.watch(signal, () => {
          this.#dispatcher.endings.end(call, { kind: 'aborted' });
          this.#admission.next();
        });
      }
    });
  }

  openSession(definition: FunctionDefinition): ExecutorSession {
    this.#refuseClosed();
    const installation = this.#versions.get(definition.id);
    if (installation === undefined || !this.#versions.isServed(definition.id)) {
      throw new NebulaError('FUNCTION_NOT_FOUND', { name: definition.name });
    }
    const refusal = this.#fairness.refusal(definition, monotonicNs());
    if (refusal !== undefined) throw refusal;
    const kept = keptDefinition(installation.definition);
    const executor = new WorkerExecutor({ threads: 1, spareThreads: 0 }, this);
    executor.#adopt({ ...installation, definition: kept });
    executor.watch((id) => {
      this.#charge(definition, 0);
      this.#onThreadLoss?.(id);
    });
    return this.#sessions.add(kept, executor);
  }

  /** Takes on a version whose image is another executor's. */
  #adopt(installation: Installation): void {
    this.#hasImages = false;
    this.#fairness.add(installation.definition.id);
    this.#versions.add(installation);
  }

  async undeploy(id: string): Promise<void> {
    const installation = await this.#versions.remove(id);
    if (installation === undefined) return;
    this.#dispatcher.forget(id);
    this.#fairness.forget(id);
    const sessions = this.#sessions.closedOf(id);
    leaveThreads(this.#threads.units, installation, sessions);
    this.#admission.next();
    await sessions;
  }

  watch(listener: ThreadLossListener): void {
    this.#onThreadLoss = listener;
  }

  stats(): ExecutorStats {
    const { count: restores, totalNs: restoresNs } = this.#threads.restores;
    return this.#sessions.addTo({
      running: this.#dispatcher.running,
      suspended: this.#dispatcher.suspended,
      waiting: this.#queue.waiting,
      units: this.#threads.ready,
      unitsReplaced: this.#threads.replaced,
      stops: this.#stops,
      restores,
      restoresNs,
      memories: this.#space.live,
      memoriesLimit: this.#space.limit,
      paused: this.#fairness.paused(monotonicNs()),
      pauses: this.#fairness.pauses,
    });
  }

  close(drainMs: number): Promise<void> {
    this.#closing ??= Promise.resolve().then(() => this.#close(drainMs));
    return this.#closing;
  }

  async #close(drainMs: number): Promise<void> {
    const sessions = this.#sessions.close(drainMs);
    if (!this.#admission.isIdle && drainMs > 0) await this.#drain.wait(drainMs);
    await sessions;
    this.#admission.close();
    this.#growth.close();
    for (const call of this.#queue.drain()) call.reject(new NebulaError('CLOSED'));
    for (const unit of this.#threads.units) {
      unit.collectAll();
      const calls = [...unit.inFlight, ...unit.parked.values()];
      for (const call of calls) {
        call.stop();
        call.end({ kind: 'aborted' }, unit.recorded(call));
      }
    }
    this.#chores.rejectAll(new NebulaError('CLOSED'));
    this.#versions.release();
    this.#heap.close();
    await this.#threads.close();
    if (this.#hasImages) this.#versions.close();
  }

  #refuseClosed(): void {
    if (this.#closing !== undefined) throw new NebulaError('CLOSED');
  }

  /** Holds it against a function that a call of it has cost a thread; what waits of it is refused if it is paused for that. */
  #charge(definition: FunctionDefinition, heldNs: number): void {
    const nowNs = monotonicNs();
    if (!this.#fairness.ended(definition, heldNs, this.#threads.startNs, nowNs)) return;
    for (const call of this.#queue.drain(definition.id)) call.reject(this.#fairness.refusal(definition, nowNs));
    this.#versions.ended(definition.id);
  }

  /** `heldNs` is of a guest that was suspended meanwhile; any other has had its thread for all of its run. */
  #answered(unit: Unit<Call>, ticket: number, outcome: Outcome, heldNs?: number): void {
    const call = unit.answered(ticket);
    if (call === undefined) return;
    // What a guest waited for its caller until it was stopped is its caller's doing, and held against no function.
    const isCallers = outcome.kind !== 'ok' && isAwaitedBy(call);
    const runNs = isCallers ? 0 : (heldNs ?? outcome.phases.run);
    this.#dispatcher.leave(call, unit, runNs);
    const averageNs = this.#dispatcher.learn(call.definition.id, runNs);
    if (outcome.kind !== 'ok' && isStopped(outcome) && !isCallers) this.#stopped(call, runNs);
    else this.#fairness.answered(call.definition, call.calledNs, runNs, averageNs);
    call.resolve(outcome);
    this.#versions.ended(call.definition.id);
  }

  /** A guest was stopped, and its thread lives on. */
  #stopped({ definition }: Call, heldNs: number): void {
    this.#stops++;
    this.#fairness.stopped(definition, heldNs);
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
    this.#dispatcher.endings.lost(unit, error);
    this.#admission.next();
  }
}

/** Whether the guest of a call that was stopped waited for its caller then, who sends nothing or reads nothing. */
function isAwaitedBy({ invocation }: Call): boolean {
  const channel = channelOf(invocation);
  return channel !== undefined && new CallerSignal(channel).isAwaited;
}

/** What runs the bindings that guests call; undefined where there are none. */
function bindingsOf({ bindings }: WorkerExecutorOptions): UnitBindings<Call> | undefined {
  return bindings === undefined ? undefined : { calls: new BoundCalls(bindings), callerOf: (call) => call };
}
