/** A guest thread's way to the thread for outgoing requests, which it asks for with the first of them. */

import { MessageChannel, type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import type { OutgoingAnswer, OutgoingMessage } from './messages.ts';
import { OutgoingThread } from './thread.ts';

type Listener = (answer: OutgoingAnswer) => void;

/** How a guest thread reaches the thread for outgoing requests. */
export interface OutgoingAccess {
  /** See `OutgoingThread`. */
  readonly losses: SharedArrayBuffer;
  /** Hands a port over to it. */
  connect(port: MessagePort): void;
}

/** The way of one guest thread to one thread for outgoing requests; each request and socket has an id. */
export class Outgoing {
  readonly #port: MessagePort;
  readonly #losses: Int32Array;
  readonly #seenLosses: number;
  readonly #listeners: Map<number, Listener> = new Map();
  #lastId = 0;
  #isLost = false;

  constructor(access: OutgoingAccess) {
    this.#losses = new Int32Array(access.losses);
    this.#seenLosses = Atomics.load(this.#losses, 0);
    const { port1, port2 } = new MessageChannel();
    // It keeps nothing alive.
    port1.unref();
    this.#port = port1;
    access.connect(port2);
  }

  /** Whether the thread has ended, so that nothing can be sent this way any more. */
  get isLost(): boolean {
    return this.#isLost || Atomics.load(this.#losses, 0) !== this.#seenLosses;
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

  send(message: OutgoingMessage): void {
    this.#port.postMessage(message);
  }

  /** Hands on what has arrived, without the event loop's help; where the thread has ended, that all has failed. */
  readonly receive = (): void => {
    for (let next = receiveMessageOnPort(this.#port); next !== undefined; next = receiveMessageOnPort(this.#port)) {
      for (const answer of next.message as OutgoingAnswer[]) this.#listeners.get(answer.id)?.(answer);
    }
    if (this.isLost) this.#lose();
  };

  /** A fault of ours: what is under way has failed. */
  #lose(): void {
    if (this.#isLost) return;
    this.#isLost = true;
    this.#port.close();
    for (const [id, listener] of this.#listeners) {
      listener({ kind: 'error', id, code: { tag: 'internal-error' } });
      listener({ kind: 'socket-error', id, code: 'unknown' });
    }
    this.#listeners.clear();
  }
}

let access: OutgoingAccess | undefined;
let outgoing: Outgoing | undefined;

/** Has the guests of this thread use a thread that others use, too. Without it, theirs is one of their own. */
export function shareOutgoing(given: OutgoingAccess): void {
  access = given;
}

function ownThread(): OutgoingAccess {
  const thread = new OutgoingThread();
  return { losses: thread.losses, connect: (port) => thread.connect(port) };
}

/** The one of this thread. */
export function outgoingOfThread(): Outgoing {
  // What came for guests that have ended is memory until somebody takes it.
  outgoing?.receive();
  if (outgoing === undefined || outgoing.isLost) {
    access ??= ownThread();
    outgoing = new Outgoing(access);
  }
  return outgoing;
}
