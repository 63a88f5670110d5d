/**
 * Runs what comes to a worker, one invocation after the other. None is taken up before the answer of the one before has
 * left, or its guest is suspended, and no guest goes on before the answers of others have left: it may never end, and whoever
 * stops it then loses no other's answer.
 */

import { receiveMessageOnPort, type MessagePort } from 'node:worker_threads';
import type { RequestHead } from '../../host/http-message.ts';
import { isNebulaError } from '../../host/errors.ts';
import { monotonicNs } from '../../host/monotonic.ts';
import type { GuestThread } from '../../host/thread/guest-thread.ts';
import type { StartedCall } from '../../host/thread/waiting-lane.ts';
import type { Invocation, Outcome } from '../../host/outcome.ts';
import type { RunRecord } from '../../host/wasi/session/run-record.ts';
import type { StopCell } from '../../host/wasi/session/stop-cell.ts';
import type { AnswerBox } from './answer-box.ts';
import { claim } from './claims.ts';
import {
  ANSWERS_LEFT,
  encodeOutcome,
  toRefusal,
  type InvokeAnswer,
  type InvokeRequest,
  type LaterAnswers,
  type Request,
} from './messages.ts';
import type { RequestBox } from './request-box.ts';

/** From this size on an output is handed over instead of copied. */
const MOVE_BYTES = 65_536;
/** Invocations after which the event loop has its turn, for what the thread does besides. */
const MOST_IN_TURN = 256;
/** The time of the same where guests are suspended, which go on in turns of their own: less than a slice of one that computes. */
const BESIDE_SUSPENDED_NS = 1e6;

/** What a worker shares with its pool, and what runs its guests. */
export interface RunnerOptions {
  readonly port: MessagePort;
  readonly thread: GuestThread;
  readonly record: RunRecord;
  /** The claims, with the slot of the guest that runs. */
  readonly claims: StopCell;
  readonly requests: RequestBox;
  readonly answers: AnswerBox;
}

