/**
 * All power sources by their text, `openSource('hwmon:VDD_IN')`: the one door that commands, plans and results use.
 * Nothing is guessed: a text that does not fit is refused before anything is opened.
 */

import {
  given,
  numberOption,
  parseInstrument,
  refuseText,
  wordOption,
  type InstrumentForm,
  type InstrumentText,
} from '../instrument/text.ts';
import { openHwmon, HWMON_ROOT } from './hwmon.ts';
import { GUDE_SNMP_MODELS } from './gude-registers.ts';
import { MQTT_FORMATS } from './mqtt-payload.ts';
import { openMqtt } from './mqtt-source.ts';
import { openGudeHttp, openGudeModbus, openGudeSnmp, type NetworkMeterOptions } from './network-meter.ts';
import { openPmic, PMIC_COMMAND } from './pmic.ts';
import type { PowerSource } from './power-source.ts';
import { openPpk2 } from './ppk2-source.ts';
import { openRapl, POWERCAP_ROOT } from './rapl.ts';
import { openSynthetic } from './synthetic-source.ts';

/** Where this machine shows its own meters; other places are for tests. */
export interface MachinePlaces {
  readonly hwmon: string;
  readonly powercap: string;
  readonly vcgencmd: string;
  /** Folder of serial ports. */
  readonly devices: string;
}

/** Where a machine has its sources, unless a test says otherwise. */
export const MACHINE_PLACES: MachinePlaces = {
  hwmon: HWMON_ROOT,
  powercap: POWERCAP_ROOT,
  vcgencmd: PMIC_COMMAND,
  devices: '/dev',
};

/** Opens what a text names, once. */
type Opener = () => PowerSource | Promise<PowerSource>;

interface SourceKind extends InstrumentForm {
  readonly about: string;
  /** Checks every part of the text. @throws HardwareError ARGUMENT */
  readonly opener: (instrument: InstrumentText, places: MachinePlaces) => Opener;
}

const ADDRESSED = ['line', 'interval'] as const;

function intervalS(instrument: InstrumentText): number | undefined {
  return numberOption(instrument, 'interval', { above: 0, to: 3600 });
}

function refuseAddress({ what, text, address }: InstrumentText): void {
  if (address !== '') throw refuseText(what, text, 'no address', address);
}

function hostOf(instrument: InstrumentText): NetworkMeterOptions {
  const { url } = instrument as { url: URL };
  if (url.pathname !== '' && url.pathname !== '/') {
    throw refuseText(instrument.what, instrument.text, 'a host and no path', url.pathname);
  }
  return {
    host: url.hostname.replace(/^\[|\]$/g, ''),
    ...given({
      port: url.port === '' ? undefined : Number(url.port),
      line: numberOption(instrument, 'line', { from: 0, to: 99, integer: true }),
      intervalS: intervalS(instrument),
    }),
  };
}

function brokerOf(instrument: InstrumentText): Opener {
  const { url, options } = instrument as { url: URL } & InstrumentText;
  const format = wordOption(instrument, 'format', [...MQTT_FORMATS.keys()]);
  if (format === undefined) {
    const expected = `format=${[...MQTT_FORMATS.keys()].join('|')}`;
    throw refuseText(instrument.what, instrument.text, expected, 'none');
  }
  const topic = decodeURIComponent(url.pathname.slice(1));
  const device = options.get('device');
  if ((topic === '') === (device === undefined)) {
    const expected = 'the topic as path, or device=NAME';
    throw refuseText(instrument.what, instrument.text, expected, topic === '' ? 'neither' : 'both');
  }
  const choices = given({
    topic: topic === '' ? undefined : topic,
    device,
    quantity: wordOption(instrument, 'quantity', ['power', 'energy']),
    channel: numberOption(instrument, 'channel', { from: 0, to: 99, integer: true }),
    username: url.username === '' ? undefined : decodeURIComponent(url.username),
    password: url.password === '' ? undefined : decodeURIComponent(url.password),
  });
  return () => openMqtt({ url: `${url.protocol}//${url.host}`, format, ...choices });
}

