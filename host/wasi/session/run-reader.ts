/** The other end of a run's record: what is known of the run from outside its thread, and who ends its guest. */

import { noOutput } from '../../bytes.ts';
import type { Usage } from '../../outcome.ts';
import {
  RUN,
  LENGTH,
  BUFFER,
  COUNT,
  RESUMED_NS,
  HELD_NS,
  UNITS,
  createRecord,
  GUEST_STATE,
  STATE_BITS,
  cellOf,
  type StreamIndex,
  type StreamBuffer,
  headOf,
  countsOf,
  firstOf,
} from './record-layout.ts';

/** What of a run is known from outside its thread. */
export interface Recorded {
  readonly stdout: Uint8Array;
  readonly stderr: Uint8Array;
  readonly usage: Usage;
}

/** How far a stream has come, and in which buffer. */
interface Extent {
  readonly lengthBytes: number;
  readonly number: number;
}

/** The other end: reads what a run has come to, also once its thread is ended. */
export class RunReader {
  readonly shared: SharedArrayBuffer;
  readonly #head: Int32Array;
  readonly #counts: Float64Array;
  readonly #grown: [StreamBuffer | undefined, StreamBuffer | undefined] = [undefined, undefined];

  /** @param shared the memory of a record that is not used any more */
  constructor(shared: SharedArrayBuffer = createRecord()) {
    this.shared = shared;
    this.#head = headOf(shared);
    this.#counts = countsOf(shared);
  }

  /** Takes a larger buffer that was announced. */
  add(buffer: StreamBuffer): void {
    this.#grown[buffer.stream] = buffer.buffer === undefined ? undefined : buffer;
  }

  /** When the guest last went on; undefined when it was not suspended since it began. */
  get resumedNs(): number | undefined {
    const resumedNs = this.#counts[RESUMED_NS] as number;
    return resumedNs === 0 ? undefined : resumedNs;
  }

  /** Nanoseconds for which the guest had had its thread when it was last suspended. */
  get heldNs(): number {
    return this.#counts[HELD_NS] as number;
  }

  /** The run it is of. */
  get run(): number {
    return Atomics.load(this.#head, RUN) >>> STATE_BITS;
  }

  /** Whether it is of this run. */
  isOf(run: number): boolean {
    return this.run === run;
  }

  /** Whether the guest of a run has ended, so that its answer is on its way. */
  hasEnded(run: number): boolean {
    return Atomics.load(this.#head, RUN) === cellOf(run, GUEST_STATE.ended);
  }

  /** Ends the guest of a run where it is suspended; false when it is not. */
  drop(run: number): boolean {
    return this.#swap(run, GUEST_STATE.suspended, GUEST_STATE.dropped);
  }

  /** Has the guest of a run that counts units end by itself; false when it does not run. */
  tellToStop(run: number, isAborted: boolean): boolean {
    const { running, late, aborted } = GUEST_STATE;
    if (this.#swap(run, running, isAborted ? aborted : late)) return true;
    const cell = Atomics.load(this.#head, RUN);
    return cell === cellOf(run, late) || cell === cellOf(run, aborted);
  }

  #swap(run: number, from: number, to: number): boolean {
    const expected = cellOf(run, from);
    return Atomics.compareExchange(this.#head, RUN, expected, cellOf(run, to)) === expected;
  }

  /**
   * What is known of a run; undefined when its guest has not begun, or has ended and another has begun. Its thread may
   * still write: `listen` is called to take what it has announced.
   */
  read(run: number, listen: () => void): Recorded | undefined {
    if (!this.isOf(run)) return undefined;
    const [stdout, stderr] = [this.#extent(0), this.#extent(1)];
    listen();
    const counts = this.#counts;
    const units = counts[UNITS] as number;
    const usage = {
      memoryBytes: counts[COUNT.memoryBytes] as number,
      inputBytes: (counts[COUNT.inputBytes] as number) + (counts[COUNT.bodyBytes] as number),
      hostCalls: counts[COUNT.hostCalls] as number,
      ...(units < 0 ? {} : { units }),
    };
    const recorded = { stdout: this.#bytes(0, stdout), stderr: this.#bytes(1, stderr), usage };
    if (this.isOf(run)) return recorded;
    // What was copied may be of the next run. This one was answered before that began.
    listen();
    return undefined;
  }

  #extent(stream: StreamIndex): Extent {
    // The length first: a buffer that is in use later has these bytes, too.
    const lengthBytes = Atomics.load(this.#head, LENGTH + stream);
    return { lengthBytes, number: Atomics.load(this.#head, BUFFER + stream) };
  }

  #bytes(stream: StreamIndex, { lengthBytes, number }: Extent): Uint8Array {
    if (number === 0) return firstOf(this.shared, stream).slice(0, lengthBytes);
    const grown = this.#grown[stream];
    // In any other buffer is what an earlier run wrote, perhaps of another function.
    if (grown?.buffer === undefined || grown.number < number) return noOutput();
    return new Uint8Array(grown.buffer).slice(0, lengthBytes);
  }
}
