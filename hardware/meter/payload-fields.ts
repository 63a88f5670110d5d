/** Fields of meters' messages in JSON: a value is a number or is not there, anything else is refused. Pure functions. */

import { HardwareError } from '../instrument/errors.ts';

/** One message's values; what it does not say is undefined. */
export interface MeterMessage {
  readonly powerW: number | undefined;
  /** Energy counted by the meter, in J. */
  readonly energyJ: number | undefined;
  /** The sender's own time, in seconds of its own start: it tells repeated and late messages. */
  readonly stamp: number | undefined;
}

/** An object out of JSON. */
export type Fields = Readonly<Record<string, unknown>>;

/** A watt hour in J. */
export const WH_J = 3600;

/** Reads the messages of one format. */
export class JsonFields {
  readonly #format: string;

  constructor(format: string) {
    this.#format = format;
  }

  /** @throws HardwareError SOURCE_PAYLOAD */
  refuse(expected: string, got: string): never {
    throw new HardwareError('SOURCE_PAYLOAD', { source: this.#format, expected, got: got.slice(0, 120) });
  }

  /** The object that a text is. @throws HardwareError SOURCE_PAYLOAD */
  parse(payload: string): Fields {
    let parsed: unknown;
    try {
      parsed = JSON.parse(payload);
    } catch {
      return this.refuse('JSON', JSON.stringify(payload));
    }
    return typeof parsed === 'object' && parsed !== null ? (parsed as Fields) : this.refuse('an object', payload);
  }

  /** A field that is an object; undefined for one that is not there or is another thing. */
  object(fields: Fields, name: string): Fields | undefined {
    const value = fields[name];
    return typeof value === 'object' && value !== null ? (value as Fields) : undefined;
  }

  /** A field as a number; undefined for one that is not there or is null. @throws HardwareError SOURCE_PAYLOAD */
  number(fields: Fields, name: string): number | undefined {
    const value = fields[name];
    if (value === undefined || value === null) return undefined;
    return typeof value === 'number' && Number.isFinite(value)
      ? value
      : this.refuse(`a number as ${name}`, JSON.stringify(value));
  }

  /**
   * A field as a number, or one of its list: `channel` says which, and must where there are several.
   * @throws HardwareError SOURCE_PAYLOAD
   */
  ofChannel(fields: Fields, name: string, channel: number | undefined): number | undefined {
    const value = fields[name];
    const list: readonly unknown[] = Array.isArray(value) ? (value as unknown[]) : [value];
    if (channel === undefined && list.length > 1) {
      return this.refuse(`channel=0 .. ${list.length - 1}, because ${name} has several`, JSON.stringify(value));
    }
    const place = channel ?? 0;
    if (place >= list.length) return this.refuse(`${name} of channel ${place}`, JSON.stringify(value));
    return this.number({ [name]: list[place] }, name);
  }
}
