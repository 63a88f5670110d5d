/** The thread for outgoing requests, as whoever owns it sees it: started when it is first needed, and again when it was lost. */

import { extname } from 'node:path';
import { type MessagePort, Worker } from 'node:worker_threads';
import { isLost, tellLoss } from './losses.ts';
import type { OutgoingThreadData } from './messages.ts';

/** How long after a thread could not be started none is, in milliseconds: what forbade it may have passed by then. */
const PAUSE_MS = 250;

/** Starts a thread. Throws where the machine allows no further one. */
export type StartWorker = (data: OutgoingThreadData) => Worker;

function startWorker(workerData: OutgoingThreadData): Worker {
  const file = new URL(`./entry${extname(import.meta.url)}`, import.meta.url);
  return new Worker(file, { name: 'outgoing', workerData });
}

interface Running {
  readonly number: number;
  readonly worker: Worker;
  /** Resolves once it may be ended: a thread that is ended while it loads native code takes the process with it. */
  readonly loaded: Promise<void>;
}

/** One thread for outgoing requests at most, for any number of guest threads. */
export class OutgoingThread {
  /** See losses.ts: a guest thread that sees it change has lost its requests. */
  readonly losses: SharedArrayBuffer = new SharedArrayBuffer(4);
  readonly #startWorker: StartWorker;
  #running: Running | undefined;
  #started = 0;
  /** Of the threads, and of those that could not be started. */
  #lastNumber = 0;
  /** When the next may be started, on the clock of `performance.now`. */
  #pausedUntilMs = 0;
  #isClosed = false;

  constructor(start: StartWorker = startWorker) {
    this.#startWorker = start;
  }

  /** Threads started so far. */
  get started(): number {
    return this.#started;
  }

  /** Gives a guest thread's port to the thread; where there is none, and none can be started, as to one that is lost. */
  connect(port: MessagePort): void {
    // It may have said so itself before its end is heard of here, and to whoever asks for a way after that.
    if (this.#running !== undefined && isLost(this.losses, this.#running.number)) this.#running = undefined;
    this.#running ??= this.#start();
    if (this.#running === undefined) port.close();
    else this.#running.worker.postMessage(port, [port]);
  }

  /** Ends it, with all that guests have under way in it. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const running = this.#running;
    await running?.loaded;
    await running?.worker.terminate();
  }

  /** Undefined where none is to be had now, which every guest thread is told. */
  #start(): Running | undefined {
    const number = ++this.#lastNumber;
    const worker = this.#tryStart(number);
    if (worker === undefined) {
      tellLoss(this.losses, number);
      return undefined;
    }
    this.#started++;
    // It keeps nothing alive: who waits for it does.
    worker.unref();
    const loaded = new Promise<void>((resolve) => {
      worker.once('message', () => resolve());
      worker.once('exit', () => resolve());
    });
    worker.once('error', () => this.#lose(number));
    worker.once('exit', () => this.#lose(number));
    return { number, worker, loaded };
  }

  #tryStart(number: number): Worker | undefined {
    if (this.#isClosed || performance.now() < this.#pausedUntilMs) return undefined;
    try {
      return this.#startWorker({ losses: this.losses, number });
    } catch {
      this.#pausedUntilMs = performance.now() + PAUSE_MS;
      return undefined;
    }
  }

  #lose(number: number): void {
    tellLoss(this.losses, number);
    if (this.#running?.number === number) this.#running = undefined;
  }
}
