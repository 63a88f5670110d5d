/** Sources that an address names: meters behind a broker, plugs that are asked over HTTP, GUDE. */

import {
  given,
  numberOption,
  refuseText,
  wordOption,
  type InstrumentForm,
  type InstrumentText,
} from '../instrument/text.ts';
import { HardwareError } from '../instrument/errors.ts';
import { GUDE_SNMP_MODELS } from './gude-registers.ts';
import { MQTT_FORMATS, type MqttFormat } from './mqtt-payload.ts';
import { mqttTopic, openMqtt, type MqttOptions } from './mqtt-source.ts';
import { openGudeHttp, openGudeModbus, openGudeSnmp, type NetworkMeterOptions } from './network-meter.ts';
import { openShellyHttp, openTasmotaHttp, type PlugOptions } from './plug-http.ts';
import type { PowerSource } from './power-source.ts';
import { SHELLY_COMPONENTS } from './shelly-payload.ts';

/** Opens what a text names, once. */
type Opener = () => PowerSource | Promise<PowerSource>;

interface NetworkKind extends InstrumentForm {
  readonly about: string;
  readonly isUrl: true;
  /** Checks every part of the text. @throws HardwareError ARGUMENT */
  readonly opener: (instrument: InstrumentText) => Opener;
}

const ADDRESSED = ['line', 'interval'] as const;

function intervalS(instrument: InstrumentText): number | undefined {
  return numberOption(instrument, 'interval', { above: 0, to: 3600 });
}

function placeOf(instrument: InstrumentText): { readonly host: string; readonly port?: number } {
  const { url } = instrument as { url: URL };
  if (url.pathname !== '' && url.pathname !== '/') {
    throw refuseText(instrument.what, instrument.text, 'a host and no path', url.pathname);
  }
  return {
    host: url.hostname.replace(/^\[|\]$/g, ''),
    ...given({ port: url.port === '' ? undefined : Number(url.port) }),
  };
}

function hostOf(instrument: InstrumentText): NetworkMeterOptions {
  const line = numberOption(instrument, 'line', { from: 0, to: 99, integer: true });
  return { ...placeOf(instrument), ...given({ line, intervalS: intervalS(instrument) }) };
}

function accountOf(instrument: InstrumentText): { readonly username?: string; readonly password?: string } {
  const { url } = instrument as { url: URL };
  return given({
    username: url.username === '' ? undefined : decodeURIComponent(url.username),
    password: url.password === '' ? undefined : decodeURIComponent(url.password),
  });
}

const channelOf = (instrument: InstrumentText): number | undefined =>
  numberOption(instrument, 'channel', { from: 0, to: 99, integer: true });

function plugOf(instrument: InstrumentText): PlugOptions {
  return {
    ...placeOf(instrument),
    ...accountOf(instrument),
    ...given({
      quantity: wordOption(instrument, 'quantity', ['power', 'energy']),
      channel: channelOf(instrument),
      component: wordOption(instrument, 'component', SHELLY_COMPONENTS),
      intervalS: intervalS(instrument),
    }),
  };
}

function shellyOf(instrument: InstrumentText): Opener {
  const options = plugOf(instrument);
  if (options.username !== undefined || options.password !== undefined) {
    const expected = 'no account: switch its authentication off, which is a digest that is not supported';
    throw refuseText(instrument.what, instrument.text, expected, 'one');
  }
  return () => openShellyHttp(options);
}

function brokerOf(instrument: InstrumentText): Opener {
  const { url, options, what, text } = instrument as { url: URL } & InstrumentText;
  const name = wordOption(instrument, 'format', [...MQTT_FORMATS.keys()]);
  if (name === undefined) throw refuseText(what, text, `format=${[...MQTT_FORMATS.keys()].join('|')}`, 'none');
  const topic = decodeURIComponent(`${url.pathname}${url.hash}`.slice(1));
  const device = options.get('device');
  if ((topic === '') === (device === undefined)) {
    throw refuseText(what, text, 'the topic as path, or device=NAME', topic === '' ? 'neither' : 'both');
  }
  const choices: MqttOptions = {
    url: `${url.protocol}//${url.host}`,
    format: name,
    ...accountOf(instrument),
    ...given({
      topic: topic === '' ? undefined : topic,
      device,
      quantity: wordOption(instrument, 'quantity', ['power', 'energy']),
      channel: channelOf(instrument),
      component: wordOption(instrument, 'component', SHELLY_COMPONENTS),
      periodS: numberOption(instrument, 'period', { above: 0, to: 86_400 }),
    }),
  };
  try {
    mqttTopic(MQTT_FORMATS.get(name) as MqttFormat, choices);
  } catch (error) {
    if (!(error instanceof HardwareError)) throw error;
    throw refuseText(what, text, `${error.fields['expected']}`, `${error.fields['got']}`);
  }
  return () => openMqtt(choices);
}

function mqttKind(scheme: 'mqtt' | 'mqtts'): NetworkKind {
  return {
    form: `${scheme}://[USER:PASSWORD@]HOST[:PORT]/TOPIC?format=FORMAT`,
    about:
      scheme === 'mqtts'
        ? 'the same over TLS'
        : `a meter behind an MQTT broker: ${[...MQTT_FORMATS.keys()].join(', ')}`,
    options: ['format', 'device', 'quantity', 'channel', 'component', 'period'],
    isUrl: true,
    opener: brokerOf,
  };
}

/** The kinds in the order in which they are shown. */
export const NETWORK_KINDS: Readonly<Record<string, NetworkKind>> = {
  'shelly-http': {
    form: 'shelly-http://HOST[:PORT]',
    about: 'a Shelly of the second generation or later, asked by its RPC',
    options: ['component', 'channel', 'quantity', 'interval'],
    isUrl: true,
    opener: shellyOf,
  },
  'tasmota-http': {
    form: 'tasmota-http://[USER:PASSWORD@]HOST[:PORT]',
    about: 'a Tasmota, asked by Status 8',
    options: ['channel', 'quantity', 'interval'],
    isUrl: true,
    opener: (instrument) => {
      const options = plugOf(instrument);
      return () => openTasmotaHttp(options);
    },
  },
  mqtt: mqttKind('mqtt'),
  mqtts: mqttKind('mqtts'),
  'gude-http': {
    form: 'gude-http://HOST[:PORT]',
    about: 'GUDE Expert Power Control over HTTP',
    options: ADDRESSED,
    isUrl: true,
    opener: (instrument) => {
      const options = hostOf(instrument);
      return () => openGudeHttp(options);
    },
  },
  'gude-modbus': {
    form: 'gude-modbus://HOST[:PORT]',
    about: 'GUDE Expert Power Control over Modbus TCP',
    options: [...ADDRESSED, 'registers'],
    isUrl: true,
    opener: (instrument) => {
      const registers = wordOption(instrument, 'registers', ['input', 'holding']);
      const options = { ...hostOf(instrument), ...given({ registers }) };
      return () => openGudeModbus(options);
    },
  },
  'gude-snmp': {
    form: 'gude-snmp://HOST[:PORT]',
    about: 'GUDE Expert Power Control over SNMP',
    options: [...ADDRESSED, 'model', 'community'],
    isUrl: true,
    opener: (instrument) => {
      const model = wordOption(instrument, 'model', GUDE_SNMP_MODELS);
      const options = { ...hostOf(instrument), ...given({ model, community: instrument.options.get('community') }) };
      return () => openGudeSnmp(options);
    },
  },
};
