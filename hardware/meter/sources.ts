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
import { NETWORK_KINDS } from './network-sources.ts';
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
  /** The processors' flags: whether this is a virtual machine. */
  readonly cpuInfo: string;
  /** Where Scaphandre's tree of a guest is mounted by its manual. */
  readonly scaphandre: string;
}

/** Where a machine has its sources, unless a test says otherwise. */
export const MACHINE_PLACES: MachinePlaces = {
  hwmon: HWMON_ROOT,
  powercap: POWERCAP_ROOT,
  vcgencmd: PMIC_COMMAND,
  devices: '/dev',
  cpuInfo: '/proc/cpuinfo',
  scaphandre: '/var/scaphandre',
};

/** Opens what a text names, once. */
type Opener = () => PowerSource | Promise<PowerSource>;

interface SourceKind extends InstrumentForm {
  readonly about: string;
  /** Checks every part of the text. @throws HardwareError ARGUMENT */
  readonly opener: (instrument: InstrumentText, places: MachinePlaces) => Opener;
}

function intervalS(instrument: InstrumentText): number | undefined {
  return numberOption(instrument, 'interval', { above: 0, to: 3600 });
}

function refuseAddress({ what, text, address }: InstrumentText): void {
  if (address !== '') throw refuseText(what, text, 'no address', address);
}

function raplOf(instrument: InstrumentText, { powercap, cpuInfo }: MachinePlaces): Opener {
  const zone = instrument.address === '' ? undefined : instrument.address;
  const dram = wordOption(instrument, 'dram', ['beside', 'inside']);
  if (zone !== undefined && dram !== undefined) {
    throw refuseText(instrument.what, instrument.text, 'dram for the whole machine only', `it beside ${zone}`);
  }
  const root = instrument.options.get('root') ?? powercap;
  const options = {
    root,
    cpuInfo,
    dramInside: dram === 'inside',
    ...given({ zone, intervalS: intervalS(instrument) }),
  };
  return () => openRapl(options);
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

/** Kinds of sources in the order in which they are shown. */
export const SOURCE_KINDS: Readonly<Record<string, SourceKind>> = {
  hwmon: {
    form: 'hwmon[:LABEL]',
    about: 'a sensor of current on a bus of this machine: INA2xx, INA3221, LTC2945, PAC1934',
    options: ['interval'],
    opener: (instrument, { hwmon }) => {
      const label = instrument.address === '' ? undefined : instrument.address;
      const options = { root: hwmon, ...given({ label, intervalS: intervalS(instrument) }) };
      return () => openHwmon(options);
    },
  },
  rapl: {
    form: 'rapl[:ZONE]',
    about: 'energy counters of an x86 processor, or what a host attributes to this virtual machine',
    options: ['interval', 'dram', 'root'],
    opener: raplOf,
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
  ...NETWORK_KINDS,
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
