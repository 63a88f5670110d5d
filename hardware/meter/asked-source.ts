/** Meters that are asked for their value over a network, once in an interval, whatever protocol asks. */

import { HardwareError, detailOf } from '../instrument/errors.ts';
import { pollReadings, type PowerSource, type Reading, type SourceProperties } from './power-source.ts';

/** A way to ask for power or energy now, and to let go. */
export interface Asker {
  readonly name: string;
  readonly address: string;
  /** Power in W, or energy in J of a counter. */
  read(): Promise<number>;
  close(): Promise<void>;
}

/** What is known of the meter that is asked. */
export interface AskedProperties {
  /** Default: the mean since the value before. */
  readonly rule?: 'average' | 'counter';
  readonly refreshS: number;
  readonly lagS?: number;
  readonly resolution: number | undefined;
}

class AskedSource implements PowerSource {
  readonly properties: SourceProperties;
  readonly #asker: Asker;
  readonly #intervalS: number;
  readonly #longestS: number;

  constructor(asker: Asker, known: AskedProperties, intervalS: number) {
    this.#asker = asker;
    this.#intervalS = intervalS;
    // The meter may have renewed its value before or after the middle of a longer call, which is its stamp.
    this.#longestS = known.refreshS;
    const shared = { rule: 'average', clock: 'ours', estimate: false, synthetic: false } as const;
    this.properties = { name: `${asker.name} ${asker.address}`, ...shared, ...known };
  }

  readings(signal: AbortSignal): AsyncIterable<Reading> {
    return pollReadings(() => this.#asker.read(), this.#intervalS, signal, this.#longestS);
  }

  close(): Promise<void> {
    return this.#asker.close();
  }
}

/**
 * Asks once, so that a wrong address or model shows when the source is opened.
 * @param intervalS time between readings, in seconds; default that of the meter's new values
 * @throws HardwareError SOURCE_UNREACHABLE, and what the asker throws
 */
export async function openAsked(
  asker: Asker,
  known: AskedProperties,
  intervalS = known.refreshS,
): Promise<PowerSource> {
  try {
    await asker.read();
  } catch (error) {
    await asker.close();
    if (error instanceof HardwareError) throw error;
    const fields = { source: asker.name, address: asker.address, detail: detailOf(error) };
    throw new HardwareError('SOURCE_UNREACHABLE', fields, { cause: error });
  }
  return new AskedSource(asker, known, intervalS);
}
