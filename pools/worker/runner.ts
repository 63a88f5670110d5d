/**
 * Runs what comes to a worker, one invocation after the other. None is taken up before the answer of the one before has
 * left: it may never end, and whoever stops it then loses no other's answer.
 */

import { receiveMessageOnPort, type MessagePort } from 'node:worker_threads';
import { isNebulaError } from '../../host/errors.ts';
import type { GuestThread } from '../../host/thread/guest-thread.ts';
import type { Invocation, Outcome } from '../../host/outcome.ts';
import type { RunRecord } from '../../host/wasi/session/run-record.ts';
import type { AnswerBox } from './answer-box.ts';
import { ANSWERS_LEFT, claim, encodeOutcome, toRefusal, type InvokeRequest, type Request } from './messages.ts';
import type { RequestBox } from './request-box.ts';

/** From this size on an output is handed over instead of copied. */
const MOVE_BYTES = 65_536;
/** Invocations after which the event loop has its turn, for what the thread does besides. */
const MOST_IN_TURN = 256;

/** What a worker shares with its pool, and what runs its guests. */
export interface RunnerOptions {
  readonly port: MessagePort;
  readonly thread: GuestThread;
  readonly record: RunRecord;
  readonly claims: Int32Array;
  readonly requests: RequestBox;
  readonly answers: AnswerBox;
}

/** Runs the requests of one worker in turn. */
export class Runner {
  readonly #port: MessagePort;
  readonly #thread: GuestThread;
  readonly #record: RunRecord;
  readonly #claims: Int32Array;
  readonly #requests: RequestBox;
  readonly #answers: AnswerBox;
  /** Functions by the numbers that the pool calls them. */
  readonly #functions: Map<number, string> = new Map();
  /** Requests that came over the port and whose turn has not come, in order. */
  readonly #posted: InvokeRequest[] = [];
  /** While room is made for an invocation, all others wait. */
  #isWaiting = false;
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
    for (let count = 0; !this.#isWaiting; ) {
      if (this.#requests.next()) {
        this.#take(this.#requests.slot, this.#requests.ticket);
        if (++count < MOST_IN_TURN) continue;
        setImmediate(this.#run);
        return;
      }
      if (this.#requests.sleep()) return;
    }
  }

  #take(slot: number, ticket: number): void {
    const posted = this.#requests.isPosted ? this.#receive() : undefined;
    if (posted !== undefined && (posted[0] !== slot || posted[1] !== ticket))
      throw new Error('A request came out of its turn');
    // One that was taken back may still bring the function along: those after it rely on that.
    if (posted !== undefined) this.#learn(posted);
    if (!claim(this.#claims, slot, ticket)) return;
    const id = posted?.[2] ?? this.#functions.get(this.#requests.functionNumber(slot)) ?? '';
    const input = posted?.[4] ?? this.#requests.input(slot);
    const calledNs = posted?.[5] ?? this.#requests.calledNs(slot);
    const given = posted?.[6];
    const invocation = given === undefined ? { input } : { ...given, input };
    try {
      this.#call(slot, ticket, id, invocation, calledNs);
    } catch (error) {
      if (isNebulaError(error) && error.key === 'ADDRESS_SPACE')
        void this.#makeRoom(ticket, () => this.#call(slot, ticket, id, invocation, calledNs));
      else this.#port.postMessage({ ...toRefusal(error), ticket });
    }
  }

  #call(slot: number, ticket: number, id: string, invocation: Invocation, calledNs: number): void {
    this.#record.run = ticket;
    this.#answer(slot, ticket, this.#thread.invoke(id, invocation, calledNs, 0));
    this.#thread.settle(id);
  }

  /** The request whose place has come: it was posted before its place was taken. */
  #receive(): InvokeRequest {
    for (let kept = this.#posted.shift(); ; ) {
      if (kept !== undefined) return kept;
      const received: { message: Request } | undefined = receiveMessageOnPort(this.#port);
      if (received === undefined) throw new Error('A request is missing on the port');
      if (Array.isArray(received.message)) kept = received.message as unknown as InvokeRequest;
    }
  }

  #learn([, , id, number, , , , install]: InvokeRequest): void {
    this.#functions.set(number, id);
    if (install !== undefined && !this.#thread.has(id)) {
      this.#thread.install(install.definition, install.image, install.strategy);
    }
  }

  #answer(slot: number, ticket: number, outcome: Outcome): void {
    if (this.#answers.leave(slot, ticket, outcome)) {
      if (this.#answers.mustCall()) this.#port.postMessage(ANSWERS_LEFT);
      return;
    }
    const { stdout } = outcome;
    const moved = stdout.length < MOVE_BYTES ? undefined : [stdout.buffer as ArrayBuffer];
    this.#port.postMessage(encodeOutcome(ticket, outcome), moved);
  }

  /** Makes room and tries once more. */
  async #makeRoom(ticket: number, again: () => void): Promise<void> {
    this.#isWaiting = true;
    try {
      await this.#thread.makeRoom();
      again();
    } catch (error) {
      this.#port.postMessage({ ...toRefusal(error), ticket });
    }
    this.#isWaiting = false;
    this.run();
  }
}
