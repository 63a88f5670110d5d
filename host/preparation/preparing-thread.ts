/**
 * The thread that owns preparing processes, as the one that serves calls sees it. What comes over their pipes, copies of it and
 * compiling make garbage by the megabyte, whose collection would stop every call for as long as it takes.
 */

import { once } from 'node:events';
import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { fromFailure, messageOf, NebulaError } from '../errors.ts';
import { prepareCompiled, type CompiledPreparations } from './compiled.ts';
import type { PreparationBounds, PreparationTask } from './task.ts';
import type { ThreadAnswer, ThreadData, ThreadRequest } from './thread-messages.ts';

/** How long one without a task is kept, like the processes it owns. */
const IDLE_MS = 5000;

interface Pending {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** Starts the thread. Throws where the machine, or who started Node, allows none. */
export type StartThread = () => Worker;

function startThread(): Worker {
  const workerData: ThreadData = { execPath: process.execPath };
  const file = new URL(`./thread-entry${extname(import.meta.url)}`, import.meta.url);
  return new Worker(file, { name: 'preparing', workerData, argv: process.argv.slice(1) });
}

export class PreparingThread {
  readonly #worker: Worker;
  /** Whether it has come so far as to take tasks. */
  readonly #started: Promise<boolean>;
  readonly #gone: Promise<unknown>;
  readonly #pending: Map<number, Pending> = new Map();
  #lastTicket = 0;
  #underWay = 0;
  #idle: NodeJS.Timeout | undefined;
  #lastError: unknown;
  #isUsable = true;

  /** @throws what `start` throws */
  constructor(start: StartThread = startThread) {
    const worker = start();
    this.#worker = worker;
    this.#gone = once(worker, 'exit').catch(() => undefined);
    this.#started = new Promise((resolve) => {
      worker.on('message', (answer: ThreadAnswer) => (answer.kind === 'ready' ? resolve(true) : this.#take(answer)));
      worker.on('error', (error) => {
        this.#lastError = error;
      });
      // Whose answer it was is not told.
      worker.on('messageerror', (error) => {
        this.#lastError = error;
        void worker.terminate();
      });
      worker.on('exit', (code) => {
        resolve(false);
        this.#lose(code);
      });
    });
  }

  /** Whether it can take another task. */
  get isUsable(): boolean {
    return this.#isUsable;
  }

  get isIdle(): boolean {
    return this.#underWay === 0;
  }

  /**
   * Does a task, in the caller's thread where this one could not be started: its file may be none of a bundle.
   * @throws NebulaError as `prepareCompiled`; PREPARER_LOST where the thread ended in the middle of it
   */
  async prepare<Task extends PreparationTask>(
    task: Task,
    bounds: PreparationBounds,
  ): Promise<CompiledPreparations[Task['kind']]> {
    this.#hold();
    try {
      if (!(await this.#started)) return await prepareCompiled(task, bounds);
      return (await this.#ask(task, bounds)) as CompiledPreparations[Task['kind']];
    } finally {
      this.#release();
    }
  }

  /** Ends it, and waits until it and its processes are gone. It must be idle. */
  async leave(): Promise<void> {
    this.#end();
    this.#worker.ref();
    await this.#gone;
  }

  #ask(task: PreparationTask, bounds: PreparationBounds): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const ticket = ++this.#lastTicket;
      // Bytes that are not shared are copied here.
      this.#send({ kind: 'task', ticket, task, bounds });
      this.#pending.set(ticket, { resolve, reject });
    });
  }

  #send(request: ThreadRequest): void {
    this.#worker.postMessage(request);
  }

  #take(answer: Exclude<ThreadAnswer, { kind: 'ready' }>): void {
    const pending = this.#pending.get(answer.ticket);
    this.#pending.delete(answer.ticket);
    switch (answer.kind) {
      case 'done':
        return pending?.resolve(answer.result);
      case 'failed':
        return pending?.reject(fromFailure(answer.failure));
      case 'error':
        return pending?.reject(answer.error);
      default:
        return answer satisfies never;
    }
  }

  #lose(code: number): void {
    this.#isUsable = false;
    clearTimeout(this.#idle);
    const cause = this.#lastError;
    const detail = cause === undefined ? `its thread exited with ${code}` : `its thread failed: ${messageOf(cause)}`;
    for (const { reject } of this.#pending.values())
      reject(new NebulaError('PREPARER_LOST', { step: 'preparing', detail }, { cause }));
    this.#pending.clear();
  }

  #end(): void {
    clearTimeout(this.#idle);
    if (this.#isUsable) this.#send({ kind: 'end' });
    this.#isUsable = false;
  }

  /** Only a task under way keeps the process that serves from ending. */
  #hold(): void {
    this.#underWay++;
    clearTimeout(this.#idle);
    this.#worker.ref();
  }

  #release(): void {
    if (--this.#underWay > 0) return;
    this.#worker.unref();
    if (this.#isUsable) this.#idle = setTimeout(() => this.#end(), IDLE_MS).unref();
  }
}
