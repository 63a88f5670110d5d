/**
 * Answers of Otii's TCP server for channel data, one JSON object a line with the channel's name beside the answer's own
 * fields: `{"channel":"mp","data_type":"analog","timestamp":0,"interval":0.00025,"values":[...]}`; digital channels list
 * edges. Power is `mp`, or `mc` times `mv`. Source: qoitech/otii-tcp-client-python.
 */

import { LogBuilder, type ImportedLog, type LogParser } from './log.ts';
import { formatError } from './table.ts';

interface AnalogAnswer {
  readonly channel: string;
  readonly timestamp: number;
  readonly interval: number;
  readonly values: readonly number[];
}

interface DigitalAnswer {
  readonly channel: string;
  readonly values: readonly { readonly timestamp: number; readonly value: boolean }[];
}

const LIMITS = { format: 'otii', leastHz: 0.1, mostHz: 100_000 } as const;

type Fields = Readonly<Record<string, unknown>>;

function analogOf(answer: Fields): AnalogAnswer | undefined {
  const { channel, data_type: type, timestamp, interval, values } = answer;
  if (type !== 'analog' || typeof channel !== 'string' || typeof timestamp !== 'number') return undefined;
  if (typeof interval !== 'number' || !(interval > 0) || !Array.isArray(values)) return undefined;
  if (!values.every((value) => typeof value === 'number')) return undefined;
  return { channel, timestamp, interval, values };
}

function digitalOf(answer: Fields): DigitalAnswer | undefined {
  const { channel, data_type: type, values } = answer;
  if (type !== 'digital' || typeof channel !== 'string' || !Array.isArray(values)) return undefined;
  const good = values.every((edge: unknown) => {
    const { timestamp, value } = (edge ?? {}) as Fields;
    return typeof timestamp === 'number' && typeof value === 'boolean';
  });
  return good ? { channel, values: values as DigitalAnswer['values'] } : undefined;
}

/** An answer of so many characters holds some millions of values; the server gives a range of them (index, count). */
const MAX_ANSWER = 1 << 26;

type Samples = Omit<AnalogAnswer, 'channel'>;

class OtiiParser implements LogParser {
  readonly maxLine: number = MAX_ANSWER;
  readonly #builder = new LogBuilder();
  /** Power as it came, and as products: where there are both, they are the same twice. */
  readonly #power: Samples[] = [];
  readonly #products: Samples[] = [];
  /** Current or voltage that waits for its partner, by channel and time. */
  readonly #waiting = new Map<string, AnalogAnswer>();

  row(line: string): void {
    this.#builder.countRow();
    if (line.length >= MAX_ANSWER) {
      const got = `one of ${MAX_ANSWER} characters or more`;
      throw formatError('otii', 'answers that were asked for in pieces (index and count)', got);
    }
    let answer: unknown;
    try {
      answer = JSON.parse(line);
    } catch {
      answer = undefined;
    }
    const fields = typeof answer === 'object' && answer !== null ? (answer as Fields) : {};
    const analog = analogOf(fields);
    const digital = digitalOf(fields);
    if (analog !== undefined) this.#analog(analog, line);
    else if (digital !== undefined) this.#digital(digital);
    else this.#builder.malformed(line);
  }

  #digital(answer: DigitalAnswer): void {
    for (const { timestamp, value } of answer.values) {
      this.#builder.edge(answer.channel, { timeS: timestamp, level: value ? 1 : 0, halfWidthS: 0 });
    }
  }

  #analog(answer: AnalogAnswer, line: string): void {
    if (answer.channel === 'mp') this.#power.push(answer);
    if (answer.channel !== 'mc' && answer.channel !== 'mv') return;
    // Pieces of one channel may all come before those of the other.
    const partner = answer.channel === 'mc' ? 'mv' : 'mc';
    const other = this.#waiting.get(`${partner} ${answer.timestamp}`);
    if (other === undefined) {
      this.#waiting.set(`${answer.channel} ${answer.timestamp}`, answer);
      return;
    }
    this.#waiting.delete(`${partner} ${answer.timestamp}`);
    const same = other.interval === answer.interval && other.values.length === answer.values.length;
    if (!same) this.#builder.malformed(line);
    else {
      const values = answer.values.map((value, index) => value * (other.values[index] as number));
      this.#products.push({ ...answer, values });
    }
  }

  finish(): ImportedLog {
    const left = [...this.#waiting.values()].map(({ channel }) => channel);
    const alone = Math.max(
      left.filter((channel) => channel === 'mc').length,
      left.filter((channel) => channel === 'mv').length,
    );
    for (let index = 0; index < alone; index++) this.#builder.malformed('current or voltage without its partner');
    for (const { timestamp, interval, values } of this.#power.length > 0 ? this.#power : this.#products) {
      for (const [index, value] of values.entries()) this.#builder.add(timestamp + index * interval, value);
    }
    return this.#builder.finish({ source: 'Otii', rule: 'instant', clock: 'logger', synthetic: false, limits: LIMITS });
  }
}

/** Reads answers of Otii's TCP server, one a line. */
export function otiiParser(): LogParser {
  return new OtiiParser();
}
