/** A process that asks, so that what it takes is not the server's, nor the measurement's. */

import { fork, type ChildProcess } from 'node:child_process';
import { extname, join } from 'node:path';

/** What a request asks for. */
interface Asked {
  readonly path: string;
  readonly method: 'GET' | 'POST';
  /** After so long what is still under way is not waited for. */
  readonly limitMs: number;
}

/** What a generator is told to do. */
export type GeneratorTask =
  | (Asked & { readonly kind: 'open'; readonly origin: string; readonly connections: number })
  | (Asked & { readonly kind: 'at-once'; readonly count: number })
  | (Asked & { readonly kind: 'loop'; readonly callers: number; readonly seconds: number })
  | { readonly kind: 'leave' };

/** What came of a load. */
export interface LoadResult {
  /** Of the requests that were answered 200, in the order in which they were. */
  readonly latenciesUs: readonly number[];
  /** How many were answered otherwise: by status, or by the code of an error. */
  readonly failures: Readonly<Record<string, number>>;
  /** From the first request to the last answer, or to the end of the time that there was. */
  readonly elapsedUs: number;
}

/** One load generator. Its tasks are done one after another. */
export class Generator {
  readonly #child: ChildProcess;

  constructor() {
    const path = join(import.meta.dirname, `generator-process${extname(import.meta.filename)}`);
    this.#child = fork(path, { execArgv: ['--no-warnings'] });
  }

  /** Opens connections, each by a request, in the place of those before. */
  open(origin: string, connections: number, asked: Asked): Promise<LoadResult> {
    return this.#do({ ...asked, kind: 'open', origin, connections });
  }

  /** So many requests at once. */
  atOnce(count: number, asked: Asked): Promise<LoadResult> {
    return this.#do({ ...asked, kind: 'at-once', count });
  }

  /** Callers that ask again as soon as they are answered. */
  loop(callers: number, seconds: number, asked: Asked): Promise<LoadResult> {
    return this.#do({ ...asked, kind: 'loop', callers, seconds });
  }

  /** Closes its connections, whatever is under way there. */
  async leave(): Promise<void> {
    await this.#do({ kind: 'leave' });
  }

  /** Ends its process. */
  async close(): Promise<void> {
    const child = this.#child;
    if (child.exitCode !== null || child.signalCode !== null) return;
    const closed = new Promise((resolve) => child.once('exit', resolve));
    child.disconnect();
    await closed;
  }

  /** @throws Error when its process ends meanwhile */
  #do(task: GeneratorTask): Promise<LoadResult> {
    const child = this.#child;
    return new Promise((resolve, reject) => {
      const ended = (code: number | null): void =>
        reject(new Error(`Cannot make a load: its process exited with ${code}`));
      child.once('exit', ended);
      child.once('message', (result) => {
        child.off('exit', ended);
        resolve(result as LoadResult);
      });
      child.send(task);
    });
  }
}
