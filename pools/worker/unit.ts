/** One worker thread as the pool sees it: what it holds, what it has been sent and not yet answered. */

import { MessageChannel, receiveMessageOnPort, type MessagePort, type Worker } from 'node:worker_threads';
import { messageOf } from '../../host/errors.ts';
import { monotonicNs } from '../../host/monotonic.ts';
import { THREAD_MEMORY_BYTES } from '../../host/linux/thread-memory.ts';
import type { Outcome } from '../../host/outcome.ts';
import { RestoreTally } from '../../host/restore-tally.ts';
import { RunReader, type Recorded, type StreamBuffer } from '../../host/wasi/session/run-record.ts';
import { AnswerBox } from './answer-box.ts';
import {
  ANSWERS_LEFT,
  decodeOutcome,
  REQUESTS_LEFT,
  revoke,
  SLOTS,
  type Answer,
  type Chore,
  type ChoreAnswer,
  type InvokeAnswer,
  type Installation,
  type InvokeRequest,
  type Refusal,
} from './messages.ts';
import { INPUT_BYTES, RequestBox } from './request-box.ts';

/** A version that a thread is to forget. */
export interface Removal {
  readonly id: string;
  /** Called once the thread can hold nothing of it any more. */
  readonly done: () => void;
}

/** What a worker is asked to run. */
export interface Sending {
  readonly id: string;
  readonly input: Uint8Array;
  readonly calledNs: number;
  readonly given: InvokeRequest[6];
  /** The function, if the worker does not have it. */
  readonly install: Installation | undefined;
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

/** One worker thread. */
export class Unit<T extends Sent> {
  readonly worker: Worker;
  readonly threadId: number;
  readonly madeNs: number = monotonicNs();
  /** Functions it has been given. */
  readonly installed: Set<string> = new Set();
  /** Functions it is to forget when it is idle. */
  readonly leaving: Removal[] = [];
  /** Invocations in the order they were sent; the first is the one that runs. */
  readonly inFlight: T[] = [];
  readonly claims: SharedArrayBuffer = new SharedArrayBuffer(SLOTS * 4);
  readonly requests: RequestBox;
  readonly answers: AnswerBox;
  /** What its guest has written and used so far. */
  readonly record: RunReader;
  readonly ownMemories: SharedArrayBuffer = new SharedArrayBuffer(4);
  readonly threadMemory: SharedArrayBuffer = new SharedArrayBuffer(THREAD_MEMORY_BYTES);
  /** What it put back after its answers. */
  readonly restores: RestoreTally = new RestoreTally();
  /** The worker's end of the port, to be handed over. */
  readonly farPort: MessagePort;
  /** What its invocations are expected to take together, in nanoseconds. */
  backlogNs = 0;
  /** True while it does something that is no invocation, and until it is ready. */
  isOccupied = true;
  /** False from the moment it is to be stopped. */
  isAlive = true;
  /** Whether it was ever ready. */
  isStarted = false;
  readonly #port: MessagePort;
  readonly #events: UnitEvents<T>;
  readonly #onOutcome = (ticket: number, outcome: Outcome): void => this.#events.onOutcome(this, ticket, outcome);
  readonly #cells: Int32Array;
  #tickets = 0;
  /** Functions that the worker knows by a number. */
  readonly #numbers: Map<string, number> = new Map();
  #numbered = 0;
  #freeSlots: number[] = Array.from({ length: SLOTS }, (_, slot) => slot);

