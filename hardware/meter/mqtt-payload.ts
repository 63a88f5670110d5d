/**
 * What meters say over MQTT, as their makers document it: Shelly Gen2+, Tasmota, Zigbee2MQTT, zwave-js-ui, GUDE. Each
 * parser takes topic and payload and gives a reading, or undefined for a message that is another one. Pure functions.
 */

import { HardwareError } from '../instrument/errors.ts';

/** One message's values; what it does not say is undefined. */
export interface MeterMessage {
  readonly powerW: number | undefined;
  /** Energy counted by the meter, in J. */
  readonly energyJ: number | undefined;
  /** The sender's own time, in seconds of its own start: it tells repeated and late messages. */
  readonly stamp: number | undefined;
}

/** How one maker's meters tell their readings over MQTT. */
export interface MqttFormat {
  readonly name: string;
  /** Topic to subscribe to when the user names the device `<device>`. */
  readonly topic: string;
  /** Smallest step of power, in W, where the maker says it. */
  readonly resolutionW: number | undefined;
  /** @throws HardwareError SOURCE_PAYLOAD */
  parse(topic: string, payload: string, channel: number): MeterMessage | undefined;
}

type Fields = Readonly<Record<string, unknown>>;

const WH = 3600;

function refuse(format: string, expected: string, got: string): never {
  throw new HardwareError('SOURCE_PAYLOAD', { source: format, expected, got: got.slice(0, 120) });
}

function objectOf(format: string, payload: string): Fields {
  let parsed: unknown;
  try {
    parsed = JSON.parse(payload);
  } catch {
    return refuse(format, 'JSON', JSON.stringify(payload));
  }
  return typeof parsed === 'object' && parsed !== null ? (parsed as Fields) : refuse(format, 'an object', payload);
}

function numberIn(format: string, fields: Fields, name: string): number | undefined {
  const value = fields[name];
  if (value === undefined || value === null) return undefined;
  return typeof value === 'number' && Number.isFinite(value)
    ? value
    : refuse(format, `a number as ${name}`, JSON.stringify(value));
}

function scaled(value: number | undefined, factor: number): number | undefined {
  return value === undefined ? undefined : value * factor;
}

/** A reading with at least one of its values. */
function message(format: string, payload: string, values: MeterMessage): MeterMessage {
  if (values.powerW === undefined && values.energyJ === undefined) refuse(format, 'a power or an energy', payload);
  return values;
}

function shellyEvent(payload: string, channel: number): MeterMessage | undefined {
  const { method, params } = objectOf('shelly', payload);
  if (method !== 'NotifyStatus' || typeof params !== 'object' || params === null) return undefined;
  const fields = (params as Fields)[`switch:${channel}`];
  if (typeof fields !== 'object' || fields === null) return undefined;
  const energy = ((fields as Fields)['aenergy'] ?? {}) as Fields;
  return {
    powerW: numberIn('shelly', fields as Fields, 'apower'),
    energyJ: scaled(numberIn('shelly', energy, 'total'), WH),
    stamp: numberIn('shelly', params as Fields, 'ts'),
  };
}

/**
 * `<prefix>/status/switch:0`: apower in W, aenergy.total in Wh, no time of its own. `<prefix>/events/rpc` has a time, and
 * only those values that changed.
 */
const shelly: MqttFormat = {
  name: 'shelly',
  topic: '<device>/status/switch:0',
  resolutionW: undefined,
  parse(topic, payload, channel) {
    if (topic.endsWith('/events/rpc')) return shellyEvent(payload, channel);
    if (!/\/status\/(switch|pm1|em1?|cover):\d+$/.test(topic)) return undefined;
    const fields = objectOf('shelly', payload);
    const energy = (fields['aenergy'] ?? {}) as Fields;
    return message('shelly', payload, {
      powerW: numberIn('shelly', fields, 'apower'),
      energyJ: scaled(numberIn('shelly', energy, 'total'), WH),
      stamp: undefined,
    });
  },
};

/** A value that is a number, or a list of one for each channel. */
function ofChannel(fields: Fields, name: string, channel: number): Fields {
  const value = fields[name];
  return Array.isArray(value) ? { [name]: value[channel] as unknown } : fields;
}

