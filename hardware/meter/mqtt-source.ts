/**
 * A meter behind an MQTT broker. Messages carry no time of measuring that could be trusted, so they are stamped when they
 * arrive; the sender's own time only tells repeated and late ones. Retained messages are old and left out.
 */

import type * as Mqtt from 'mqtt';
import { HardwareError, detailOf } from '../instrument/errors.ts';
import { MQTT_FORMATS, type MqttChoice, type MqttFormat } from './mqtt-payload.ts';
import type { MeterMessage } from './payload-fields.ts';
import type { ShellyComponent } from './shelly-payload.ts';
import { monotonicS, type PowerSource, type Reading, type SourceProperties } from './power-source.ts';

/** Broker, topic and format of a meter. */
export interface MqttOptions {
  /** `mqtt://host:1883`, or mqtts. */
  readonly url: string;
  readonly format: string;
  /** Put into the format's topic; or the whole topic as `topic`, without wildcards: one meter is read. */
  readonly device?: string;
  readonly topic?: string;
  readonly quantity?: 'power' | 'energy';
  /** Which of several values of one message, from 0. */
  readonly channel?: number;
  /** Kind of component, of a Shelly; default `switch`. */
  readonly component?: ShellyComponent;
  /** Time between messages as it was set at the meter, in seconds; default as it comes. */
  readonly periodS?: number;
  readonly username?: string;
  readonly password?: string;
}

async function loadMqtt(): Promise<typeof Mqtt> {
  try {
    return await import('mqtt');
  } catch (error) {
    throw new HardwareError('PACKAGE_MISSING', { package: 'mqtt', detail: detailOf(error) }, { cause: error });
  }
}

/** Readings that wait to be taken; a consumer that sleeps loses the oldest, which is then said. */
const MOST_WAITING = 100_000;

/** Bytes of a message; those of the meters that are known have some hundreds, and all of theirs at once some thousands. */
const MOST_PAYLOAD_BYTES = 65_536;
/** Characters of a message that is told of. */
const TOLD_CHARACTERS = 500;

function tooLong({ byteLength }: Uint8Array): string {
  return `a message of ${byteLength} bytes: expected at most ${MOST_PAYLOAD_BYTES}`;
}

/** So many late messages that rise among themselves are no late messages. */
const LATE_TO_RESTART = 3;

function propertiesOf(format: MqttFormat, options: MqttOptions): SourceProperties {
  const energy = options.quantity === 'energy';
  const periodS = options.periodS ?? format.periodS;
  return {
    name: `MQTT ${format.name} ${options.topic ?? options.device ?? ''}`.trim(),
    rule: energy ? 'counter' : 'average',
    clock: 'ours',
    refreshS: periodS,
    // A message tells of no time after its meter's last value, and of none before its message before.
    ...(periodS === undefined ? {} : { lagS: periodS }),
    resolution: energy ? format.resolutionJ : format.resolutionW,
    estimate: false,
    synthetic: false,
    ...(format.advice === undefined || options.periodS !== undefined ? {} : { advice: format.advice }),
  };
}

/** What of the options is wanted of a meter. */
function choiceOf({ quantity = 'power', channel, component }: MqttOptions): MqttChoice {
  return {
    quantity,
    ...(channel === undefined ? {} : { channel }),
    ...(component === undefined ? {} : { component }),
  };
}

/**
 * The topic that options name.
 * @throws HardwareError ARGUMENT for a topic that names several meters, and for an option that nothing is chosen by
 */