  /** `ended` is a unit whose thread has ended: its boxes are used again. */
  constructor(worker: Worker, events: UnitEvents<T>, ended?: Unit<T>) {
    this.requests = new RequestBox(cleared(ended?.requests.buffer));
    this.answers = new AnswerBox(cleared(ended?.answers.buffer));
    this.record = new RunReader(cleared(ended?.record.shared));
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
  get isIdle(): boolean {
    return this.isAlive && !this.isOccupied && this.inFlight.length === 0;
  }

  /** Whether it can be sent an invocation, to be run after those it has. */
  get isOpen(): boolean {
    return this.isAlive && !this.isOccupied && this.#freeSlots.length > 0 && this.requests.hasRoom;
  }

  /** Sends an invocation; one that cannot cross a thread is refused as if the worker had. */
  send(sent: T, what: Sending): void {
    const slot = this.#freeSlots.pop() as number;
    const ticket = (this.#tickets = (this.#tickets % 0x3fff_ffff) + 1);
    sent.slot = slot;
    sent.ticket = ticket;
    Atomics.store(this.#cells, slot, ticket);
    if (this.inFlight.push(sent) === 1) this.#port.ref();
    const functionNumber = this.#numbers.get(what.id);
    if (functionNumber !== undefined && fits(what)) {
      this.requests.leave(slot, ticket, functionNumber, what.calledNs, what.input);
    } else if (!this.#post(slot, ticket, what)) return;
    if (this.requests.mustCall()) this.#port.postMessage(REQUESTS_LEFT);
  }

  #post(slot: number, ticket: number, { id, input, calledNs, given, install }: Sending): boolean {
    const functionNumber = this.#numbers.get(id) ?? this.#numbered++;
    // A view of a larger buffer would carry all of it across.
    const own = input.length === input.buffer.byteLength ? input : new Uint8Array(input);
    const request: InvokeRequest = [slot, ticket, id, functionNumber, own, calledNs, given, install];
    try {
      this.#port.postMessage(request);
    } catch (error) {
      // It did not bring the function along.
      if (install !== undefined) this.installed.delete(id);
      const detail = messageOf(error);
      const refusal: Refusal = { ok: false, ticket, failure: undefined, detail, isUnsent: true };
      queueMicrotask(() => this.#hear(refusal));
      return false;
    }
    this.#numbers.set(id, functionNumber);
    this.requests.leavePosted(slot, ticket);
    return true;
  }

  /** Tells of the answers that the worker has left, without waiting to be called for them. */
  collect(): void {
    if (this.isAlive) this.answers.take(this.#onOutcome);
  }

  /** The same with what travels over the port and has not been heard yet. */
  collectAll(): void {
    this.collect();
    for (;;) {
      const received: { message: Answer } | undefined = this.isAlive ? receiveMessageOnPort(this.#port) : undefined;
      if (received === undefined) return;
      if (received.message !== ANSWERS_LEFT) this.#tell(received.message);
    }
  }

  /** What an invocation that it runs has come to so far; undefined when its guest has not begun. It may be answered by this. */
  recorded({ ticket }: T): Recorded | undefined {
    return this.record.read(ticket, () => this.collectAll());
  }

  #hear(answer: Answer): void {
    // Those in the box were left before what came over the port, or are as good as that.
    this.collect();
    if (answer !== ANSWERS_LEFT) this.#tell(answer);
    this.#events.onTold();
  }

  #tell(answer: InvokeAnswer | Refusal | ChoreAnswer | StreamBuffer): void {
    if ('stream' in answer) this.record.add(answer);
    else if ('length' in answer) this.#events.onOutcome(this, answer[0], decodeOutcome(answer));
    else if (!answer.ok && answer.ticket !== undefined) this.#events.onRefusal(this, answer.ticket, answer);
    else this.#events.onChoreDone(this, answer);
  }

  sendChore(chore: Chore): void {
    this.isOccupied = true;
    if (chore.op === 'remove') this.#numbers.delete(chore.id);
    this.#port.ref();
    this.#port.postMessage(chore);
  }

  choreDone(): void {
    this.isOccupied = false;
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
    this.isAlive = false;
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

function cleared(buffer: SharedArrayBuffer | undefined): SharedArrayBuffer | undefined {
  if (buffer !== undefined) new Uint8Array(buffer).fill(0);
  return buffer;
}

/** Whether the request box can hold it. A view whose buffer was given away has no bytes, and is left to be refused. */
function fits({ input, given, install }: Sending): boolean {
  if (given !== undefined || install !== undefined || input.length > INPUT_BYTES) return false;
  return input.length > 0 || !isDetached(input.buffer);
}

function isDetached(buffer: ArrayBufferLike): boolean {
  if (buffer.byteLength > 0) return false;
  try {
    return new Uint8Array(buffer).length > 0;
  } catch {
    return true;
  }
}