/** `tele/<device>/SENSOR`: ENERGY.Power in whole W unless WattRes is set, Total in kWh; or an INA219's Power in W. */
const tasmota: MqttFormat = {
  name: 'tasmota',
  topic: 'tele/<device>/SENSOR',
  resolutionW: 1,
  parse(topic, payload, channel) {
    if (!topic.endsWith('/SENSOR')) return undefined;
    const fields = objectOf('tasmota', payload);
    const sensor = (fields['ENERGY'] ?? fields['INA219']) as Fields | undefined;
    if (typeof sensor !== 'object' || sensor === null) return refuse('tasmota', 'ENERGY or INA219', payload);
    const local = typeof fields['Time'] === 'string' ? Date.parse(`${fields['Time']}Z`) : Number.NaN;
    return message('tasmota', payload, {
      powerW: numberIn('tasmota', ofChannel(sensor, 'Power', channel), 'Power'),
      energyJ: scaled(numberIn('tasmota', ofChannel(sensor, 'Total', channel), 'Total'), 1000 * WH),
      stamp: Number.isNaN(local) ? undefined : local / 1e3,
    });
  },
};

/** `zigbee2mqtt/<name>`: power in W, energy in kWh; last_seen as a date or in ms, if switched on. */
const zigbee2mqtt: MqttFormat = {
  name: 'zigbee2mqtt',
  topic: 'zigbee2mqtt/<device>',
  resolutionW: undefined,
  parse(topic, payload) {
    if (/\/(availability|set|get)$/.test(topic) || topic.includes('/bridge/')) return undefined;
    const fields = objectOf('zigbee2mqtt', payload);
    const seen = fields['last_seen'];
    const seenMs = typeof seen === 'string' ? Date.parse(seen) : typeof seen === 'number' ? seen : Number.NaN;
    return message('zigbee2mqtt', payload, {
      powerW: numberIn('zigbee2mqtt', fields, 'power'),
      energyJ: scaled(numberIn('zigbee2mqtt', fields, 'energy'), 1000 * WH),
      stamp: Number.isNaN(seenMs) ? undefined : seenMs / 1e3,
    });
  },
};

/** Property keys of the Z-Wave meter class: type << 16 | scale << 8 | rate, electric and consumed. */
const ZWAVE_KEYS = { energyKwh: 65_537, powerW: 66_049 } as const;

/** `.../value/66049`: a time with a value, a whole ValueId, or the bare value. */
const zwave: MqttFormat = {
  name: 'zwave',
  topic: 'zwave/<device>/meter/endpoint_0/value/66049',
  resolutionW: undefined,
  parse(topic, payload) {
    const key = Number(/\/value\/(\d+)$/.exec(topic)?.[1]);
    if (key !== ZWAVE_KEYS.powerW && key !== ZWAVE_KEYS.energyKwh) return undefined;
    const bare = payload.trim() === '' ? Number.NaN : Number(payload);
    const fields: Fields = Number.isFinite(bare) ? { value: bare } : objectOf('zwave', payload);
    const value = numberIn('zwave', fields, 'value');
    const isPower = key === ZWAVE_KEYS.powerW;
    return message('zwave', payload, {
      powerW: isPower ? value : undefined,
      energyJ: isPower ? undefined : scaled(value, 1000 * WH),
      stamp: scaled(numberIn('zwave', fields, 'time'), 1e-3),
    });
  },
};

/** `de/gudesystems/epc/<device>/device/telemetry`: act_pow in whole W of the line in, ts in s since start or 1970. */
const gude: MqttFormat = {
  name: 'gude',
  topic: 'de/gudesystems/epc/<device>/device/telemetry',
  resolutionW: 1,
  parse(topic, payload, channel) {
    if (!topic.endsWith('/device/telemetry')) return undefined;
    const fields = objectOf('gude', payload);
    if (fields['type'] !== 'telemetry') return undefined;
    const lines = fields['line_in'];
    const line = (Array.isArray(lines) ? lines[channel] : undefined) as Fields | undefined;
    if (typeof line !== 'object' || line === null) return refuse('gude', `line_in[${channel}]`, payload);
    return message('gude', payload, {
      powerW: numberIn('gude', line, 'act_pow'),
      // The unit of tot_energy is in none of the sources read: it is left out.
      energyJ: undefined,
      stamp: numberIn('gude', fields, 'ts'),
    });
  },
};

/** All formats by name. */
export const MQTT_FORMATS: ReadonlyMap<string, MqttFormat> = new Map(
  [shelly, tasmota, zigbee2mqtt, zwave, gude].map((format) => [format.name, format]),
);
