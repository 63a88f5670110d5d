/**
 * What meters say over MQTT, as their makers document it: Shelly Gen2+, Tasmota, Zigbee2MQTT, zwave-js-ui, GUDE. Each
 * parser takes topic and payload and gives a reading, or undefined for a message that is another one. Pure functions.
 */

import { JsonFields, WH_J, type Fields, type MeterMessage } from './payload-fields.ts';
import { shellyEvent, shellyPart, shellyTopic, type ShellyComponent } from './shelly-payload.ts';
import { tasmotaMessage } from './tasmota-payload.ts';

/** What of a meter is wanted. */
export interface MqttChoice {
  readonly quantity: 'power' | 'energy';
  /** Which of several values; undefined where it was not said. */
  readonly channel?: number;
  /** Kind of component, of a Shelly. */
  readonly component?: ShellyComponent;
}

/** How one maker's meters tell their readings over MQTT. */
export interface MqttFormat {
  readonly name: string;
  /** Smallest step of power in W, and of energy in J, where the maker says it or as it is usually set. */
  readonly resolutionW: number | undefined;
  readonly resolutionJ: number | undefined;
  /** Time between messages in seconds, as it is when nobody sets it; undefined where it is not known. */
  readonly periodS: number | undefined;
  /** What must be known of messages that come so seldom, and what to do. */
  readonly advice?: string;
  /** Topic of a device that is named in place of one. */
  topicOf(device: string, choice: MqttChoice): string;
  /**
   * What of the choice nothing is chosen by, as the name of the option and why; undefined when all is.
   * @param topic undefined where a device was named: its topic follows the choice
   */
  misfit(choice: MqttChoice, topic: string | undefined): readonly [option: string, why: string] | undefined;
  /** @throws HardwareError SOURCE_PAYLOAD */
  parse(topic: string, payload: string, channel?: number, component?: ShellyComponent): MeterMessage | undefined;
}

/** Options of a choice that are set although nothing of the format is chosen by them. */
function unused(
  choice: MqttChoice,
  names: readonly ('channel' | 'component')[],
  why: string,
): readonly [string, string] | undefined {
  const name = names.find((each) => choice[each] !== undefined);
  return name === undefined ? undefined : [name, why];
}

function scaled(value: number | undefined, factor: number): number | undefined {
  return value === undefined ? undefined : value * factor;
}

/** A message, or undefined where it has neither of its values: a state, a voltage. */
function message(values: MeterMessage): MeterMessage | undefined {
  return values.powerW === undefined && values.energyJ === undefined ? undefined : values;
}

/**
 * `<prefix>/status/switch:0`: power and energy, no time of its own. `<prefix>/events/rpc` has a time, all components, and only
 * those values that changed.
 */
const shelly: MqttFormat = {
  name: 'shelly',
  resolutionW: 0.1,
  resolutionJ: 0.001 * WH_J,
  periodS: 60,
  advice:
    'by itself a Shelly reports over MQTT when power changed by about 5 %, else once a minute: poll it (shelly-http://HOST), or let a script of it publish its status and say how often (period=SECONDS)',
  topicOf: (device, { quantity, channel = 0, component = 'switch' }) =>
    `${device}/status/${shellyPart(component, channel, quantity).key}`,
  misfit(choice, topic) {
    if (topic === undefined || topic.endsWith('/events/rpc')) return undefined;
    return unused(choice, ['channel', 'component'], 'the topic names the component; only events have several');
  },
  parse(topic, payload, channel = 0, component = 'switch') {
    if (topic.endsWith('/events/rpc')) return shellyEvent(payload, component, channel);
    const told = shellyTopic(topic, payload);
    return told === undefined ? undefined : message(told);
  },
};

const tasmota: MqttFormat = {
  name: 'tasmota',
  resolutionW: 1,
  resolutionJ: WH_J,
  periodS: 300,
  advice:
    'by itself a Tasmota reports over MQTT every 300 s: poll it (tasmota-http://HOST), or set TelePeriod and say it (period=SECONDS, 10 at least)',
  topicOf: (device) => `tele/${device}/SENSOR`,
  misfit: (choice) => unused(choice, ['component'], 'only a Shelly has components'),
  parse: (topic, payload, channel) =>
    /\/(SENSOR|STATUS8|STATUS10)$/.test(topic) ? tasmotaMessage(payload, channel) : undefined,
};

const zigbee = new JsonFields('zigbee2mqtt');

