/**
 * The latest records of one function. Whatever it does, they are bounded: in number, in characters, and in how many are taken a
 * second, so that a function that fails all the time, or writes all the time, costs its neighbours nothing. What its guests write
 * keeps no failure out.
 */

import type { LogRecord } from '../schema/log-record.ts';
import { Pace, RECORDS_AT_ONCE, RECORDS_PER_S } from './pace.ts';

/** Records that are kept of one function. */
export const KEPT_RECORDS = 500;
/** Characters of the messages that are kept of one function. */
export const KEPT_CHARACTERS = 65_536;

/** A record before it has its place in the log. */
export type NewRecord = Omit<LogRecord, 'sequence' | 'timeMs' | 'name'>;

/** Gives a record its place in the log, and tells those who listen. */
type Place = (record: NewRecord) => LogRecord;

/** The latest records of one function. */
export class FunctionLog {
  /** For what the guests write, and for everything else. */
  readonly written: Pace = new Pace();
  readonly happened: Pace = new Pace();
  readonly #place: Place;
  #records: LogRecord[] = [];
  #characters = 0;
  #forgotten = 0;

  constructor(place: Place) {
    this.#place = place;
  }

  /** Takes a record that its pace lets in; before it, how many that pace left out. */
  add(record: NewRecord): void {
    this.#tellLeftOut();
    this.#keep(record);
  }

  /** Records behind the one `after`, oldest first. */
  read(after: number): readonly LogRecord[] {
    this.#tellLeftOut();
    const first = this.#records.findIndex(({ sequence }) => sequence > after);
    return first < 0 ? [] : this.#records.slice(first);
  }

  /** Number of the last record that made room for others; 0 where none did. A reader who is behind it has missed some. */
  get forgotten(): number {
    return this.#forgotten;
  }

  #tellLeftOut(): void {
    const count = this.written.takeLeftOut() + this.happened.takeLeftOut();
    if (count === 0) return;
    const message = `${count} records were left out: of a function, ${RECORDS_AT_ONCE} are taken at once, then ${RECORDS_PER_S} a second`;
    this.#keep({ level: 'warn', event: 'left-out', message });
  }

  #keep(record: NewRecord): void {
    const placed = this.#place(record);
    this.#records.push(placed);
    this.#characters += placed.message.length;
    let dropped = 0;
    while (this.#records.length - dropped > KEPT_RECORDS || this.#characters > KEPT_CHARACTERS) {
      const oldest = this.#records[dropped++] as LogRecord;
      this.#characters -= oldest.message.length;
      this.#forgotten = oldest.sequence;
    }
    if (dropped > 0) this.#records = this.#records.slice(dropped);
  }
}
