/**
 * What a guest has written and used so far, in shared memory that outlives its thread: whoever ends the thread reads it. One
 * per thread, which writes it; a thread runs one guest at a time.
 *
 * Layout: 8 Int32 (run; bytes of stdout, of stderr; number of the buffer of stdout, of stderr), 4 Float64 (calls into the
 * host, bytes read of stdin, of a request's body, size of the memory), then the first buffers of stdout and stderr. A stream
 * that outgrows its buffer gets another one with a number of its own, which the thread announces before it is used.
 */

import { NO_OUTPUT } from '../../bytes.ts';
import type { Usage } from '../../outcome.ts';

const RUN = 0;
const LENGTH = 1;
const BUFFER = 3;
const HEAD_BYTES = 32;

/** Indices of what is counted. */
export const COUNT = { hostCalls: 0, inputBytes: 1, bodyBytes: 2, memoryBytes: 3 } as const;
const COUNTS = 4;
const COUNTS_BYTES = COUNTS * 8;

/** Bytes of the first buffer of each stream: most outputs fit. */
const FIRST_BYTES = 16_384;
const RECORD_BYTES = HEAD_BYTES + COUNTS_BYTES + 2 * FIRST_BYTES;

/** A buffer that grew beyond this is given back after the invocation. */
const KEPT_BYTES = 1024 * 1024;

/** The streams by their places in the record. */
export type StreamIndex = 0 | 1;

/** A larger buffer of a stream, for the other side. */
export interface StreamBuffer {
  readonly stream: StreamIndex;
  readonly number: number;
  readonly buffer: SharedArrayBuffer;
}

/** What of a run is known from outside its thread. */
export interface Recorded {
  readonly stdout: Uint8Array;
  readonly stderr: Uint8Array;
  readonly usage: Usage;
}

/** Tells the other side of a buffer before it is used. */
export type Announce = (buffer: StreamBuffer) => void;

/** Counters of a run that nobody else looks at. */
export function ownCounts(): Float64Array {
  return new Float64Array(COUNTS);
}

/** One stream, as the thread that writes it sees it. */
export class StreamRecord {
  readonly #stream: StreamIndex;
  readonly #head: Int32Array;
  readonly #announce: Announce;
  readonly #first: Uint8Array;
  #bytes: Uint8Array;
  #number = 0;
  #numbers = 0;

  constructor(stream: StreamIndex, head: Int32Array, first: Uint8Array, announce: Announce) {
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
    this.#announce({ stream: this.#stream, number: this.#number, buffer });
    Atomics.store(this.#head, BUFFER + this.#stream, this.#number);
    return grown;
  }
}

/** The end of a thread that runs guests. */
export class RunRecord {
  readonly stdout: StreamRecord;
  readonly stderr: StreamRecord;
  readonly counts: Float64Array;
  /** The run that begins next. */
  run = 0;
  readonly #head: Int32Array;

  constructor(shared: SharedArrayBuffer, announce: Announce) {
    this.#head = headOf(shared);
    this.counts = countsOf(shared);
    this.stdout = new StreamRecord(0, this.#head, firstOf(shared, 0), announce);
    this.stderr = new StreamRecord(1, this.#head, firstOf(shared, 1), announce);
  }

  /** Streams and counts have started over: what they hold is of this run from now on. */
  begin(): void {
    Atomics.store(this.#head, RUN, this.run);
  }
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
  constructor(shared: SharedArrayBuffer = new SharedArrayBuffer(RECORD_BYTES)) {
    this.shared = shared;
    this.#head = headOf(shared);
    this.#counts = countsOf(shared);
  }

  /** Takes a larger buffer that was announced. */
  add(buffer: StreamBuffer): void {
    this.#grown[buffer.stream] = buffer;
  }

  /**
   * What is known of a run; undefined when its guest has not begun, or has ended and another has begun. Its thread may
   * still write: `listen` is called to take what it has announced.
   */
  read(run: number, listen: () => void): Recorded | undefined {
    if (Atomics.load(this.#head, RUN) !== run) return undefined;
    const [stdout, stderr] = [this.#extent(0), this.#extent(1)];
    listen();
    const counts = this.#counts;
    const usage = {
      memoryBytes: counts[COUNT.memoryBytes] as number,
      inputBytes: (counts[COUNT.inputBytes] as number) + (counts[COUNT.bodyBytes] as number),
      hostCalls: counts[COUNT.hostCalls] as number,
    };
    const recorded = { stdout: this.#bytes(0, stdout), stderr: this.#bytes(1, stderr), usage };
    if (Atomics.load(this.#head, RUN) === run) return recorded;
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
    if (grown === undefined || grown.number < number) return NO_OUTPUT;
    return new Uint8Array(grown.buffer).slice(0, lengthBytes);
  }
}

function headOf(shared: SharedArrayBuffer): Int32Array {
  return new Int32Array(shared, 0, HEAD_BYTES / 4);
}

function countsOf(shared: SharedArrayBuffer): Float64Array {
  return new Float64Array(shared, HEAD_BYTES, COUNTS);
}

function firstOf(shared: SharedArrayBuffer, stream: StreamIndex): Uint8Array {
  return new Uint8Array(shared, HEAD_BYTES + COUNTS_BYTES + stream * FIRST_BYTES, FIRST_BYTES);
}
