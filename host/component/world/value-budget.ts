/** What the values of a component's calls take of this thread's memory, counted before they are made. */

import { getHeapStatistics } from 'node:v8';
import type { Session } from '../../wasi/session/session.ts';
import type { GuestStop } from './guest-stop.ts';

/** What the host keeps besides content, so that a whole memory can still be an argument. */
const ARGUMENT_SLACK_BYTES = 65_536;
/** A result in the host's memory may take so many times what it takes as it travels: values of one byte become objects. */
const RESULT_FACTOR = 4;
/** Arguments from so many bytes on cost units, and what one unit is of. */
const CHARGED_BYTES = 4096;
const BYTES_PER_UNIT = 32;
/** Whatever the limits say, values leave this thread's heap room. */
const MOST_VALUE_BYTES = getHeapStatistics().heap_size_limit / 2;

/** Bounds arguments by `memoryBytes` and results by `outputBytes` of the limits; a guest beyond them ends. */
export class ValueBudget {
  readonly #session: Session<GuestStop>;
  /** Bytes taken for the arguments of one host function, and for the result of one call. */
  #argumentBytes = 0;
  #resultBytes = 0;
  #resultContentBytes = 0;

  constructor(session: Session<GuestStop>) {
    this.#session = session;
  }

  /** Starts over, for another call. */
  begin(): void {
    this.#argumentBytes = 0;
    this.#resultBytes = 0;
    this.#resultContentBytes = 0;
  }

  /** A host function is called, whose arguments come now. */
  beginArguments(): void {
    this.#argumentBytes = 0;
  }

  /** Counts what an argument takes: for one function at most what the guest's memory may take. */
  countArgument(sizeBytes: number): void {
    const allowed = this.#session.options.limits.memoryBytes;
    this.#argumentBytes += sizeBytes;
    if (this.#argumentBytes > Math.min(allowed + ARGUMENT_SLACK_BYTES, MOST_VALUE_BYTES))
      throw this.#session.stop({ kind: 'limit', limit: 'memoryBytes', allowed });
    if (sizeBytes >= CHARGED_BYTES) this.#session.spend(sizeBytes / BYTES_PER_UNIT);
  }

  /** Counts what a result takes: its strings and numbers travel as they are. */
  countResult(aroundBytes: number, contentBytes: number): void {
    const { outputBytes } = this.#session.options.limits;
    this.#resultBytes += aroundBytes;
    this.#resultContentBytes += contentBytes;
    const countedBytes = this.#resultBytes + this.#resultContentBytes;
    const isTooMuch = countedBytes > Math.min(RESULT_FACTOR * outputBytes, MOST_VALUE_BYTES);
    if (isTooMuch || this.#resultContentBytes > outputBytes) throw this.stopForResult();
  }

  /** Ends a guest whose result is too large. To be thrown, as by `Session.stop`. */
  stopForResult(): GuestStop {
    return this.#session.stop({
      kind: 'limit',
      limit: 'outputBytes',
      allowed: this.#session.options.limits.outputBytes,
    });
  }
}
