/** One worker thread as the pool sees it: what it holds, what it has been sent and not yet answered. */

import { MessageChannel, type MessagePort, type Worker } from 'node:worker_threads';
import { bump, guestSignal } from '../../host/component/channel/signal.ts';
import { monotonicNs } from '../../host/monotonic.ts';
import { THREAD_MEMORY_BYTES } from '../../host/linux/thread-memory.ts';
import type { Outcome } from '../../host/outcome.ts';
import { RestoreTally } from '../../host/restore-tally.ts';
import type { StopCell } from '../../host/wasi/session/stop-cell.ts';
import { MOST_RUN } from '../../host/wasi/session/record-layout.ts';
import { RunReader, type Recorded } from '../../host/wasi/session/run-reader.ts';
import type { BindingCaller } from '../bindings/bound-call.ts';
import type { BoundCalls } from '../bindings/bound-calls.ts';
import { AnswerBox } from './answer-box.ts';
import { BindingDesk } from './binding-desk.ts';
import { createClaims, revoke, stopCell, tellToStop } from './claims.ts';
import { Inbox, type Told } from './inbox.ts';
import { decodeOutcome, SLOTS, type Chore, type ChoreAnswer, type Refusal } from './messages.ts';
import { Outbox, type Sending } from './outbox.ts';
import { RequestBox } from './request-box.ts';
import { SuspendedGuests, type Sent } from './suspended-guests.ts';

/** A version that a thread is to forget. */
export interface Removal {
  readonly id: string;
  /** Called once the thread can hold nothing of it any more. */
  readonly done: () => void;
}

/** Told of what a worker answers. */
export interface UnitEvents<T extends Sent> {
  /** `heldNs` is how long a guest had its thread that was suspended meanwhile. */
  onOutcome(unit: Unit<T>, ticket: number, outcome: Outcome, heldNs?: number): void;
  /** A guest is suspended, after it has had its thread for `heldNs`. */
  onParked(unit: Unit<T>, parked: T, heldNs: number): void;
  onRefusal(unit: Unit<T>, ticket: number, refusal: Refusal): void;
  onChoreDone(unit: Unit<T>, answer: ChoreAnswer): void;
  /** All that had been answered was told. */
  onTold(): void;
}

/** What runs the bindings that the guests of a worker call. */
export interface UnitBindings<T> {
  readonly calls: BoundCalls;
  callerOf(sent: T): BindingCaller;
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
  readonly claims: SharedArrayBuffer = createClaims();
  readonly requests: RequestBox;
  readonly answers: AnswerBox;
  readonly suspended: SuspendedGuests<T> = new SuspendedGuests();
  /** What its guest has written and used so far. */
  readonly record: RunReader;
  readonly ownMemories: SharedArrayBuffer = new SharedArrayBuffer(4);
  readonly threadMemory: SharedArrayBuffer = new SharedArrayBuffer(THREAD_MEMORY_BYTES);
  /** What it put back after its answers. */
  readonly restores: RestoreTally = new RestoreTally();
  /** Where its guests call bindings; undefined where there are none. */
  readonly desk: BindingDesk | undefined = undefined;
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
  /** Gives a port of the worker's to the thread for outgoing requests. */
  readonly #connect: (port: MessagePort) => void;
  readonly #outbox: Outbox;
  readonly #inbox: Inbox;
  readonly #stop: StopCell;
  readonly #cells: Int32Array;
  #tickets = 0;
  #freeSlots: number[] = Array.from({ length: SLOTS }, (_, slot) => slot);

