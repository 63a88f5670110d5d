/** Whether a log can be what it says: its columns against each other, its times against what the instrument can do. */

import { HardwareError } from '../instrument/errors.ts';

/** What an instrument can do, by its maker. */
export interface InstrumentLimits {
  readonly format: string;
  /** Samples a second. */
  readonly leastHz: number;
  readonly mostHz: number;
}

/** What of a log's counts tells of its order. */
interface RowCounts {
  readonly rows: number;
  readonly reordered: number;
  readonly resets: number;
  readonly duplicates: number;
  /** Rows that were taken. */
  readonly samples: number;
}

/** With fewer rows nothing is said about their rate or order. */
const FEWEST_ROWS = 10;

/** Crystals and stamps differ by less. */
const RATE_TOLERANCE = 1.1;

/** Share of rows that may be out of order, or in which a counter may fall. */
const DISORDER = 0.2;

/** Share by which columns may differ in sum: rounding, ripple and means do less, a wrong unit or channel more. */
const DISAGREEMENT = 0.1;

function refuse(format: string, expected: string, got: string): HardwareError {
  return new HardwareError('LOG_FORMAT', { format, expected, got });
}

/** @throws HardwareError LOG_FORMAT for times that often fall or mostly stand still, or that rise as no such instrument's do */
export function requirePlausible(limits: InstrumentLimits, counts: RowCounts, intervalS: number): void {
  const { format, leastHz, mostHz } = limits;
  const { rows, reordered, resets, duplicates, samples } = counts;
  if (rows < FEWEST_ROWS) return;
  if (reordered > DISORDER * rows) throw refuse(format, 'times that rise', `${reordered} of ${rows} rows that fall`);
  // An answer of Otii is one row of many samples, so that rows do not count them.
  if (duplicates > samples) throw refuse(format, 'a time for each row', `${duplicates} that repeat the one before`);
  if (resets > DISORDER * rows) throw refuse(format, 'an energy that rises', `${resets} of ${rows} rows that fall`);
  const rateHz = 1 / intervalS;
  if (rateHz <= mostHz * RATE_TOLERANCE && rateHz >= leastHz / RATE_TOLERANCE) return;
  throw refuse(format, `${leastHz} to ${mostHz} samples a second`, `${Number(rateHz.toPrecision(4))}`);
}

/** Two ways to the same quantity, row by row. */
export class Agreement {
  #sum = 0;
  #apart = 0;

  /** A row's quantity as told and as it follows from other columns; nothing is said where one is missing. */
  add(told: number | undefined, derived: number | undefined): void {
    if (told === undefined || derived === undefined) return;
    this.#sum += Math.abs(told) + Math.abs(derived);
    this.#apart += Math.abs(told - derived);
  }

  /** @param expected which columns agree how, for the message. @throws HardwareError LOG_FORMAT */
  require(format: string, expected: string): void {
    if (!(this.#apart > (DISAGREEMENT * this.#sum) / 2)) return;
    const share = Math.round((200 * this.#apart) / this.#sum);
    throw refuse(format, expected, `columns that are ${share} % apart`);
  }
}