function portOf(instrument: InstrumentText): Opener {
  const { what, text, address } = instrument;
  const vddV = numberOption(instrument, 'vdd', { above: 0, to: 60 });
  if (address === '') throw refuseText(what, text, 'the path of a serial port', 'none');
  if (vddV === undefined) throw refuseText(what, text, 'vdd=VOLTS, because it measures currents only', 'none');
  return () => openPpk2(address, vddV);
}

function madeUp(instrument: InstrumentText): Opener {
  refuseAddress(instrument);
  const options = given({
    idleW: numberOption(instrument, 'idle', { from: 0 }),
    busyW: numberOption(instrument, 'busy', { from: 0 }),
    noiseW: numberOption(instrument, 'noise', { from: 0 }),
    rateHz: numberOption(instrument, 'rate', { above: 0, to: 100_000 }),
    refreshS: numberOption(instrument, 'refresh', { from: 0 }),
    stepW: numberOption(instrument, 'step', { from: 0 }),
    seed: numberOption(instrument, 'seed', { from: 0, integer: true }),
  });
  return () => openSynthetic(options);
}

function mqttKind(scheme: 'mqtt' | 'mqtts'): SourceKind {
  return {
    form: `${scheme}://[USER:PASSWORD@]HOST[:PORT]/TOPIC?format=FORMAT`,
    about:
      scheme === 'mqtts'
        ? 'the same over TLS'
        : `a meter behind an MQTT broker: ${[...MQTT_FORMATS.keys()].join(', ')}`,
    options: ['format', 'device', 'quantity', 'channel'],
    isUrl: true,
    opener: brokerOf,
  };
}

/** Kinds of sources in the order in which they are shown. */
export const SOURCE_KINDS: Readonly<Record<string, SourceKind>> = {
  hwmon: {
    form: 'hwmon[:LABEL]',
    about: 'INA2xx or INA3221 on a bus of this machine',
    options: ['interval'],
    opener: (instrument, { hwmon }) => {
      const label = instrument.address === '' ? undefined : instrument.address;
      const options = { root: hwmon, ...given({ label, intervalS: intervalS(instrument) }) };
      return () => openHwmon(options);
    },
  },
  rapl: {
    form: 'rapl[:ZONE]',
    about: 'energy counters of an x86 processor',
    options: ['interval'],
    opener: (instrument, { powercap }) => {
      const zone = instrument.address === '' ? undefined : instrument.address;
      const options = { root: powercap, ...given({ zone, intervalS: intervalS(instrument) }) };
      return () => openRapl(options);
    },
  },
  pmic: {
    form: 'pmic',
    about: 'power manager of a Raspberry Pi 5, an estimate',
    options: ['interval'],
    opener: (instrument, { vcgencmd }) => {
      refuseAddress(instrument);
      const options = { command: vcgencmd, ...given({ intervalS: intervalS(instrument) }) };
      return () => openPmic(options);
    },
  },
  ppk2: {
    form: 'ppk2:PORT?vdd=VOLTS',
    about: 'Power Profiler Kit II on a serial port',
    options: ['vdd'],
    opener: portOf,
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
  synthetic: {
    form: 'synthetic',
    about: 'made up, to try an experiment without a meter; stamps everything synthetic',
    options: ['idle', 'busy', 'noise', 'rate', 'refresh', 'step', 'seed'],
    opener: madeUp,
  },
};

function openerOf(text: string, places: MachinePlaces): Opener {
  const instrument = parseInstrument('source', text, SOURCE_KINDS);
  return (SOURCE_KINDS[instrument.kind] as SourceKind).opener(instrument, places);
}

/**
 * Opens a power source by its text; `SOURCE_KINDS` has the forms.
 * @throws HardwareError ARGUMENT, NO_SOURCE, SOURCE_DENIED, SOURCE_UNREACHABLE, SOURCE_PAYLOAD, PACKAGE_MISSING
 */
export async function openSource(text: string, places: MachinePlaces = MACHINE_PLACES): Promise<PowerSource> {
  return await openerOf(text, places)();
}

/** Sees that a text names a source, without opening it. @throws HardwareError ARGUMENT */
export function checkSource(text: string): void {
  openerOf(text, MACHINE_PLACES);
}
