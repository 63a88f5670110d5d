/**
 * Samples of an instrument that takes them evenly, stamped by a host when they arrived: several share a time, and times
 * jitter and overlap by how the bus was read. Their times are a line through the stamps, anew after each pause.
 */

import type { LogBuilder } from './log.ts';
import { formatError } from './table.ts';

/** A step of the stamps above this, in seconds and in samples, is a pause of the recording and no jitter. */
const PAUSE_S = 0.1;
const PAUSE_SAMPLES = 5;

/** Packets overlap by less, in seconds: what begins so long before the end of what came before it is another recording. */
const OVERLAP_S = 0.5;

/** Collects samples with their stamps, and gives them to a builder with even times. */
export class EvenSamples {
  readonly #format: string;
  readonly #stampS: number[] = [];
  readonly #value: number[] = [];

  /** @param format for the message of a log that is refused */
  constructor(format: string) {
    this.#format = format;
  }

  get length(): number {
    return this.#stampS.length;
  }

  /** First and last stamp, in the log's unit. */
  get span(): number {
    return (this.#stampS.at(-1) ?? 0) - (this.#stampS[0] ?? 0);
  }

  /** Whether two samples share a stamp. */
  get shares(): boolean {
    return this.#stampS.some((stampS, index) => index > 0 && stampS === this.#stampS[index - 1]);
  }

  add(stampS: number, value: number): void {
    this.#stampS.push(stampS);
    this.#value.push(value);
  }

  /**
   * As they are stamped.
   * @param unitS the unit of the stamps, in seconds
   * @throws HardwareError LOG_FORMAT for stamps that fall further than packets overlap
   */
  addStamped(builder: LogBuilder, unitS: number): void {
    this.#requireOne(unitS);
    for (const [index, stamp] of this.#stampS.entries()) builder.add(stamp * unitS, this.#value[index] as number);
  }

  /**
   * With even times; a pause is a break.
   * @param unitS the unit of the stamps, in seconds
   * @throws HardwareError LOG_FORMAT for stamps that fall further than packets overlap
   */
  addEven(builder: LogBuilder, unitS = 1): void {
    this.#requireOne(unitS);
    for (const [index, stamp] of this.#stampS.entries()) this.#stampS[index] = stamp * unitS;
    const pauseS = this.#pauseS();
    let lastS = Number.NEGATIVE_INFINITY;
    for (let from = 0; from < this.length; ) {
      let to = from + 1;
      while (to < this.length && this.#stepS(to) <= pauseS) to++;
      const { startS, intervalS } = this.#line(from, to);
      // Where the line begins before the samples of the stretch before it, nothing was missed between them.
      if (from > 0 && startS - lastS > 1.5 * intervalS) builder.lost(1);
      const firstS = Math.max(startS, lastS + intervalS / 2);
      for (let index = from; index < to; index++) {
        const timeS = firstS + (index - from) * intervalS;
        if (builder.add(timeS, this.#value[index] as number)) lastS = timeS;
      }
      from = to;
    }
  }

  #requireOne(unitS: number): void {
    let latest = Number.NEGATIVE_INFINITY;
    for (const stamp of this.#stampS) {
      if ((latest - stamp) * unitS > OVERLAP_S) {
        throw formatError(this.#format, 'times of one meter, recorded once', `${stamp} after ${latest}`);
      }
      latest = Math.max(latest, stamp);
    }
  }

  #stepS(index: number): number {
    return (this.#stampS[index] as number) - (this.#stampS[index - 1] as number);
  }

  #pauseS(): number {
    let sumS = 0;
    let steps = 0;
    for (let index = 1; index < this.length; index++) {
      const stepS = this.#stepS(index);
      if (stepS > PAUSE_S) continue;
      sumS += stepS;
      steps++;
    }
    return Math.max(PAUSE_S, PAUSE_SAMPLES * (steps === 0 ? this.#medianStepS() : sumS / steps));
  }

  #medianStepS(): number {
    const steps = Array.from({ length: Math.max(0, this.length - 1) }, (_, index) => this.#stepS(index + 1));
    return steps.sort((a, b) => a - b)[steps.length >> 1] ?? 0;
  }

  /** Least squares of the stamps over the samples' numbers. */
  #line(from: number, to: number): { readonly startS: number; readonly intervalS: number } {
    const count = to - from;
    const originS = this.#stampS[from] as number;
    if (count === 1) return { startS: originS, intervalS: 0 };
    const middle = (count - 1) / 2;
    let meanS = 0;
    for (let index = from; index < to; index++) meanS += ((this.#stampS[index] as number) - originS) / count;
    let products = 0;
    let squares = 0;
    for (let index = 0; index < count; index++) {
      products += (index - middle) * ((this.#stampS[from + index] as number) - originS - meanS);
      squares += (index - middle) ** 2;
    }
    const intervalS = products / squares;
    return { startS: originS + meanS - intervalS * middle, intervalS };
  }
}
