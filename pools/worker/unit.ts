/** One worker thread as the pool sees it: what it holds, what it has been sent and not yet answered. */

import { MessageChannel, type MessagePort, type Worker } from 'node:worker_threads';
import { messageOf } from '../../host/errors.ts';
import type { Outcome } from '../../host/outcome.ts';
import { RestoreTally } from '../../host/restore-tally.ts';
import { AnswerBox } from './answer-box.ts';
import {
  ANSWERS_LEFT,
  decodeOutcome,
  revoke,
  SLOTS,
  type Answer,
  type Chore,
  type ChoreAnswer,
  type InvokeAnswer,
  type InvokeRequest,
  type Refusal,
} from './messages.ts';

/** A version that a thread is to forget. */
export interface Departure {
  readonly id: string;
  /** Called once the thread can hold nothing of it any more. */
  readonly done: () => void;
}

/** Something that was sent to a worker and will be answered. */
export interface Sent {
  /** Set by the unit. */
  ticket: number;
  slot: number;
}

/** Told of what a worker answers. */
export interface UnitEvents<T extends Sent> {
  onOutcome(unit: Unit<T>, ticket: number, outcome: Outcome): void;
  onRefusal(unit: Unit<T>, ticket: number, refusal: Refusal): void;
  onChoreDone(unit: Unit<T>, answer: ChoreAnswer): void;
  /** All that had been answered was told. */
  onTold(): void;
}

export class Unit<T extends Sent> {
  readonly worker: Worker;
  readonly threadId: number;
  /** Functions it has been given. */
  readonly installed: Set<string> = new Set();
  /** Functions it is to forget when it is idle. */
  readonly leaving: Departure[] = [];
  /** Invocations in the order they were sent; the first is the one that runs. */
  readonly inFlight: T[] = [];
  readonly claims: SharedArrayBuffer = new SharedArrayBuffer(SLOTS * 4);
  readonly answers: AnswerBox = new AnswerBox();
  readonly ownMemories: SharedArrayBuffer = new SharedArrayBuffer(4);
  /** What it put back after its answers. */
  readonly restores: RestoreTally = new RestoreTally();
  /** The worker's end of the port, to be handed over. */
  readonly farPort: MessagePort;
  /** What its invocations are expected to take together, in nanoseconds. */
  backlogNs = 0;
  /** True while it does something that is no invocation, and until it is ready. */
  occupied = true;
  /** False from the moment it is to be stopped. */
  alive = true;
  /** Whether it was ever ready. */
  started = false;
  readonly #port: MessagePort;
  readonly #events: UnitEvents<T>;
  readonly #onOutcome = (ticket: number, outcome: Outcome): void => this.#events.onOutcome(this, ticket, outcome);
  readonly #cells: Int32Array;
  #tickets = 0;
  /** Invocations to be sent together, at the end of this turn of the event loop or when the worker answers. */
  #outbox: InvokeRequest[] = [];
  readonly #flush = (): void => this.flush();
  #freeSlots: number[] = Array.from({ length: SLOTS }, (_, slot) => slot);

  constructor(worker: Worker, events: UnitEvents<T>) {
    const { port1, port2 } = new MessageChannel();
    this.worker = worker;
    this.threadId = worker.threadId;
    this.farPort = port2;
    this.#port = port1;
    this.#events = events;
    this.#cells = new Int32Array(this.claims);
    port1.on('message', (answer: Answer) => this.#hear(answer));
    // Only a call in flight keeps the process alive.
    port1.unref();
  }

  /** Whether it can start an invocation at once. */
  get idle(): boolean {
    return this.alive && !this.occupied && this.inFlight.length === 0;
  }

  /** Whether it can be sent an invocation, to be run after those it has. */
  get open(): boolean {
    return this.alive && !this.occupied && this.#freeSlots.length > 0;
  }

  /** Sends an invocation, with what `fill` puts behind its slot and ticket. */
  send(sent: T, fill: (slot: number, ticket: number) => InvokeRequest): void {
    const slot = this.#freeSlots.pop() as number;
    const ticket = (this.#tickets = (this.#tickets % 0x3fff_ffff) + 1);
    sent.slot = slot;
    sent.ticket = ticket;
    Atomics.store(this.#cells, slot, ticket);
    const isFirst = this.inFlight.push(sent) === 1;
    if (isFirst) {
      this.#port.ref();
      this.#post([fill(slot, ticket)]);
    } else if (this.#outbox.push(fill(slot, ticket)) === 1) setImmediate(this.#flush);
  }

  /** Tells of the answers that the worker has left, without waiting to be called for them. */
  collect(): void {
    this.answers.take(this.#onOutcome);
  }

  #hear(answer: Answer): void {
    // Those in the box were left before what came over the port, or are as good as that.
    this.collect();
    if (answer !== ANSWERS_LEFT) this.#tell(answer);
    this.flush();
    this.#events.onTold();
  }

  #tell(answer: InvokeAnswer | Refusal | ChoreAnswer): void {
    if ('length' in answer) this.#events.onOutcome(this, answer[0], decodeOutcome(answer));
    else if (!answer.ok && answer.ticket !== undefined) this.#events.onRefusal(this, answer.ticket, answer);
    else this.#events.onChoreDone(this, answer);
  }

  /** Sends what waits to be sent together. */
  flush(): void {
    if (this.#outbox.length === 0) return;
    const requests = this.#outbox;
    this.#outbox = [];
    if (this.alive) this.#post(requests);
  }

  /** Posts requests; one that cannot cross a thread is refused as if the worker had, and keeps no other back. */
  #post(requests: readonly InvokeRequest[]): void {
    try {
      this.#port.postMessage(requests);
    } catch (error) {
      const [first, ...others] = requests;
      if (first !== undefined && others.length === 0) {
        const refusal = {
          ok: false,
          ticket: first[1],
          failure: undefined,
          detail: messageOf(error),
          isUnsent: true,
        } as const;
        queueMicrotask(() => this.#hear(refusal));
      } else for (const request of requests) this.#post([request]);
    }
  }

  sendChore(chore: Chore): void {
    this.occupied = true;
    this.#port.ref();
    this.#port.postMessage(chore);
  }

  choreDone(): void {
    this.occupied = false;
    this.#port.unref();
  }

  /** Takes the answered invocation off the list; undefined when it is not on it any more. */
  answered(ticket: number): T | undefined {
    const at = this.inFlight.findIndex((sent) => sent.ticket === ticket);
    return at < 0 ? undefined : this.#takeOff(at);
  }

  /** Takes back an invocation that the worker has not taken up; false when it has. */
  takeBack(sent: T): boolean {
    const at = this.inFlight.indexOf(sent);
    if (at < 0 || !revoke(this.#cells, sent.slot, sent.ticket)) return false;
    this.#takeOff(at);
    return true;
  }

  /** Stops listening; what it has not answered by now it never will. */
  close(): void {
    this.alive = false;
    this.#port.close();
    for (const { done } of this.leaving.splice(0)) done();
  }

  #takeOff(at: number): T {
    const [sent] = this.inFlight.splice(at, 1) as [T];
    this.#freeSlots.push(sent.slot);
    if (this.inFlight.length === 0) this.#port.unref();
    return sent;
  }
}
