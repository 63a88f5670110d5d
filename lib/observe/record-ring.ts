/** The latest records of one kind, bounded in number and in characters. */

import type { LogRecord } from '../schema/log-record.ts';

/** Records that are kept of one function: of what its guests wrote, and as many of what happened to it. */
export const KEPT_RECORDS = 250;
/** Characters of their messages that are kept, likewise. */
export const KEPT_CHARACTERS = 32_768;

/** Records in the order of their sequence. */
export class RecordRing {
  #records: LogRecord[] = [];
  #characters = 0;
  #forgotten = 0;

  /** Number of the last record that made room for others; 0 where none did. */
  get forgotten(): number {
    return this.#forgotten;
  }

  add(record: LogRecord): void {
    this.#records.push(record);
    this.#characters += record.message.length;
    let dropped = 0;
    while (this.#records.length - dropped > KEPT_RECORDS || this.#characters > KEPT_CHARACTERS) {
      const oldest = this.#records[dropped++] as LogRecord;
      this.#characters -= oldest.message.length;
      this.#forgotten = oldest.sequence;
    }
    if (dropped > 0) this.#records = this.#records.slice(dropped);
  }

  /** Records behind the one `after`. */
  read(after: number): readonly LogRecord[] {
    if ((this.#records.at(-1)?.sequence ?? 0) <= after) return [];
    return this.#records.slice(this.#records.findLastIndex(({ sequence }) => sequence <= after) + 1);
  }
}