  /**
   * @param ended a unit whose thread has ended: its boxes are used again
   * @param bindings what runs the bindings that its guests call
   */
  constructor(
    worker: Worker,
    events: UnitEvents<T>,
    connect: (port: MessagePort) => void,
    ended?: Unit<T>,
    bindings?: UnitBindings<T>,
  ) {
    this.requests = new RequestBox(cleared(ended?.requests.buffer));
    this.answers = new AnswerBox(cleared(ended?.answers.buffer));
    this.record = new RunReader(cleared(ended?.record.shared));
    const { port1, port2 } = new MessageChannel();
    this.worker = worker;
    this.threadId = worker.threadId;
    this.farPort = port2;
    this.#port = port1;
    this.#events = events;
    this.#connect = connect;
    this.#stop = stopCell(this.claims);
    this.#cells = this.#stop.cells;
    if (bindings !== undefined) {
      const find = (ticket: number): BindingCaller | undefined => {
        const sent = this.#sentBy(ticket);
        return sent === undefined ? undefined : bindings.callerOf(sent);
      };
      this.desk = new BindingDesk({ calls: bindings.calls, signal: this.#stop.signal, find });
    }
    this.#outbox = new Outbox(port1, this.requests, (refusal, id, broughtFunction) => {
      if (broughtFunction) this.installed.delete(id);
      queueMicrotask(() => this.#inbox.hear(refusal));
    });
    this.#inbox = new Inbox(port1, this.answers, {
      onOutcome: (ticket, outcome) => this.#events.onOutcome(this, ticket, outcome),
      onParked: (ticket, record, heldNs) => this.#park(ticket, record, heldNs),
      onAnswer: (answer) => this.#tell(answer),
      // Whose turn has come by these answers, and whose time counts from now on, waits no longer for this thread.
      onHeard: () => this.#outbox.callWaiting(),
      onTold: () => this.#events.onTold(),
    });
    // Only a call in flight keeps the process alive.
    port1.unref();
  }

  /** Whether it can start an invocation at once. */
  get isIdle(): boolean {
    return this.#isVacant && this.inTurns === 0;
  }

  /** Whether it can start an invocation soon, beside guests that compute and take turns. */
  get isShared(): boolean {
    return this.#isVacant && this.inTurns > 0;
  }

  get #isVacant(): boolean {
    return this.isAlive && !this.isOccupied && this.inFlight.length === 0 && this.requests.hasRoom && !this.isHeld;
  }

  /** Guests that compute for longer than a slice, and take turns. */
  get inTurns(): number {
    return this.suspended.inTurns;
  }

  /** Whether it holds nothing of any invocation, nor a guest that is suspended. */
  get isUnused(): boolean {
    return this.isIdle && this.#freeSlots.length === SLOTS && this.parked.size === 0;
  }

  /** Whether its guest does nothing but wait. */
  get isWaiting(): boolean {
    return this.suspended.isWaiting;
  }

  /** Invocations whose guests are suspended, by ticket; each goes on by itself. */
  get parked(): ReadonlyMap<number, T> {
    return this.suspended.parked;
  }

  /** The invocation whose guest was suspended and has the thread again; undefined when none has. */
  get resumed(): T | undefined {
    return this.suspended.resumed;
  }

  /** Whether a guest that was suspended has kept the thread for so long that nothing further should be sent there. */
  get isHeld(): boolean {
    return this.suspended.isHeld;
  }

  /** Nanoseconds for which the guest of a parked invocation has had its thread since it last went on. */
  resumedForNs(sent: T): number {
    return this.suspended.resumedForNs(sent);
  }

  /** Invocations it has been sent so far, from 1 again after MOST_RUN. */
  get sent(): number {
    return this.#tickets;
  }

  /** Whether it can be sent an invocation, to be run after those it has. */
  get isOpen(): boolean {
    return this.isAlive && !this.isOccupied && this.#freeSlots.length > 0 && this.requests.hasRoom;
  }

  /** Sends an invocation; one that cannot cross a thread is refused as if the worker had. */
  send(sent: T, what: Sending): void {
    const slot = this.#freeSlots.pop() as number;
    const ticket = (this.#tickets = (this.#tickets % MOST_RUN) + 1);
    sent.slot = slot;
    sent.ticket = ticket;
    Atomics.store(this.#cells, slot, ticket);
    const isBehind = this.inFlight.push(sent) > 1;
    if (!isBehind) this.#port.ref();
    this.#outbox.send(slot, ticket, what, isBehind);
  }

  /** Tells of the answers that the worker has left, without waiting to be called for them. */
  collect(): void {
    this.#inbox.collect();
  }

  /** The same with what travels over the port and has not been heard yet. */
  collectAll(): void {
    this.#inbox.collectAll();
  }

  /** What an invocation that it runs has come to so far; undefined when its guest has not begun. It may be answered by this. */
  recorded(sent: T): Recorded | undefined {
    const record = this.suspended.recordOf(sent) ?? this.record;
    return record.read(sent.ticket, () => this.collectAll());
  }

  /** Whether the guest of an invocation has begun. */
  hasBegun(sent: T): boolean {
    return (this.suspended.recordOf(sent) ?? this.record).isOf(sent.ticket);
  }

  /** Ends the guest of an invocation for good if it is suspended now; false when it runs, or was never suspended. */
  drop(sent: T): boolean {
    if (!this.suspended.drop(sent)) return false;
    this.#port.postMessage({ drop: sent.ticket });
    return true;
  }

  /** Whether it has an invocation that is not answered. */
  holds(sent: T): boolean {
    return this.inFlight.includes(sent) || this.suspended.has(sent);
  }

  /** The invocation of a ticket that is not answered. */
  #sentBy(ticket: number): T | undefined {
    return this.inFlight.find((sent) => sent.ticket === ticket) ?? this.parked.get(ticket);
  }

  #park(ticket: number, record: number, heldNs: number): void {
    const at = this.inFlight.findIndex((sent) => sent.ticket === ticket);
    const sent = this.inFlight[at];
    if (sent === undefined) return;
    this.inFlight.splice(at, 1);
    this.#freeSlots.push(sent.slot);
    this.suspended.add(sent, record);
    this.#events.onParked(this, sent, heldNs);
  }

  #tell(answer: Told): void {
    if ('length' in answer) this.#events.onOutcome(this, answer[0], decodeOutcome(answer), answer[11]);
    else if ('shared' in answer || ('record' in answer && answer.record !== 0)) this.suspended.learn(answer);
    else if ('record' in answer) this.record.add(answer);
    else if ('binding' in answer) this.desk?.hear(answer);
    else if ('outgoing' in answer) this.#connect(answer.outgoing);
    else if (!answer.ok && answer.ticket !== undefined) this.#events.onRefusal(this, answer.ticket, answer);
    else this.#events.onChoreDone(this, answer);
  }

  sendChore(chore: Chore): void {
    this.isOccupied = true;
    if (chore.op === 'remove') this.#outbox.forget(chore.id);
    this.#port.ref();
    this.#port.postMessage(chore);
  }

  choreDone(): void {
    this.isOccupied = false;
    this.#unrefIdle();
  }

  /** Takes the answered invocation off the list; undefined when it is not on it any more. */
  answered(ticket: number): T | undefined {
    const parked = this.suspended.take(ticket);
    if (parked !== undefined) {
      this.#unrefIdle();
      return parked;
    }
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

  /**
   * Has the guest of an invocation that counts units end by itself, which it then answers; false for one that is parked and does
   * not run: it was suspended just now, or has ended.
   */
  tellToStop(sent: T, isAborted: boolean, channel: SharedArrayBuffer | undefined): boolean {
    if (!this.suspended.has(sent)) return tellToStop(this.#stop, sent.slot, isAborted, channel);
    if (!this.suspended.tellToStop(sent, isAborted)) return false;
    if (channel !== undefined) bump(guestSignal(channel), 0);
    return true;
  }

  /** Whether the guest of one that is parked has ended, so that its answer is on its way. */
  hasEnded(sent: T): boolean {
    return this.suspended.hasEnded(sent);
  }

  /** Stops listening; what it has not answered by now it never will. */
  close(): void {
    this.isAlive = false;
    this.#inbox.close();
    this.#outbox.close();
    this.#port.close();
    this.desk?.close();
    for (const { done } of this.leaving.splice(0)) done();
  }

  #takeOff(at: number): T {
    const [sent] = this.inFlight.splice(at, 1) as [T];
    this.#freeSlots.push(sent.slot);
    this.#unrefIdle();
    return sent;
  }

  #unrefIdle(): void {
    if (!this.isOccupied && this.inFlight.length === 0 && this.parked.size === 0) this.#port.unref();
  }
}

function cleared(buffer: SharedArrayBuffer | undefined): SharedArrayBuffer | undefined {
  if (buffer !== undefined) new Uint8Array(buffer).fill(0);
  return buffer;
}
