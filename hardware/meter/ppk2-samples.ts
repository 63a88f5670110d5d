/**
 * What a Power Profiler Kit II says over its serial port: the calibration as text, then samples of four bytes. Pure
 * functions. A sample is little-endian: ADC in bits 0 to 13, range 14 to 16, counter 18 to 23, inputs 24 to 31. The filter
 * that Nordic's application puts over changes of range is not applied: the samples are the meter's own.
 * Source: NordicSemiconductor/pc-nrfconnect-ppk, src/device/serialDevice.ts.
 */

import { HardwareError } from '../instrument/errors.ts';

/** First byte of each command of the PPK2. */
export const PPK2_COMMANDS = {
  averageStart: 0x06,
  averageStop: 0x07,
  deviceRunningSet: 0x0c,
  regulatorSet: 0x0d,
  setPowerMode: 0x11,
  getMetadata: 0x19,
} as const;

/** Samples a second. */
export const PPK2_RATE = 100_000;

const RANGES = 5;

/** Five numbers, one for each range. */
export interface Ppk2Calibration {
  /** Shunt in ohm. */
  readonly r: readonly number[];
  readonly gs: readonly number[];
  readonly gi: readonly number[];
  readonly o: readonly number[];
  readonly s: readonly number[];
  readonly i: readonly number[];
  readonly ug: readonly number[];
}

/** What the maker's application takes for a value that the device does not say. */
const NOMINAL: Ppk2Calibration = {
  r: [1031.64, 101.65, 10.15, 0.94, 0.043],
  gs: [1, 1, 1, 1, 1],
  gi: [1, 1, 1, 1, 1],
  o: [0, 0, 0, 0, 0],
  s: [0, 0, 0, 0, 0],
  i: [0, 0, 0, 0, 0],
  ug: [1, 1, 1, 1, 1],
};

/**
 * Reads the answer to the metadata command, lines of `R0: 1003.3506` up to END.
 * @throws HardwareError SOURCE_PAYLOAD without the end or without one shunt
 */
export function parsePpk2Calibration(text: string): Ppk2Calibration {
  const found = new Map<string, number>();
  for (const line of text.split('\n')) {
    const parts = /^\s*(r|gs|gi|o|s|i|ug)([0-4]):\s*(\S+)\s*$/i.exec(line);
    const value = Number(parts?.[3]);
    // A device that was never calibrated says -nan or 0, and the application goes by the nominal value.
    if (parts !== null && Number.isFinite(value) && value !== 0)
      found.set(`${parts[1]}${parts[2]}`.toLowerCase(), value);
  }
  if (!text.includes('END') || !found.has('r0')) {
    const fields = { source: 'PPK2', expected: 'a calibration up to END', got: JSON.stringify(text.slice(0, 80)) };
    throw new HardwareError('SOURCE_PAYLOAD', fields);
  }
  const column = (name: keyof Ppk2Calibration): number[] =>
    Array.from({ length: RANGES }, (_, range) => found.get(`${name}${range}`) ?? (NOMINAL[name][range] as number));
  return {
    r: column('r'),
    gs: column('gs'),
    gi: column('gi'),
    o: column('o'),
    s: column('s'),
    i: column('i'),
    ug: column('ug'),
  };
}

/** Current of one sample, in A; undefined for a range that does not exist. */
export function ppk2CurrentA(calibration: Ppk2Calibration, sample: number, vddV: number): number | undefined {
  const range = (sample >>> 14) & 7;
  if (range >= RANGES) return undefined;
  const of = (name: keyof Ppk2Calibration): number => calibration[name][range] as number;
  const plain = ((sample & 0x3fff) * 4 - of('o')) * (1.8 / 163_840 / of('r'));
  return of('ug') * (plain * (of('gs') * plain + of('gi')) + (of('s') * vddV + of('i')));
}

/** One sample in its place, or a place in which at least `missing` samples are lost. */
export type Ppk2Sample =
  | { readonly kind: 'sample'; readonly index: number; readonly currentA: number; readonly inputs: number }
  | { readonly kind: 'lost'; readonly missing: number }
  | { readonly kind: 'malformed' };

/** Turns the bytes of the port into samples, in pieces of any size. */
export class Ppk2Decoder {
  readonly #calibration: Ppk2Calibration;
  readonly #vddV: number;
  #rest: Buffer = Buffer.alloc(0);
  #index = 0;
  #counter: number | undefined;

  constructor(calibration: Ppk2Calibration, vddV: number) {
    this.#calibration = calibration;
    this.#vddV = vddV;
  }

  *add(piece: Buffer): Generator<Ppk2Sample> {
    const bytes = this.#rest.length === 0 ? piece : Buffer.concat([this.#rest, piece]);
    let at = 0;
    for (; at + 4 <= bytes.length; at += 4) yield* this.#sample(bytes.readUInt32LE(at));
    this.#rest = bytes.subarray(at);
  }

  *#sample(word: number): Generator<Ppk2Sample> {
    const counter = (word >>> 18) & 63;
    // The counter says how many are missing only up to multiples of 64: places after a loss are lower bounds.
    const missing = this.#counter === undefined ? 0 : (counter - this.#counter - 1 + 64) & 63;
    this.#counter = counter;
    if (missing > 0) {
      this.#index += missing;
      yield { kind: 'lost', missing };
    }
    const index = this.#index++;
    const currentA = ppk2CurrentA(this.#calibration, word, this.#vddV);
    if (currentA === undefined) yield { kind: 'malformed' };
    else yield { kind: 'sample', index, currentA, inputs: word >>> 24 };
  }
}
