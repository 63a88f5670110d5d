/** One session as its Nebula has it: calls in turn in one instance, until one does not return, nobody calls, or it is closed. */

import { noOutput } from '../../host/bytes.ts';
import { isNebulaError, messageOf, NebulaError } from '../../host/errors.ts';
import { monotonicNs } from '../../host/monotonic.ts';
import { describeEnding, NO_USAGE, type Ending, type Invocation, type Outcome } from '../../host/outcome.ts';
import { NO_PHASES } from '../../host/phases.ts';
import type { ExecutorSession } from '../../pools/executor.ts';
import { Turns } from './turns.ts';

/** What a session is opened with. */
export interface SessionTerms {
  readonly name: string;
  /** Milliseconds without a call after which it ends. */
  readonly idleMs: number;
  /** Calls that may wait for their turn. */
  readonly queueLength: number;
  /** Told once it has ended and nothing of it is left. */
  onEnded(): void;
}

/** An open session, or one that has ended. */
export class Session {
  readonly #terms: SessionTerms;
  readonly #instance: ExecutorSession;
  readonly #turns: Turns = new Turns();
  #idleTimer: NodeJS.Timeout | undefined = undefined;
  /** How it ended, in words. */
  #ending: string | undefined = undefined;
  #closing: Promise<void> | undefined = undefined;

  constructor(terms: SessionTerms, instance: ExecutorSession) {
    this.#terms = terms;
    this.#instance = instance;
    this.#waitForCalls();
  }

  /** How it ended, in words; undefined while it is open. */
  get ending(): string | undefined {
    return this.#ending;
  }

  /**
   * Makes a call in its turn. One that does not return ends the session.
   * @throws NebulaError SESSION_ENDED, QUEUE_FULL; what an executor throws
   */
  async run(invocation: Invocation, signal: AbortSignal | undefined): Promise<Outcome> {
    this.#refuseEnded();
    const { name, queueLength } = this.#terms;
    const { timeoutMs } = invocation;
    if (this.#turns.isTaken && this.#turns.waiting >= queueLength)
      throw new NebulaError('QUEUE_FULL', { name, limit: queueLength });
    const calledNs = monotonicNs();
    const refusal = await this.#turns.take(signal, timeoutMs);
    const queueNs = monotonicNs() - calledNs;
    if (refusal === 'aborted') return unanswered({ kind: 'aborted' }, queueNs);
    if (refusal === 'late') return unanswered({ kind: 'timeout', timeoutMs: timeoutMs ?? 0 }, queueNs);
    try {
      this.#refuseEnded();
      clearTimeout(this.#idleTimer);
      return await this.#call(invocation, signal, queueNs);
    } finally {
      this.#turns.leave();
      this.#waitForCalls();
    }
  }

  async #call(invocation: Invocation, signal: AbortSignal | undefined, queueNs: number): Promise<Outcome> {
    const { timeoutMs } = invocation;
    // The time that its caller gave runs from the call on.
    const leftMs = timeoutMs === undefined ? undefined : Math.max(1, timeoutMs - queueNs / 1e6);
    const left = leftMs === undefined ? invocation : { ...invocation, timeoutMs: leftMs };
    try {
      const answer = await this.#instance.invoke(left, signal);
      if (answer.kind === 'ok') return answer;
      const isAsked = answer.kind === 'timeout' && answer.timeoutMs === leftMs && timeoutMs !== undefined;
      const outcome = isAsked ? { ...answer, timeoutMs } : answer;
      void this.#end(describeEnding(outcome));
      return outcome;
    } catch (error) {
      // Told before its guest has begun: the next call may find room.
      if (isNebulaError(error) && error.key === 'ADDRESS_SPACE') throw error;
      if (isNebulaError(error) && error.key === 'CLOSED') {
        void this.#end('the end of its Nebula');
        this.#refuseEnded();
      }
      const isOver = isNebulaError(error) && error.key === 'SESSION_ENDED';
      void this.#end(isOver ? String(error.fields['ending']) : `a failure: ${messageOf(error)}`);
      throw error;
    }
  }

  /** Ends it; a call under way is aborted, and those that wait are refused. */
  close(): Promise<void> {
    return this.#end('its close');
  }

  #end(ending: string): Promise<void> {
    if (this.#closing === undefined) {
      this.#ending = ending;
      clearTimeout(this.#idleTimer);
      this.#closing = this.#instance.close().finally(() => this.#terms.onEnded());
      // Whoever closes it is told.
      this.#closing.catch(() => undefined);
    }
    return this.#closing;
  }

  #waitForCalls(): void {
    clearTimeout(this.#idleTimer);
    if (this.#ending !== undefined) return;
    const { idleMs } = this.#terms;
    const end = (): void => void this.#end(`${idleMs} ms without a call`);
    this.#idleTimer = setTimeout(end, idleMs).unref();
  }

  #refuseEnded(): void {
    if (this.#ending === undefined) return;
    throw new NebulaError('SESSION_ENDED', { name: this.#terms.name, ending: this.#ending });
  }
}

/** The outcome of a call that had no turn. */
function unanswered(ending: Ending, queueNs: number): Outcome {
  const phases = { ...NO_PHASES, queue: queueNs };
  return { ...ending, stdout: noOutput(), stderr: noOutput(), start: 'ready', phases, usage: NO_USAGE };
}