export function mqttTopic(format: MqttFormat, options: MqttOptions): string {
  const choice = choiceOf(options);
  const { device } = options;
  const topic = options.topic ?? (device === undefined ? undefined : format.topicOf(device, choice));
  if (topic === undefined) {
    throw new HardwareError('ARGUMENT', { what: 'topic', expected: 'a device or a topic', got: 'neither' });
  }
  if (/[#+]/.test(topic)) {
    throw new HardwareError('ARGUMENT', { what: 'topic', expected: 'one meter, without + and #', got: topic });
  }
  const misfit = format.misfit(choice, options.topic);
  if (misfit === undefined) return topic;
  const [option, why] = misfit;
  throw new HardwareError('ARGUMENT', {
    what: option,
    expected: `no ${option}: ${why}`,
    got: `${options[option as keyof MqttOptions]}`,
  });
}

class MqttSource implements PowerSource {
  readonly properties: SourceProperties;
  readonly #client: Mqtt.MqttClient;
  readonly #format: MqttFormat;
  readonly #options: MqttOptions;
  readonly #waiting: Reading[] = [];
  #wake: (() => void) | undefined;
  #stamp: number | undefined;
  /** Rising stamps below the last one, in a row. */
  readonly #late: number[] = [];

  constructor(client: Mqtt.MqttClient, format: MqttFormat, options: MqttOptions) {
    this.#client = client;
    this.#format = format;
    this.#options = options;
    this.properties = propertiesOf(format, options);
    client.on('message', (topic, payload, packet) => {
      const timeS = monotonicS();
      if (packet.retain) this.#put({ kind: 'stale', detail: topic });
      else if (payload.byteLength > MOST_PAYLOAD_BYTES) this.#put({ kind: 'malformed', detail: tooLong(payload) });
      else this.#take(topic, payload.toString('utf8'), timeS);
    });
    // Until the client is connected again messages may have been sent that nobody keeps for us.
    client.on('close', () => this.#put({ kind: 'disconnected', detail: 'the connection to the broker closed' }));
    client.on('error', (error) =>
      this.#put({ kind: 'lost', detail: `the connection to the broker: ${detailOf(error)}` }),
    );
  }

  #put(reading: Reading): void {
    if (this.#waiting.length >= MOST_WAITING) {
      this.#waiting.length = 0;
      this.#waiting.push({ kind: 'lost', detail: `more than ${MOST_WAITING} readings waited` });
    }
    this.#waiting.push(reading);
    this.#wake?.();
  }

  #take(topic: string, payload: string, timeS: number): void {
    let message: MeterMessage | undefined;
    try {
      message = this.#format.parse(topic, payload, this.#options.channel, this.#options.component);
    } catch (error) {
      this.#put({ kind: 'malformed', detail: detailOf(error) });
      return;
    }
    const value = this.#options.quantity === 'energy' ? message?.energyJ : message?.powerW;
    if (message === undefined || value === undefined) return;
    if (!this.#isLater(message.stamp, payload)) return;
    this.#put({ kind: 'value', timeS, value });
  }

  /** Leaves out messages that came twice or too late; a clock that goes on from lower is that of a sender started anew. */
  #isLater(stamp: number | undefined, payload: string): boolean {
    const last = this.#stamp;
    if (stamp === undefined || last === undefined || stamp > last) {
      this.#stamp = stamp ?? last;
      this.#late.length = 0;
      return true;
    }
    if (stamp === last) {
      this.#put({ kind: 'duplicate', detail: payload.slice(0, TOLD_CHARACTERS) });
      return false;
    }
    if (stamp <= (this.#late.at(-1) ?? Number.NEGATIVE_INFINITY)) this.#late.length = 0;
    this.#late.push(stamp);
    if (this.#late.length < LATE_TO_RESTART) {
      this.#put({ kind: 'reordered', detail: payload.slice(0, TOLD_CHARACTERS) });
      return false;
    }
    this.#put({ kind: 'lost', detail: 'the clock of the sender fell: it was started anew' });
    this.#stamp = stamp;
    this.#late.length = 0;
    return true;
  }

  async *readings(signal: AbortSignal): AsyncGenerator<Reading> {
    const stop = (): void => this.#wake?.();
    signal.addEventListener('abort', stop);
    try {
      while (!signal.aborted) {
        yield* this.#waiting.splice(0);
        if (signal.aborted || this.#waiting.length > 0) continue;
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
        this.#wake = undefined;
      }
    } finally {
      signal.removeEventListener('abort', stop);
    }
  }

  async close(): Promise<void> {
    await this.#client.endAsync(true);
  }
}

/**
 * Connects and subscribes. A lost connection is taken up again by itself and shows as a break.
 * @throws HardwareError ARGUMENT, PACKAGE_MISSING, SOURCE_UNREACHABLE
 */
export async function openMqtt(options: MqttOptions): Promise<PowerSource> {
  const format = MQTT_FORMATS.get(options.format);
  if (format === undefined) {
    const expected = [...MQTT_FORMATS.keys()].join(', ');
    throw new HardwareError('ARGUMENT', { what: 'MQTT format', expected, got: options.format });
  }
  const topic = mqttTopic(format, options);
  const mqtt = await loadMqtt();
  const { username, password } = options;
  const account = { ...(username === undefined ? {} : { username }), ...(password === undefined ? {} : { password }) };
  let client: Mqtt.MqttClient;
  try {
    client = await mqtt.connectAsync(options.url, { ...account, connectTimeout: 5000, reconnectPeriod: 500 }, false);
  } catch (error) {
    const fields = { source: `MQTT ${format.name}`, address: options.url, detail: detailOf(error) };
    throw new HardwareError('SOURCE_UNREACHABLE', fields, { cause: error });
  }
  const source = new MqttSource(client, format, options);
  try {
    await client.subscribeAsync(topic, { qos: 1 });
  } catch (error) {
    await source.close();
    const fields = { source: `MQTT ${format.name}`, address: `${options.url} ${topic}`, detail: detailOf(error) };
    throw new HardwareError('SOURCE_UNREACHABLE', fields, { cause: error });
  }
  return source;
}
