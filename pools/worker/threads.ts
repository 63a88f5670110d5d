/**
 * The worker threads, which Piscina starts and ends. Each is given one task, to serve a port of its own: a call over it
 * costs half of what a Piscina task costs, and the worker can put its micro-VM back before it looks for more.
 */

import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Worker } from 'node:worker_threads';
import { Piscina, type PiscinaTask } from 'piscina';
import { OutgoingThread } from '../../host/component/outgoing/thread.ts';
import { monotonicNs } from '../../host/monotonic.ts';
import { releaseThreadMemory } from '../../host/linux/thread-memory.ts';
import { Loading } from './loading.ts';
import type { Serve } from './messages.ts';
import { Starts } from './starts.ts';
import type { Sent } from './suspended-guests.ts';
import { Unit, type UnitBindings, type UnitEvents } from './unit.ts';

/** What a pool is told of its threads. */
export interface ThreadEvents<T extends Sent> extends UnitEvents<T> {
  /** A thread became ready for work. */
  onReady(): void;
  /** A thread ended that nobody stopped; its invocations will not be answered. */
  onLost(unit: Unit<T>, error: unknown): void;
  /** No thread is left and none could be started: `unstartable` says why until one can. */
  onUnstartable(error: unknown): void;
}

/** How many threads, and what they share. */
export interface ThreadOptions<T> {
  readonly count: number;
  /** How many there may come to be by `grow`. */
  readonly mostCount: number;
  /** One Int32: the memories alive in all threads. */
  readonly memories: SharedArrayBuffer;
  readonly memoriesLimit: number;
  /** What runs the bindings that guests call. */
  readonly bindings?: UnitBindings<T> | undefined;
}

type LoadBalancer = NonNullable<ConstructorParameters<typeof Piscina>[0]>['loadBalancer'];

const NO_THREAD = -1;
/** The threads of a pool. */
export class Threads<T extends Sent> {
  readonly units: Set<Unit<T>> = new Set();
  readonly #piscina: Piscina;
  readonly #options: ThreadOptions<T>;
  /** How many there are to be now. */
  #count: number;
  readonly #events: ThreadEvents<T>;
  readonly #watched: WeakSet<Worker> = new WeakSet();
  /** The thread the balancer answers while a task is posted; Piscina asks it before `run` returns. */
  #chosen = NO_THREAD;
  #replaced = 0;
  readonly #starts: Starts = new Starts();
  /** What makes the requests of all guests. */
  readonly #outgoing: OutgoingThread = new OutgoingThread();
  /** What threads that are gone had put back. */
  #restores = { count: 0, totalNs: 0 };
  #closing: Promise<void> | undefined;
  /** Units whose threads have ended. What they shared is used again: the collector does not hurry for what is not its own. */
  readonly #ended: Unit<T>[] = [];
  readonly #loading: Loading = new Loading();

