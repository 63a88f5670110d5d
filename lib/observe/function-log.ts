/**
 * The latest records of one function. Whatever it does, they are bounded: in number, in characters, and in how many are taken a
 * second, so that a function that fails all the time, or writes all the time, costs its neighbours nothing. What its guests write
 * keeps no failure out, and takes no failure's place.
 */

import type { LogRecord } from '../schema/log-record.ts';
import { Pace, RECORDS_AT_ONCE, RECORDS_PER_S } from './pace.ts';
import { RecordRing } from './record-ring.ts';

/** A record before it has its place in the log. */
export type NewRecord = Omit<LogRecord, 'sequence' | 'timeMs' | 'name'>;

/** Gives a record its place in the log, and tells those who listen. */
type Place = (record: NewRecord) => LogRecord;

/** The latest records of one function. */
export class FunctionLog {
  /** For what the guests write, and for everything else. */
  readonly writtenPace: Pace = new Pace();
  readonly happenedPace: Pace = new Pace();
  readonly #written: RecordRing = new RecordRing();
  readonly #happened: RecordRing = new RecordRing();
  readonly #place: Place;

  constructor(place: Place) {
    this.#place = place;
  }

  /** Takes a record that its pace lets in; before it, how many that pace left out. */
  add(record: NewRecord): void {
    this.#tellLeftOut();
    const ring = record.event === 'stderr' ? this.#written : this.#happened;
    ring.add(this.#place(record));
  }

  /** Records behind the one `after`, those of each kind in their order. */
  read(after: number): readonly LogRecord[] {
    this.#tellLeftOut();
    return [...this.#written.read(after), ...this.#happened.read(after)];
  }

  /** Number of the last record that made room for others; 0 where none did. A reader who is behind it has missed some. */
  get forgotten(): number {
    return Math.max(this.#written.forgotten, this.#happened.forgotten);
  }

  #tellLeftOut(): void {
    const count = this.writtenPace.takeLeftOut() + this.happenedPace.takeLeftOut();
    if (count === 0) return;
    const message = `${count} records were left out: of a function, ${RECORDS_AT_ONCE} are taken at once, then ${RECORDS_PER_S} a second`;
    this.#written.add(this.#place({ level: 'warn', event: 'left-out', message }));
  }
}
