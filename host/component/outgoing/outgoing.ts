/** A guest thread's way to its thread for outgoing requests, which is started with the first of them. */

import { extname } from 'node:path';
import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from 'node:worker_threads';
import type { OutgoingAnswer, OutgoingRequestMessage } from './messages.ts';

type Listener = (answer: OutgoingAnswer) => void;

/** The way of one guest thread to its thread for outgoing requests; each request and socket has an id. */
export class Outgoing {
  readonly #port: MessagePort;
  readonly #listeners: Map<number, Listener> = new Map();
  #lastId = 0;

  constructor() {
    const { port1, port2 } = new MessageChannel();
    const file = new URL(`./outgoing-thread${extname(import.meta.url)}`, import.meta.url);
    const thread = new Worker(file, { workerData: { port: port2 }, transferList: [port2] });
    thread.once('error', () => this.#lose());
    // It ends with the thread that started it, and keeps nothing alive.
    thread.unref();
    port1.unref();
    this.#port = port1;
  }

  /** Begins to listen for one request's answers; the id is its own. */
  open(listener: Listener): number {
    this.#lastId++;
    this.#listeners.set(this.#lastId, listener);
    return this.#lastId;
  }

  close(id: number): void {
    this.#listeners.delete(id);
  }

  send(message: OutgoingRequestMessage): void {
    this.#port.postMessage(message);
  }

  /** The thread has ended, which is a fault of ours: what is under way has failed, and the next request starts another. */
  #lose(): void {
    if (outgoing === this) outgoing = undefined;
    for (const [id, listener] of this.#listeners) {
      listener({ kind: 'error', id, code: { tag: 'internal-error' } });
      listener({ kind: 'socket-error', id, code: 'unknown' });
    }
    this.#listeners.clear();
  }

  /** Hands on what has arrived, without the event loop's help. */
  receive(): void {
    for (let next = receiveMessageOnPort(this.#port); next !== undefined; next = receiveMessageOnPort(this.#port)) {
      const answer = next.message as OutgoingAnswer;
      this.#listeners.get(answer.id)?.(answer);
    }
  }
}

let outgoing: Outgoing | undefined;

/** The one of this thread. */
export function outgoingOfThread(): Outgoing {
  outgoing ??= new Outgoing();
  return outgoing;
}