  constructor(options: ThreadOptions<T>, events: ThreadEvents<T>) {
    this.#options = options;
    this.#count = options.count;
    this.#events = events;
    this.#piscina = new Piscina({
      filename: fileURLToPath(new URL(`./entry${extname(import.meta.url)}`, import.meta.url)),
      name: 'serve',
      // Piscina would stop replacing threads for good after one that fails to start, and throws where none can catch it.
      minThreads: 0,
      maxThreads: options.mostCount,
      idleTimeout: Infinity,
      atomics: 'disabled',
      recordTiming: false,
      // What a thread that is ended has open, mounts and files of its guest among it, is closed with it.
      trackUnmanagedFds: true,
      loadBalancer: this.#balance,
    } as ConstructorParameters<typeof Piscina>[0]);
    // A worker's failure is told by its own events; Piscina's says no more.
    this.#piscina.on('error', () => {});
    // Piscina tells of a worker just before it can be given a task.
    this.#piscina.on('workerCreate', ({ id }: { id: number }) => queueMicrotask(() => this.#begin(id)));
    this.#fill();
  }

  /** Threads that started and were not stopped. */
  get ready(): number {
    let count = 0;
    for (const unit of this.units) if (unit.isStarted) count++;
    return count;
  }

  /** Threads there will be soon: those there are, as long as none can be started. */
  get expected(): number {
    return this.#starts.areFailing ? this.ready : this.#count;
  }

  /** Threads stopped or lost so far. */
  get replaced(): number {
    return this.#replaced;
  }

  /** What it takes to start a thread, in nanoseconds, as far as is known. */
  get startNs(): number {
    return this.#starts.startNs;
  }

  /** What all threads have put back so far. */
  get restores(): { readonly count: number; readonly totalNs: number } {
    const sum = { ...this.#restores };
    for (const { restores } of this.units) {
      sum.count += restores.count;
      sum.totalNs += restores.totalNs;
    }
    return sum;
  }

  /** Why there is no thread and will be none soon; undefined as long as there are some. */
  get unstartable(): { readonly error: unknown } | undefined {
    return this.#starts.unstartable;
  }

  /** Has one more thread be there. */
  grow(): void {
    this.#count++;
    if (!this.#starts.areFailing) this.#fill();
  }

  /** Ends a thread that is unused, and has none be started in its place; false when it holds an invocation, and lives on. */
  drop(unit: Unit<T>): boolean {
    if (!unit.isUnused) return false;
    this.#count--;
    this.#remove(unit, false);
    void unit.worker.terminate();
    return true;
  }

  /** Stops a thread, whatever it runs; another is started in its place. */
  stop(unit: Unit<T>): void {
    if (!unit.isAlive) return;
    this.#remove(unit);
    void unit.worker.terminate();
  }

  close(): Promise<void> {
    // A second `destroy` would end the first one's wait.
    this.#closing ??= this.#destroy();
    return this.#closing;
  }

  async #destroy(): Promise<void> {
    this.#starts.close();
    for (const unit of this.units) unit.close();
    this.units.clear();
    await this.#loading.done();
    await this.#piscina.destroy();
    await this.#outgoing.close();
  }

  /** Piscina keeps a task that finds no thread and then hands out no other: a thread that is gone refuses its task. */
  readonly #balance: LoadBalancer = (_task: PiscinaTask, workers) => {
    if (this.#chosen === NO_THREAD) return null;
    const chosen = workers.find((worker) => worker.id === this.#chosen);
    if (chosen === undefined) throw new Error('the thread has ended');
    return chosen;
  };

  /** Starts the threads that are missing. */
  #fill(): void {
    while (this.#closing === undefined && this.#piscina.threads.length < this.#count) {
      if (this.#add()) continue;
      this.#starts.failed();
      this.#refill();
      return;
    }
  }

  /** Starts the missing threads now, or after a pause if the last start failed. */
  #refill(): void {
    if (!this.#starts.areFailing) {
      this.#fill();
      return;
    }
    const given = this.units.size === 0 ? this.#starts.giveUp() : undefined;
    if (given !== undefined) this.#events.onUnstartable(given.error);
    this.#starts.tryLater(() => this.#fill());
  }

  /** Piscina starts a thread for a task that none may take; the task itself is taken back at once. */
  #add(): boolean {
    const controller = new AbortController();
    try {
      this.#piscina.run(undefined, { signal: controller.signal }).catch(() => {});
    } catch (error) {
      this.#starts.because(error);
    }
    controller.abort();
    const made = this.#piscina.threads.find((worker) => !this.#watched.has(worker));
    if (made === undefined) return false;
    this.#watch(made);
    return true;
  }

  #watch(worker: Worker): void {
    this.#watched.add(worker);
    const { bindings } = this.#options;
    const unit = new Unit<T>(worker, this.#events, (port) => this.#outgoing.connect(port), this.#ended.pop(), bindings);
    this.units.add(unit);
    worker.once('error', (error) => {
      this.#starts.because(error);
      this.#lose(unit, error);
    });
    worker.once('exit', (code) => this.#exited(unit, code));
    this.#loading.begin(unit.threadId);
  }

  #begin(threadId: number): void {
    this.#loading.end(threadId);
    const unit = [...this.units].find((candidate) => candidate.threadId === threadId);
    if (unit !== undefined) this.#loading.add(this.#start(unit));
  }

  /** A thread counts from the moment it serves its port. */
  async #start(unit: Unit<T>): Promise<void> {
    try {
      await this.#serve(unit);
    } catch (error) {
      this.#starts.because(error);
      this.stop(unit);
      return;
    }
    if (!unit.isAlive) return;
    unit.isStarted = true;
    unit.isOccupied = false;
    this.#starts.succeeded(monotonicNs() - unit.madeNs);
    this.#events.onReady();
  }

  async #serve(unit: Unit<T>): Promise<void> {
    const { memories, memoriesLimit } = this.#options;
    const { farPort: port, claims, ownMemories, threadMemory, threadId } = unit;
    const { waiting } = unit.suspended;
    const [requests, answers] = [unit.requests.buffer, unit.answers.buffer];
    const [restores, record] = [unit.restores.shared, unit.record.shared];
    const shared = { claims, waiting, requests, answers, memories, ownMemories, restores, threadMemory, record };
    const bindings = unit.desk?.shared;
    const task: Serve = { port, bindings, memoriesLimit, outgoingLosses: this.#outgoing.losses, ...shared };
    let serving: Promise<unknown>;
    this.#chosen = threadId;
    try {
      serving = this.#piscina.run(task, { transferList: [port] });
    } finally {
      this.#chosen = NO_THREAD;
    }
    await serving;
  }

  #lose(unit: Unit<T>, error: unknown): void {
    if (!unit.isAlive) return;
    // What it had answered is not lost with it, nor where its guests' streams are.
    unit.collectAll();
    this.#remove(unit);
    this.#events.onLost(unit, error);
  }

  #remove(unit: Unit<T>, isReplaced = true): void {
    if (this.units.delete(unit)) {
      if (isReplaced && this.#closing === undefined) this.#replaced++;
      this.#restores.count += unit.restores.count;
      this.#restores.totalNs += unit.restores.totalNs;
    }
    unit.close();
  }

  #exited(unit: Unit<T>, code: number): void {
    this.#loading.end(unit.threadId);
    this.#lose(unit, new Error(`it exited with code ${code}`));
    this.#ended.push(unit);
    // No finaliser of an ended thread runs: what it counted is taken back here.
    const own = Atomics.exchange(new Int32Array(unit.ownMemories), 0, 0);
    Atomics.sub(new Int32Array(this.#options.memories), 0, own);
    releaseThreadMemory(unit.threadMemory);
    if (this.#closing !== undefined) return;
    if (!unit.isStarted) this.#starts.failed();
    this.#refill();
  }
}
