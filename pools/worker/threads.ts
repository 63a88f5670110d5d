/**
 * The worker threads, kept by Piscina: which are ready, which one runs what, and how one is stopped. A task goes to the
 * thread that is named for it, so that a function finds its micro-VM where it left it.
 */

import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Worker } from 'node:worker_threads';
import { Piscina, type PiscinaTask } from 'piscina';
import type { Answer, Request, WorkerSetup } from './messages.ts';

/** One worker thread. */
export interface Unit {
  readonly threadId: number;
  readonly worker: Worker;
  /** Functions it has been given. */
  readonly installed: Set<string>;
  /** Functions it is to forget when it is idle. */
  readonly leaving: string[];
  busy: boolean;
  /** False from the moment it is to be stopped. */
  alive: boolean;
}

export interface ThreadEvents {
  /** A thread became ready for tasks. */
  readonly onReady: () => void;
  /** The last thread ended before it was ever ready: there will be none. */
  readonly onUnstartable: (error: unknown) => void;
}

type LoadBalancer = NonNullable<ConstructorParameters<typeof Piscina>[0]>['loadBalancer'];

export class Threads {
  readonly #piscina: Piscina;
  readonly #units: Map<number, Unit> = new Map();
  /** The thread the balancer answers while `run` posts a task; Piscina asks it before `run` returns. */
  #chosen = -1;
  #replaced = 0;
  readonly #events: ThreadEvents;

  constructor(count: number, setup: WorkerSetup, events: ThreadEvents) {
    this.#events = events;
    const entry = new URL(`./entry${extname(import.meta.url)}`, import.meta.url);
    const balancer: LoadBalancer = (_task: PiscinaTask, workers) =>
      workers.find((worker) => worker.id === this.#chosen) ?? null;
    this.#piscina = new Piscina({
      filename: fileURLToPath(entry),
      name: 'handle',
      minThreads: count,
      maxThreads: count,
      idleTimeout: Infinity,
      concurrentTasksPerWorker: 1,
      atomics: 'async',
      recordTiming: false,
      workerData: setup,
      trackUnmanagedFds: false,
      loadBalancer: balancer,
    });
    // A worker's own failure reaches the task it had; without a task there is nobody to tell.
    this.#piscina.on('error', () => {});
    // Piscina tells of a worker just before it can be given a task.
    this.#piscina.on('workerCreate', () => setImmediate(() => this.#adopt()));
    this.#adopt();
  }

  get size(): number {
    return this.#units.size;
  }

  /** Threads stopped or lost so far. */
  get replaced(): number {
    return this.#replaced;
  }

  /** A ready thread without a task: one that has the function, if any does. */
  idle(functionId: string): Unit | undefined {
    let other: Unit | undefined;
    for (const unit of this.#units.values()) {
      if (unit.busy || !unit.alive) continue;
      if (unit.installed.has(functionId)) return unit;
      other ??= unit;
    }
    return other;
  }

  /** All threads alive, for what concerns every one of them. */
  alive(): Unit[] {
    return [...this.#units.values()].filter((unit) => unit.alive);
  }

  /** Has an idle thread do a task. Rejects when the thread ends before it answers. */
  run(unit: Unit, request: Request): Promise<Answer> {
    unit.busy = true;
    this.#chosen = unit.threadId;
    const answer = this.#piscina.run(request) as Promise<Answer>;
    this.#chosen = -1;
    return answer;
  }

  /** Stops a thread, whatever it runs; Piscina starts another in its place. */
  stop(unit: Unit): void {
    if (!unit.alive) return;
    this.#lose(unit);
    void unit.worker.terminate();
  }

  async close(): Promise<void> {
    for (const unit of this.#units.values()) unit.alive = false;
    await this.#piscina.destroy();
    this.#units.clear();
  }

  /** Takes on the threads that Piscina made since the last look: each counts from its first answer on. */
  #adopt(): void {
    for (const worker of this.#piscina.threads) {
      const { threadId } = worker;
      if (threadId < 0 || this.#units.has(threadId)) continue;
      const unit: Unit = { threadId, worker, installed: new Set(), leaving: [], busy: true, alive: true };
      this.#units.set(threadId, unit);
      worker.once('exit', () => this.#lose(unit));
      void this.#start(unit);
    }
  }

  async #start(unit: Unit): Promise<void> {
    try {
      await this.run(unit, { op: 'start' });
      unit.busy = false;
      this.#events.onReady();
    } catch (error) {
      this.#lose(unit);
      if (this.#units.size === 0) this.#events.onUnstartable(error);
    }
  }

  #lose(unit: Unit): void {
    unit.alive = false;
    if (this.#units.get(unit.threadId) !== unit) return;
    this.#units.delete(unit.threadId);
    this.#replaced++;
  }
}
