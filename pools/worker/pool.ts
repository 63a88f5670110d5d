/**
 * Runs guests on worker threads. A deadline or an abort stops the guest's thread, whatever the guest does; a spare thread
 * stands by so that the next caller does not wait for a new one.
 */

import { availableParallelism } from 'node:os';
import { AddressSpace, memoryLimit } from '../../host/address-space.ts';
import type { FunctionDefinition } from '../../host/definition.ts';
import type { Deployment } from '../../host/deployment.ts';
import { fromFailure, messageOf, NebulaError } from '../../host/errors.ts';
import { monotonicNs } from '../../host/monotonic.ts';
import type { Ending, Invocation, Outcome } from '../../host/outcome.ts';
import { closeImage } from '../../host/snapshot/image.ts';
import {
  abortedOutcome,
  unansweredOutcome,
  type DeployReport,
  type Executor,
  type ExecutorStats,
} from '../executor.ts';
import { reportOf } from '../report.ts';
import type { Answer, Installation, Request } from './messages.ts';
import { InvocationQueue } from './queue.ts';
import { Threads, type Unit } from './threads.ts';

export interface WorkerExecutorOptions {
  /** Threads that run guests at once; default: the machine's cores. */
  readonly threads?: number;
  /** Threads that stand by; default 1. */
  readonly spareThreads?: number;
  /** Memories alive at once; default: what the machine's address space holds. */
  readonly memories?: number;
}

/** One invocation, from its call to its end. */
interface Entry {
  readonly definition: FunctionDefinition;
  readonly invocation: Invocation;
  readonly calledNs: number;
  readonly resolve: (outcome: Outcome) => void;
  readonly reject: (error: unknown) => void;
  readonly signal: AbortSignal | undefined;
  onAbort: (() => void) | undefined;
  unit: Unit | undefined;
  startedNs: number;
  timer: NodeJS.Timeout | undefined;
  settled: boolean;
  /** Times it went back for want of address space. */
  retries: number;
}

/** How often an invocation may wait for another thread to give up memories. */
const MOST_RETRIES = 2;

export function createWorkerExecutor(options: WorkerExecutorOptions = {}): Executor {
  return new WorkerExecutor(options);
}

class WorkerExecutor implements Executor {
  readonly kind = 'worker' as const;
  readonly #threads: Threads;
  readonly #limit: number;
  readonly #space: AddressSpace;
  readonly #queue: InvocationQueue<Entry> = new InvocationQueue();
  readonly #running: Set<Entry> = new Set();
  readonly #installations: Map<string, Installation> = new Map();
  /** Versions to be forgotten once none of their invocations waits or runs. */
  readonly #retiring: Map<string, () => void> = new Map();
  /** Deploys wait here for an idle thread. */
  readonly #chores: ((unit: Unit) => void)[] = [];
  #busyUnits = 0;
  #closed = false;
  #onIdle: (() => void) | undefined;

