/** The records of the guests of a thread that are under way in its waiting lane: each is used again by later ones. */

import { createRecord, WAITING_FIRST_BYTES, type StreamBuffer } from '../wasi/session/record-layout.ts';
import { RunRecord } from '../wasi/session/run-record.ts';

/** A record that is new, for the other side; without its memory, one that is used no more. */
export interface NewRecord {
  /** Its number in the thread, above 0. */
  readonly record: number;
  readonly shared: SharedArrayBuffer | undefined;
}

/** Tells the other side of memory before it is used. */
export type AnnounceRecord = (told: NewRecord | StreamBuffer) => void;

/** Hands out records. */
export class WaitingRecords {
  readonly #announce: AnnounceRecord;
  readonly #free: RunRecord[] = [];
  readonly #resumed: Int32Array | undefined;
  /** Numbers of records that were let go of. */
  readonly #numbers: number[] = [];
  #count = 0;

  /** @param resumed tells the other side which guest went on and has the thread: see `RunRecord` */
  constructor(announce: AnnounceRecord, resumed?: Int32Array) {
    this.#announce = announce;
    this.#resumed = resumed;
  }

  /** A record that no guest under way has. */
  take(): RunRecord {
    const kept = this.#free.pop();
    if (kept !== undefined) return kept;
    const shared = createRecord(WAITING_FIRST_BYTES);
    const record = this.#numbers.pop() ?? ++this.#count;
    this.#announce({ record, shared });
    return new RunRecord(shared, this.#announce, record, this.#resumed);
  }

  /** Its guest is under way no more, and was answered. */
  give(record: RunRecord): void {
    record.stdout.shrink();
    record.stderr.shrink();
    this.#free.push(record);
  }

  /** Lets go of records that no guest has, `count` at most. */
  trim(count: number): void {
    for (const { number } of this.#free.splice(0, count)) {
      this.#numbers.push(number);
      this.#announce({ record: number, shared: undefined });
    }
  }
}
