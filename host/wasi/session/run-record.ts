/**
 * What a guest has written and used so far, in shared memory that outlives its thread: whoever ends the thread reads it
 * (run-reader.ts). One per thread, for guests that run to their end, and one for each guest of the waiting lane that is under way.
 */

import { monotonicNs } from '../../monotonic.ts';
import {
  RUN,
  LENGTH,
  BUFFER,
  RESUMED_NS,
  HELD_NS,
  UNITS,
  COUNTS,
  FIRST_BYTES,
  GUEST_STATE,
  STATE_MASK,
  cellOf,
  type StreamIndex,
  type StreamBuffer,
  headOf,
  countsOf,
  firstOf,
} from './record-layout.ts';
import { RUN as TOLD } from './stop-cell.ts';

/** A buffer that grew beyond this is given back after the invocation. */
const KEPT_BYTES = 1024 * 1024;

/** Tells the other side of a buffer before it is used. */
export type Announce = (buffer: StreamBuffer) => void;

/** Counters of a run that nobody else looks at. */
export function ownCounts(): Float64Array {
  return new Float64Array(COUNTS);
}

/** One stream, as the thread that writes it sees it. */
export class StreamRecord {
  readonly #record: number;
  readonly #stream: StreamIndex;
  readonly #head: Int32Array;
  readonly #announce: Announce;
  readonly #first: Uint8Array;
  #bytes: Uint8Array;
  #number = 0;
  #numbers = 0;

  constructor(record: number, stream: StreamIndex, head: Int32Array, first: Uint8Array, announce: Announce) {
    this.#record = record;
    this.#stream = stream;
    this.#head = head;
    this.#first = first;
    this.#bytes = first;
    this.#announce = announce;
  }

  /** Starts over, empty; answers where the bytes go. */
  begin(): Uint8Array {
    if (this.#bytes.length > KEPT_BYTES) {
      this.#bytes = this.#first;
      this.#number = 0;
    }
    this.#head[BUFFER + this.#stream] = this.#number;
    this.#head[LENGTH + this.#stream] = 0;
    return this.#bytes;
  }

  /** So many bytes are there now. */
  written(lengthBytes: number): void {
    // Whoever sees the new length sees the bytes, too.
    Atomics.store(this.#head, LENGTH + this.#stream, lengthBytes);
  }

  /** A larger place with the same bytes in it. */
  grow(lengthBytes: number, sizeBytes: number): Uint8Array {
    const buffer = new SharedArrayBuffer(sizeBytes);
    const grown = new Uint8Array(buffer);
    grown.set(this.#bytes.subarray(0, lengthBytes));
    this.#bytes = grown;
    this.#number = this.#numbers = (this.#numbers % 0x3fff_ffff) + 1;
    this.#announce({ record: this.#record, stream: this.#stream, number: this.#number, buffer });
    Atomics.store(this.#head, BUFFER + this.#stream, this.#number);
    return grown;
  }

  /** Lets go of a buffer that grew, here and on the other side; one that is no larger than most need is kept. */
  shrink(): void {
    if (this.#bytes.length <= FIRST_BYTES) return;
    this.#bytes = this.#first;
    this.#number = 0;
    this.#announce({ record: this.#record, stream: this.#stream, number: 0, buffer: undefined });
  }
}

/** The end of a thread that runs guests. */
export class RunRecord {
  readonly stdout: StreamRecord;
  readonly stderr: StreamRecord;
  readonly counts: Float64Array;
  /** Its number among those of its thread; the thread's own is 0. */
  readonly number: number;
  /** The run that begins next. */
  run = 0;
  readonly #head: Int32Array;
  /** Tells which guest of the thread, of those that were suspended, has it now: the number of its record, or 0. */
  readonly #resumed: Int32Array | undefined;

  constructor(shared: SharedArrayBuffer, announce: Announce, number: number = 0, resumed?: Int32Array) {
    this.number = number;
    this.#resumed = resumed;
    this.#head = headOf(shared);
    this.counts = countsOf(shared);
    this.stdout = new StreamRecord(number, 0, this.#head, firstOf(shared, 0), announce);
    this.stderr = new StreamRecord(number, 1, this.#head, firstOf(shared, 1), announce);
  }

  /** Streams and counts have started over: what they hold is of this run from now on. */
  begin(): void {
    this.counts[RESUMED_NS] = 0;
    this.counts[HELD_NS] = 0;
    this.counts[UNITS] = -1;
    Atomics.store(this.#head, RUN, cellOf(this.run, GUEST_STATE.running));
  }

  /** The guest is about to be suspended, after `heldNs` on its thread and so many units; false when it was told to stop, and is to go on for that. */
  suspend(heldNs: number, units: number = -1): boolean {
    this.rest();
    this.counts[HELD_NS] = heldNs;
    this.counts[UNITS] = units;
    return this.#swap(GUEST_STATE.running, GUEST_STATE.suspended) === GUEST_STATE.running;
  }

  /** The guest has ended, and its answer is on its way. */
  end(): void {
    this.rest();
    Atomics.store(this.#head, RUN, cellOf(this.run, GUEST_STATE.ended));
  }

  /** The guest has its thread no more. */
  rest(): void {
    if (this.#resumed !== undefined) Atomics.store(this.#resumed, 0, 0);
  }

  /** The guest is about to go on; false when it was dropped. */
  resume(): boolean {
    this.counts[RESUMED_NS] = monotonicNs();
    if (this.#swap(GUEST_STATE.suspended, GUEST_STATE.running) === GUEST_STATE.dropped) return false;
    if (this.#resumed !== undefined) Atomics.store(this.#resumed, 0, this.number);
    return true;
  }

  /** Whether another thread stops the guest, and why: a value of `RUN`, as in a cell of its own. */
  get told(): number {
    const state = Atomics.load(this.#head, RUN) & STATE_MASK;
    if (state === GUEST_STATE.aborted) return TOLD.aborted;
    return state === GUEST_STATE.late ? TOLD.late : TOLD.underWay;
  }

  /** Answers the state before. */
  #swap(from: number, to: number): number {
    return Atomics.compareExchange(this.#head, RUN, cellOf(this.run, from), cellOf(this.run, to)) & STATE_MASK;
  }
}
