/** Makes the load of `bench waits`: what its parent sends is done in turn, each answered by a message. */

import { Pool, type Dispatcher } from 'undici';
import type { GeneratorTask, LoadResult } from './generator.ts';

/** Told once with the status, or with the code of an error. */
type Done = (status: number | string) => void;

/** The least undici asks of whoever takes an answer. */
class Answer implements Dispatcher.DispatchHandler {
  readonly #done: Done;
  #status = 0;

  constructor(done: Done) {
    this.#done = done;
  }

  onRequestStart(): void {}

  onResponseStart(_controller: unknown, status: number): void {
    this.#status = status;
  }

  onResponseData(): void {}

  onResponseEnd(): void {
    this.#done(this.#status);
  }

  onResponseError(_controller: unknown, error: Error & { readonly code?: string }): void {
    this.#done(error.code ?? error.name);
  }
}

class Load {
  readonly #latenciesUs: number[] = [];
  readonly #failures: Record<string, number> = {};
  readonly #startedMs: number = performance.now();

  /** One request; `ended` follows its answer. */
  send(pool: Pool, task: { readonly path: string; readonly method: 'GET' | 'POST' }, ended: () => void): void {
    const sentMs = performance.now();
    const done = (status: number | string): void => {
      if (status === 200) this.#latenciesUs.push((performance.now() - sentMs) * 1000);
      else this.#failures[status] = (this.#failures[status] ?? 0) + 1;
      ended();
    };
    pool.dispatch({ path: task.path, method: task.method }, new Answer(done));
  }

  /** What came until now. */
  result(): LoadResult {
    const elapsedUs = (performance.now() - this.#startedMs) * 1000;
    return { latenciesUs: [...this.#latenciesUs], failures: { ...this.#failures }, elapsedUs };
  }
}

/** Resolves when `count` have ended, and with what has come then; after `limitMs` with what has come. */
function atOnce(pool: Pool, task: GeneratorTask & { kind: 'at-once' }): Promise<LoadResult> {
  return new Promise((resolve) => {
    const load = new Load();
    let left = task.count;
    const finish = (): void => {
      clearTimeout(timer);
      resolve(load.result());
    };
    const timer = setTimeout(finish, task.limitMs);
    for (let sent = 0; sent < task.count; sent++) {
      load.send(pool, task, () => {
        if (--left === 0) finish();
      });
    }
  });
}

/** Callers that ask as fast as they are answered. What is answered after the time is not of the result. */
function loop(pool: Pool, task: GeneratorTask & { kind: 'loop' }): Promise<LoadResult> {
  return new Promise((resolve) => {
    const load = new Load();
    let left = task.callers;
    let result: LoadResult | undefined;
    const finish = (): void => {
      clearTimeout(limit);
      if (result !== undefined) resolve(result);
    };
    setTimeout(() => (result = load.result()), task.seconds * 1000);
    // Those under way end before the next task begins.
    const limit = setTimeout(finish, task.seconds * 1000 + task.limitMs);
    const next = (): void => {
      if (result === undefined) load.send(pool, task, next);
      else if (--left === 0) finish();
    };
    for (let caller = 0; caller < task.callers; caller++) next();
  });
}

let pool: Pool | undefined;

async function run(task: GeneratorTask): Promise<LoadResult> {
  if (task.kind === 'open' || task.kind === 'leave') {
    await pool?.destroy();
    pool = undefined;
    if (task.kind === 'leave') return new Load().result();
    const { origin, connections, path, method, limitMs } = task;
    pool = new Pool(origin, { connections, pipelining: 1, headersTimeout: 0, bodyTimeout: 0 });
    return atOnce(pool, { kind: 'at-once', path, method, count: connections, limitMs });
  }
  if (pool === undefined) throw new Error('Cannot make a load: no connection was opened');
  return task.kind === 'loop' ? loop(pool, task) : atOnce(pool, task);
}

process.on('message', (task: GeneratorTask) => void run(task).then((result) => process.send?.(result)));
process.once('disconnect', () => process.exit());
