/**
 * What one guest thread has under way in the thread for outgoing requests: it ends with that thread's port, and leaves
 * nothing. Answers that come in the same turn of the event loop travel together and wake their guests once.
 */

import type { MessagePort } from 'node:worker_threads';
import { bump } from '../channel/signal.ts';
import { HttpRequest } from './http-request.ts';
import type { HttpStart, OutgoingAnswer, OutgoingMessage } from './messages.ts';
import { isSocketMessage, Sockets } from './socket-connections.ts';

/** Requests of one guest to one origin that are made at once; further ones wait for their turn. */
const AT_ONCE = 16;

/** Requests of all guests of one thread that are made at once: each has a file descriptor of the process. */
const AT_ONCE_TOGETHER = 256;

/** Requests of one guest to one origin. */
interface Lane {
  running: number;
  readonly waiting: Set<HttpRequest>;
}

/** The way of one guest thread to the outside. */
class GuestLink {
  readonly #port: MessagePort;
  readonly #requests: Map<number, HttpRequest> = new Map();
  readonly #lanes: Map<string, Lane> = new Map();
  readonly #sockets: Sockets = new Sockets((answer, signal) => this.#tell(answer, signal));
  #answers: OutgoingAnswer[] = [];
  #signals: Set<Int32Array> = new Set();
  #running = 0;
  #isClosed = false;

  constructor(port: MessagePort) {
    this.#port = port;
  }

  /** Hands over what was told and has not been sent yet, and wakes those it is for. */
  #flush(): void {
    const [answers, signals] = [this.#answers, this.#signals];
    this.#answers = [];
    this.#signals = new Set();
    this.#port.postMessage(answers);
    for (const signal of signals) bump(signal, 0);
  }

  accept(message: OutgoingMessage): void {
    if (isSocketMessage(message)) this.#sockets.accept(message);
    else if (message.op === 'start') this.#start(message);
    else this.#requests.get(message.id)?.accept(message);
  }

  #start(start: HttpStart): void {
    const signal = new Int32Array(start.signal, 0, 1);
    const key = `${start.guest} ${start.origin}`;
    const lane = this.#lanes.get(key) ?? { running: 0, waiting: new Set() };
    this.#lanes.set(key, lane);
    const request = new HttpRequest(start, {
      onAnswer: (answer) => this.#tell(answer, signal),
      onOver: () => {
        this.#requests.delete(start.id);
        // One that was aborted before its turn has held none.
        if (lane.waiting.delete(request)) this.#next(key, lane);
        else this.#free(key, lane);
      },
    });
    this.#requests.set(start.id, request);
    lane.waiting.add(request);
    this.#next(key, lane);
    if (lane.waiting.has(request)) request.waitForTurn();
  }

  #free(key: string, lane: Lane): void {
    lane.running--;
    const wasFull = this.#running-- === AT_ONCE_TOGETHER;
    this.#next(key, lane);
    if (wasFull) for (const [each, other] of this.#lanes) this.#next(each, other);
  }

  #next(key: string, lane: Lane): void {
    for (const request of lane.waiting) {
      if (this.#isClosed || lane.running >= AT_ONCE || this.#running >= AT_ONCE_TOGETHER) return;
      lane.waiting.delete(request);
      lane.running++;
      this.#running++;
      request.run();
    }
    if (lane.running === 0) this.#lanes.delete(key);
  }

  #tell(answer: OutgoingAnswer, signal: Int32Array | undefined): void {
    if (this.#answers.push(answer) === 1) process.nextTick(() => this.#flush());
    if (signal !== undefined) this.#signals.add(signal);
  }

  /** Its guest thread has ended, or has let go of it. */
  close(): void {
    // Those that wait are not to begin in the places of those that end.
    this.#isClosed = true;
    for (const request of this.#requests.values()) request.abort();
    this.#sockets.close();
  }
}

/** Makes the requests of the guest thread at the other end of a port, and holds its sockets, until that thread ends. */
export function serveGuests(port: MessagePort): void {
  const link = new GuestLink(port);
  port.on('message', (message: OutgoingMessage) => link.accept(message));
  port.once('close', () => link.close());
}
