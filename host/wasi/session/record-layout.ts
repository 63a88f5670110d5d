/**
 * How a record of a run is laid out in shared memory: 8 Int32 (run and state of its guest; bytes of stdout, of stderr; number of
 * the buffer of stdout, of stderr), 7 Float64 (calls into the host, bytes read of stdin, of a request's body, size of the memory,
 * when the guest last went on, for how long it had had its thread when it was last suspended,
 * how many units it had counted then), then the first buffers of stdout and stderr. A stream that outgrows its buffer gets another one
 * with a number of its own, which the thread announces before it is used.
 */

/** Indices of the Int32: run and state, lengths, numbers of buffers. */
export const RUN = 0;
export const LENGTH = 1;
export const BUFFER = 3;
export const HEAD_BYTES = 32;

/** Indices of what is counted. */
export const COUNT = { hostCalls: 0, inputBytes: 1, bodyBytes: 2, memoryBytes: 3 } as const;
/** When a guest that was suspended last went on, on the clock of `monotonicNs`. */
export const RESUMED_NS = 4;
/** Nanoseconds for which a guest had had its thread when it was last suspended. */
export const HELD_NS = 5;
/** Units that it had counted then; negative where it counts none, or was not suspended. */
export const UNITS = 6;
/** How many are counted, these three among them. */
export const COUNTS = 7;
export const COUNTS_BYTES = COUNTS * 8;

/** Bytes of the first buffer of each stream: most outputs fit. */
export const FIRST_BYTES = 16_384;
/** The same of a guest that waits beside a thousand others. */
export const WAITING_FIRST_BYTES = 1024;

/** The memory of a record whose streams begin with buffers of so many bytes. */
export function createRecord(firstBytes: number = FIRST_BYTES): SharedArrayBuffer {
  return new SharedArrayBuffer(HEAD_BYTES + COUNTS_BYTES + 2 * firstBytes);
}

/**
 * What the guest does, in one cell with its run: a record is used again at once, and nobody may mean the guest before. One that
 * is suspended is dropped by whoever ends it, or goes on by its thread, whichever swaps the state first: a guest that was
 * dropped never runs again. One that runs is told to stop, which its account sees.
 */
export const GUEST_STATE = { running: 0, suspended: 1, dropped: 2, ended: 3, late: 4, aborted: 5 } as const;
export const STATE_BITS = 3;
export const STATE_MASK = (1 << STATE_BITS) - 1;

/** The highest number of a run: its state is in the same 32 bits. */
export const MOST_RUN = 2 ** (32 - STATE_BITS) - 1;

export function cellOf(run: number, state: number): number {
  return (run << STATE_BITS) | state;
}

/** The streams by their places in the record. */
export type StreamIndex = 0 | 1;

/** A larger buffer of a stream, for the other side; without one, the one before is let go of. */
export interface StreamBuffer {
  /** The record's number in its thread. */
  readonly record: number;
  readonly stream: StreamIndex;
  readonly number: number;
  readonly buffer: SharedArrayBuffer | undefined;
}

export function headOf(shared: SharedArrayBuffer): Int32Array {
  return new Int32Array(shared, 0, HEAD_BYTES / 4);
}

export function countsOf(shared: SharedArrayBuffer): Float64Array {
  return new Float64Array(shared, HEAD_BYTES, COUNTS);
}

export function firstOf(shared: SharedArrayBuffer, stream: StreamIndex): Uint8Array {
  const firstBytes = (shared.byteLength - HEAD_BYTES - COUNTS_BYTES) / 2;
  return new Uint8Array(shared, HEAD_BYTES + COUNTS_BYTES + stream * firstBytes, firstBytes);
}