/** Runs the requests of one worker in turn. */
export class Runner {
  readonly #port: MessagePort;
  readonly #thread: GuestThread;
  readonly #record: RunRecord;
  readonly #claims: StopCell;
  readonly #requests: RequestBox;
  readonly #answers: AnswerBox;
  /** Functions by the numbers that the pool calls them. */
  readonly #functions: Map<number, string> = new Map();
  /** Channels by the numbers that the pool calls them. */
  readonly #channels: SharedArrayBuffer[] = [];
  /** Requests that came over the port and whose turn has not come, in order. */
  readonly #posted: InvokeRequest[] = [];
  /** Calls whose guests are suspended, or go on, by their tickets. */
  readonly #parked: Map<number, StartedCall> = new Map();
  /** Their answers that have not left: each message wakes the pool's thread. */
  readonly #later: InvokeAnswer[] = [];
  readonly #movedLater: ArrayBuffer[] = [];
  /** Sends these. To be called before anything takes the thread's time. */
  readonly sendLater = (): void => {
    if (this.#later.length === 0) return;
    this.#port.postMessage({ later: this.#later.splice(0) } satisfies LaterAnswers, this.#movedLater.splice(0));
  };
  /** What an invocation waits for that has the thread: room, or a promise that says how it ended. All others wait then. */
  #waits = 0;
  readonly #run = (): void => this.run();

  constructor({ port, thread, record, claims, requests, answers }: RunnerOptions) {
    this.#port = port;
    this.#thread = thread;
    this.#record = record;
    this.#claims = claims;
    this.#requests = requests;
    this.#answers = answers;
  }

  /** Keeps a request that came over the port until its turn. */
  keep(request: InvokeRequest): void {
    this.#posted.push(request);
  }

  /** Forgets the number of a function that is removed. */
  forget(id: string): void {
    for (const [number, known] of this.#functions) if (known === id) this.#functions.delete(number);
  }

  /** Runs what was left, and what is left meanwhile. */
  run(): void {
    const beganNs = monotonicNs();
    for (let count = 0; this.#waits === 0; ) {
      if (this.#requests.next()) {
        this.#take(this.#requests.slot, this.#requests.ticket);
        const isOver = this.#parked.size > 0 && monotonicNs() - beganNs > BESIDE_SUSPENDED_NS;
        if (++count < MOST_IN_TURN && !isOver) continue;
        setImmediate(this.#run);
        return;
      }
      if (this.#requests.sleep()) return;
    }
  }

  #take(slot: number, ticket: number): void {
    this.sendLater();
    const posted = this.#requests.isPosted ? this.#receive() : undefined;
    if (posted !== undefined && (posted[0] !== slot || posted[1] !== ticket))
      throw new Error('A request came out of its turn');
    // One that was taken back may still bring the function along: those after it rely on that.
    if (posted !== undefined) this.#learn(posted);
    if (!claim(this.#claims.cells, slot, ticket)) return;
    const id = posted?.[2] ?? this.#functions.get(this.#requests.functionNumber(slot)) ?? '';
    const input = posted?.[4] ?? this.#requests.input(slot);
    const calledNs = posted?.[5] ?? this.#requests.calledNs(slot);
    const given = posted === undefined ? this.#handlerOf(slot) : posted[6];
    const invocation = given === undefined ? { input } : { ...given, input };
    try {
      this.#call(slot, ticket, id, invocation, calledNs);
    } catch (error) {
      if (isNebulaError(error) && error.key === 'ADDRESS_SPACE')
        void this.#makeRoom(ticket, () => this.#call(slot, ticket, id, invocation, calledNs));
      else this.#port.postMessage({ ...toRefusal(error), ticket });
    }
  }

  /** Lets go of a guest that was dropped. */
  drop(ticket: number): void {
    this.#parked.get(ticket)?.suspension.abandon();
  }

  #call(slot: number, ticket: number, id: string, invocation: Invocation, calledNs: number): void {
    this.#claims.index = slot;
    // A guest whose streams travel waits for its caller with its thread, as a component without a lane does.
    const isStreamed = invocation.streams !== undefined;
    const started = isStreamed ? undefined : this.#thread.start(id, invocation, calledNs, ticket);
    if (started !== undefined) {
      if (started.suspension.isSuspended) this.#park(slot, ticket, started);
      else void this.#finish(slot, ticket, started);
      return;
    }
    this.#record.run = ticket;
    this.#answer(slot, ticket, this.#thread.invoke(id, invocation, calledNs, 0));
    this.#thread.settle(id);
  }

  /** A request for a component, where that is what is in the record. */
  #handlerOf(slot: number): Omit<Invocation, 'input'> | undefined {
    const handler = this.#requests.handler(slot);
    if (handler === undefined) return undefined;
    const request = JSON.parse(handler.head) as RequestHead;
    const channel = this.#channels[handler.channelNumber] as SharedArrayBuffer;
    return { component: { kind: 'handler', request, channel, isStreamed: false } };
  }

  /**
   * The guest has ended, and only a promise still says how, or goes on in this turn of the event loop: V8 suspends it for a
   * moment, too, where it need not wait. Those after it wait, as for any other, until it has ended or is suspended.
   */
  async #finish(slot: number, ticket: number, started: StartedCall): Promise<void> {
    this.#waits++;
    let isParked = false;
    started.suspension.onSuspended = () => {
      isParked = true;
      this.#park(slot, ticket, started);
      this.#waits--;
      setImmediate(this.#run);
    };
    try {
      const outcome = await started.outcome;
      if (isParked) return;
      if (outcome !== undefined) {
        this.#answer(slot, ticket, outcome);
        started.settle();
      }
    } catch (error) {
      if (isParked) return;
      this.#port.postMessage({ ...toRefusal(error), ticket });
    }
    this.#waits--;
    this.run();
  }

  #park(slot: number, ticket: number, started: StartedCall): void {
    this.#parked.set(ticket, started);
    started.suspension.beforeGoingOn = this.sendLater;
    this.#answers.park(slot, ticket, started.record.number, started.suspension.heldNs);
    if (this.#answers.mustCall()) this.#port.postMessage(ANSWERS_LEFT);
    void this.#answerLater(ticket, started);
  }

  async #answerLater(ticket: number, started: StartedCall): Promise<void> {
    try {
      const outcome = await started.outcome;
      this.#parked.delete(ticket);
      if (outcome === undefined) return;
      this.#movedLater.push(...movedOf(outcome));
      if (this.#later.push(encodeOutcome(ticket, outcome, started.suspension.heldNs)) === 1)
        setImmediate(this.sendLater);
      started.settle();
    } catch (error) {
      this.#parked.delete(ticket);
      this.#port.postMessage({ ...toRefusal(error), ticket });
    }
  }

  /** The request whose place has come: it was posted before its place was taken. */
  #receive(): InvokeRequest {
    for (let kept = this.#posted.shift(); ; ) {
      if (kept !== undefined) return kept;
      const received: { message: Request } | undefined = receiveMessageOnPort(this.#port);
      if (received === undefined) throw new Error('A request is missing on the port');
      if (Array.isArray(received.message)) kept = received.message as unknown as InvokeRequest;
      else if (typeof received.message === 'object' && 'drop' in received.message) this.drop(received.message.drop);
    }
  }

  #learn([, , id, number, , , given, install, channelNumber]: InvokeRequest): void {
    this.#functions.set(number, id);
    const channel = given?.component?.channel;
    if (channelNumber !== undefined && channel !== undefined) this.#channels[channelNumber] = channel;
    if (install !== undefined && !this.#thread.has(id)) {
      this.#thread.install(install.definition, install.image, install.strategy);
    }
  }

  #answer(slot: number, ticket: number, outcome: Outcome): void {
    if (this.#answers.leave(slot, ticket, outcome)) {
      if (this.#answers.mustCall()) this.#port.postMessage(ANSWERS_LEFT);
      return;
    }
    this.#port.postMessage(encodeOutcome(ticket, outcome), movedOf(outcome));
  }

  /** Makes room and tries once more, which may have the thread for longer than this has. */
  async #makeRoom(ticket: number, again: () => void): Promise<void> {
    this.#waits++;
    try {
      await this.#thread.makeRoom();
      again();
    } catch (error) {
      this.#port.postMessage({ ...toRefusal(error), ticket });
    }
    this.#waits--;
    this.run();
  }
}

/** What of an outcome is handed over. */
function movedOf({ stdout }: Outcome): ArrayBuffer[] {
  return stdout.length < MOVE_BYTES ? [] : [stdout.buffer as ArrayBuffer];
}