/** `zigbee2mqtt/<name>`: power in W, energy in kWh; last_seen as a date or in ms, if switched on. */
const zigbee2mqtt: MqttFormat = {
  name: 'zigbee2mqtt',
  resolutionW: undefined,
  resolutionJ: 10 * WH_J,
  periodS: undefined,
  topicOf: (device) => `zigbee2mqtt/${device}`,
  misfit: (choice) => unused(choice, ['channel', 'component'], 'its messages have one power'),
  parse(topic, payload) {
    if (/\/(availability|set|get)$/.test(topic) || topic.includes('/bridge/')) return undefined;
    const fields = zigbee.parse(payload);
    const seen = fields['last_seen'];
    const seenMs = typeof seen === 'string' ? Date.parse(seen) : typeof seen === 'number' ? seen : Number.NaN;
    return message({
      powerW: zigbee.number(fields, 'power'),
      energyJ: scaled(zigbee.number(fields, 'energy'), 1000 * WH_J),
      stamp: Number.isNaN(seenMs) ? undefined : seenMs / 1e3,
    });
  },
};

/** Property keys of the Z-Wave meter class: type << 16 | scale << 8 | rate, electric and consumed. */
const ZWAVE_KEYS = { energy: 65_537, power: 66_049 } as const;

const zwaveJson = new JsonFields('zwave');

/** `.../value/66049`: a time with a value, a whole ValueId, or the bare value. */
const zwave: MqttFormat = {
  name: 'zwave',
  resolutionW: undefined,
  resolutionJ: 10 * WH_J,
  periodS: undefined,
  topicOf: (device, { quantity }) => `zwave/${device}/meter/endpoint_0/value/${ZWAVE_KEYS[quantity]}`,
  misfit(choice, topic) {
    const other = ZWAVE_KEYS[choice.quantity === 'power' ? 'energy' : 'power'];
    if (topic?.endsWith(`/value/${other}`) === true) return ['quantity', `the topic is that of ${other}`];
    return unused(choice, ['channel', 'component'], 'the topic names the endpoint');
  },
  parse(topic, payload) {
    const key = Number(/\/value\/(\d+)$/.exec(topic)?.[1]);
    if (key !== ZWAVE_KEYS.power && key !== ZWAVE_KEYS.energy) return undefined;
    const bare = payload.trim() === '' ? Number.NaN : Number(payload);
    const fields: Fields = Number.isFinite(bare) ? { value: bare } : zwaveJson.parse(payload);
    const value = zwaveJson.number(fields, 'value');
    const isPower = key === ZWAVE_KEYS.power;
    if (value === undefined) return zwaveJson.refuse('a value', payload);
    return {
      powerW: isPower ? value : undefined,
      energyJ: isPower ? undefined : value * 1000 * WH_J,
      stamp: scaled(zwaveJson.number(fields, 'time'), 1e-3),
    };
  },
};

const gudeJson = new JsonFields('gude');

/** `de/gudesystems/epc/<device>/device/telemetry`: act_pow in whole W of each line in, ts in s since start or 1970. */
const gude: MqttFormat = {
  name: 'gude',
  resolutionW: 1,
  resolutionJ: undefined,
  periodS: undefined,
  topicOf: (device) => `de/gudesystems/epc/${device}/device/telemetry`,
  misfit(choice) {
    // The unit of tot_energy is in none of the sources read: it is left out.
    if (choice.quantity === 'energy') return ['quantity', 'its telemetry has no energy that is known'];
    return unused(choice, ['component'], 'only a Shelly has components');
  },
  parse(topic, payload, channel) {
    if (!topic.endsWith('/device/telemetry')) return undefined;
    const fields = gudeJson.parse(payload);
    if (fields['type'] !== 'telemetry') return undefined;
    const lines: readonly unknown[] = Array.isArray(fields['line_in']) ? (fields['line_in'] as unknown[]) : [];
    if (channel === undefined && lines.length > 1) return gudeJson.refuse(`channel=0 .. ${lines.length - 1}`, payload);
    const line = lines[channel ?? 0];
    if (typeof line !== 'object' || line === null) return gudeJson.refuse(`line_in[${channel ?? 0}]`, payload);
    const powerW = gudeJson.number(line as Fields, 'act_pow');
    return message({ powerW, energyJ: undefined, stamp: gudeJson.number(fields, 'ts') });
  },
};

/** All formats by name. */
export const MQTT_FORMATS: ReadonlyMap<string, MqttFormat> = new Map(
  [shelly, tasmota, zigbee2mqtt, zwave, gude].map((format) => [format.name, format]),
);