  constructor(options: WorkerExecutorOptions) {
    this.#limit = options.threads ?? availableParallelism();
    const memories = new SharedArrayBuffer(4);
    const memoriesLimit = options.memories ?? memoryLimit();
    this.#space = new AddressSpace(memories, memoriesLimit);
    const count = this.#limit + (options.spareThreads ?? 1);
    this.#threads = new Threads(
      count,
      { memories, memoriesLimit },
      {
        onReady: () => this.#next(),
        onUnstartable: (error) => this.#giveUp(error),
      },
    );
  }

  async deploy(definition: FunctionDefinition): Promise<DeployReport> {
    this.#refuseClosed();
    const answer = await this.#chore(definition.id, { op: 'deploy', definition });
    const { deployment } = this.#accept(definition, answer) as { deployment: Deployment };
    const { snapshot: _, ...installed } = definition;
    const { image, strategy } = deployment;
    this.#installations.set(definition.id, { definition: installed, image, strategy });
    return reportOf(deployment);
  }

  invoke(definition: FunctionDefinition, invocation: Invocation, signal?: AbortSignal): Promise<Outcome> {
    const calledNs = monotonicNs();
    return new Promise((resolve, reject) => {
      this.#refuseClosed();
      if (signal?.aborted === true) {
        resolve(abortedOutcome());
        return;
      }
      const entry: Entry = {
        definition,
        invocation,
        calledNs,
        resolve,
        reject,
        signal,
        onAbort: undefined,
        unit: undefined,
        startedNs: 0,
        timer: undefined,
        settled: false,
        retries: 0,
      };
      this.#admit(entry);
      if (signal !== undefined) {
        entry.onAbort = () => this.#end(entry, { kind: 'aborted' });
        signal.addEventListener('abort', entry.onAbort, { once: true });
      }
    });
  }

  async undeploy(id: string): Promise<void> {
    const installation = this.#installations.get(id);
    if (installation === undefined) return;
    if (!this.#queue.isIdle(id)) await new Promise<void>((resolve) => this.#retiring.set(id, resolve));
    this.#installations.delete(id);
    for (const unit of this.#threads.alive()) {
      if (!unit.installed.delete(id)) continue;
      unit.leaving.push(id);
      if (!unit.busy) this.#release(unit);
    }
    closeImage(installation.image);
  }

  stats(): ExecutorStats {
    return {
      running: this.#running.size,
      waiting: this.#queue.length,
      units: this.#threads.size,
      unitsReplaced: this.#threads.replaced,
      memories: this.#space.live,
      memoriesLimit: this.#space.limit,
    };
  }

  async close(drainMs: number): Promise<void> {
    this.#closed = true;
    if (this.#running.size + this.#queue.length + this.#busyUnits > 0 && drainMs > 0) await this.#drained(drainMs);
    for (const entry of this.#queue.drain()) this.#settle(entry, new NebulaError('CLOSED'));
    for (const entry of this.#running) this.#settle(entry, unansweredFor(entry, { kind: 'aborted' }));
    await this.#threads.close();
    for (const { image } of this.#installations.values()) closeImage(image);
    this.#installations.clear();
  }

  /** No thread can be started: tells everyone who waits, instead of letting them wait for ever. */
  #giveUp(error: unknown): void {
    for (const entry of this.#queue.drain()) {
      this.#settle(entry, new NebulaError('WORKER_LOST', { name: entry.definition.name, detail: messageOf(error) }));
    }
  }

  #drained(drainMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, drainMs);
      this.#onIdle = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #refuseClosed(): void {
    if (this.#closed) throw new NebulaError('CLOSED');
  }

  #admit(entry: Entry): void {
    if (!this.#installations.has(entry.definition.id)) {
      throw new NebulaError('FUNCTION_NOT_FOUND', { name: entry.definition.name });
    }
    if (this.#busyUnits < this.#limit && this.#chores.length === 0 && this.#queue.mayStart(entry.definition)) {
      const unit = this.#threads.idle(entry.definition.id);
      if (unit !== undefined) {
        this.#start(entry, unit);
        return;
      }
    }
    this.#queue.push(entry);
  }

  /** Gives idle threads what waits. Called whenever a thread may have become idle. */
  #next(): void {
    while (this.#busyUnits < this.#limit && this.#threads.idle('') !== undefined) {
      const chore = this.#chores[0];
      const entry = chore === undefined ? this.#queue.shift() : undefined;
      if (chore === undefined && entry === undefined) break;
      const unit = this.#threads.idle(entry?.definition.id ?? '') as Unit;
      if (entry !== undefined) this.#start(entry, unit);
      else this.#chores.shift()?.(unit);
    }
    if (this.#busyUnits === 0 && this.#queue.length === 0) this.#onIdle?.();
  }

  #start(entry: Entry, unit: Unit): void {
    const { definition, invocation } = entry;
    const { id, limits } = definition;
    entry.unit = unit;
    entry.startedNs = monotonicNs();
    this.#running.add(entry);
    this.#queue.started(definition);
    this.#busyUnits++;
    const askedMs = invocation.timeoutMs ?? limits.timeoutMs;
    const timeoutMs = limits.timeoutMs === 0 ? askedMs : Math.min(limits.timeoutMs, askedMs);
    if (timeoutMs > 0) entry.timer = setTimeout(() => this.#end(entry, { kind: 'timeout', timeoutMs }), timeoutMs);
    const install = unit.installed.has(id) ? undefined : this.#installations.get(id);
    unit.installed.add(id);
    this.#threads.run(unit, { op: 'invoke', id, invocation, calledNs: entry.calledNs, install }).then(
      (answer) => this.#answered(entry, unit, answer),
      (error: unknown) => this.#lost(entry, unit, error),
    );
  }

  #answered(entry: Entry, unit: Unit, answer: Answer): void {
    this.#free(entry, unit);
    if (answer.ok) this.#settle(entry, (answer as { outcome: Outcome }).outcome);
    else if (answer.failure?.name === 'ADDRESS_SPACE' && entry.retries < MOST_RETRIES) void this.#retry(entry, unit);
    else this.#settle(entry, errorOf(entry.definition, answer));
    this.#next();
  }

  #lost(entry: Entry, unit: Unit, error: unknown): void {
    this.#free(entry, unit);
    this.#settle(entry, new NebulaError('WORKER_LOST', { name: entry.definition.name, detail: messageOf(error) }));
    this.#next();
  }

  #free(entry: Entry, unit: Unit): void {
    this.#release(unit);
    clearTimeout(entry.timer);
    if (!this.#running.delete(entry)) return;
    this.#busyUnits--;
    this.#queue.ended(entry.definition);
    if (this.#retiring.size > 0) this.#retire(entry.definition.id);
  }

  /** Makes a thread idle; one that has versions to forget does that first. */
  #release(unit: Unit): void {
    unit.busy = false;
    const id = unit.alive ? unit.leaving.pop() : undefined;
    if (id === undefined) return;
    const done = (): void => {
      this.#release(unit);
      this.#next();
    };
    this.#threads.run(unit, { op: 'remove', id }).then(done, done);
  }

  #retire(id: string): void {
    const retired = this.#queue.isIdle(id) ? this.#retiring.get(id) : undefined;
    if (retired === undefined) return;
    this.#retiring.delete(id);
    retired();
  }

  /** Has the other threads give up memories that they do not need now, then queues the invocation once more. */
  async #retry(entry: Entry, full: Unit): Promise<void> {
    entry.retries++;
    const others = this.#threads.alive().filter((unit) => unit !== full && !unit.busy);
    await Promise.allSettled(
      others.map((unit) => this.#threads.run(unit, { op: 'evict' }).finally(() => this.#release(unit))),
    );
    if (entry.settled) return;
    try {
      this.#queue.push(entry);
    } catch (error) {
      this.#settle(entry, error);
    }
    this.#next();
  }

  /** Ends an invocation from outside: takes it out of the queue, or stops the thread it runs on. */
  #end(entry: Entry, ending: Ending): void {
    if (entry.settled) return;
    const { unit } = entry;
    if (unit !== undefined && this.#running.has(entry)) {
      this.#threads.stop(unit);
      this.#free(entry, unit);
    } else {
      this.#queue.remove(entry);
      if (this.#retiring.size > 0) this.#retire(entry.definition.id);
    }
    this.#settle(entry, unansweredFor(entry, ending));
    this.#next();
  }

  #settle(entry: Entry, result: unknown): void {
    if (entry.settled) return;
    entry.settled = true;
    clearTimeout(entry.timer);
    if (entry.onAbort !== undefined) entry.signal?.removeEventListener('abort', entry.onAbort);
    if (result instanceof Error) entry.reject(result);
    else entry.resolve(result as Outcome);
  }

  /** Does something on the next idle thread, before any invocation that waits. */
  #chore(functionId: string, request: Request): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#chores.push((unit) => {
        unit.installed.add(functionId);
        this.#busyUnits++;
        const done = (): void => {
          this.#busyUnits--;
          this.#release(unit);
          this.#next();
        };
        this.#threads.run(unit, request).then(resolve, reject).finally(done);
      });
      this.#next();
    });
  }

  #accept(definition: FunctionDefinition, answer: Answer): Answer & { ok: true } {
    if (answer.ok) return answer;
    throw errorOf(definition, answer);
  }
}

function errorOf(definition: FunctionDefinition, refusal: Answer & { ok: false }): NebulaError {
  if (refusal.failure !== undefined) return fromFailure(refusal.failure);
  return new NebulaError('WORKER_LOST', { name: definition.name, detail: refusal.detail });
}

function unansweredFor(entry: Entry, ending: Ending): Outcome {
  const nowNs = monotonicNs();
  const startedNs = entry.startedNs === 0 ? nowNs : entry.startedNs;
  return unansweredOutcome(ending, startedNs - entry.calledNs, nowNs - startedNs);
}
