/** All markers by their text, `openMarker('gpio:17')`, and which of them this machine has. */

import { HardwareError, detailOf } from '../instrument/errors.ts';
import {
  numberIn,
  numberOption,
  parseInstrument,
  refuseText,
  type InstrumentForm,
  type InstrumentText,
} from '../instrument/text.ts';
import { CHIP_ROOT, openChipLine, openableChips } from './chip-line.ts';
import { requirePackage } from '../instrument/packages.ts';
import { openGpioLine } from './gpio-line.ts';
import { globalLineOf } from './gpio-number.ts';
import { MemoryLine, measureLine, type LineCost, type MarkerLine } from './line.ts';
import { LoadLine } from './load-line.ts';
import { SessionMarker, type MarkerOptions } from './marker.ts';

interface MarkerKind extends InstrumentForm {
  readonly about: string;
  /** Checks every part of the text. @throws HardwareError ARGUMENT */
  readonly opener: (instrument: InstrumentText) => () => Promise<MarkerLine | undefined>;
}

function pinOf(instrument: InstrumentText): number {
  return numberIn(instrument, 'the BCM number of a pin', instrument.address, { from: 0, to: 999, integer: true });
}

function withoutAddress(instrument: InstrumentText): void {
  const { what, text, address } = instrument;
  if (address !== '') throw refuseText(what, text, 'no address', address);
}

/** Kinds of markers in the order in which they are shown. */
const MARKER_KINDS: Readonly<Record<string, MarkerKind>> = {
  gpio: {
    form: 'gpio:PIN[?chip=LABEL]',
    about: 'a GPIO pin by its BCM number, through onoff and /sys/class/gpio',
    options: ['chip'],
    opener: (instrument) => {
      const pin = pinOf(instrument);
      const chip = instrument.options.get('chip');
      return () => openGpioLine(pin, chip);
    },
  },
  gpiochip: {
    form: 'gpiochip:PIN[?chip=FILE]',
    about: "a GPIO pin through the kernel's /dev/gpiochipN and koffi, for kernels without /sys/class/gpio",
    options: ['chip'],
    opener: (instrument) => {
      const pin = pinOf(instrument);
      const chip = instrument.options.get('chip');
      return () => openChipLine(pin, chip === undefined ? {} : { chip });
    },
  },
  load: {
    form: 'load[?unit=SECONDS]',
    about: 'no pin: coded bursts of load at both ends, which the power itself shows, for logs without a digital line',
    options: ['unit'],
    opener: (instrument) => {
      withoutAddress(instrument);
      const unitS = numberOption(instrument, 'unit', { from: 0.05, to: 60 }) ?? 2;
      return () => LoadLine.open(unitS * 1e3);
    },
  },
  none: {
    form: 'none',
    about: "no line: windows have the host's times only, for sources on the host's clock",
    options: [],
    opener: (instrument) => {
      withoutAddress(instrument);
      return () => Promise.resolve(undefined);
    },
  },
  memory: {
    form: 'memory',
    about: 'no pin: remembers what a line would have done; stamps everything synthetic',
    options: [],
    opener: (instrument) => {
      withoutAddress(instrument);
      return () => Promise.resolve(new MemoryLine());
    },
  },
};

function openerOf(text: string): () => Promise<MarkerLine | undefined> {
  const instrument = parseInstrument('marker', text, MARKER_KINDS);
  return (MARKER_KINDS[instrument.kind] as MarkerKind).opener(instrument);
}

/** Sees that a text names a marker, without opening it. @throws HardwareError ARGUMENT */
export function checkMarker(text: string): void {
  openerOf(text);
}

/**
 * Opens the line of a marker by its text; undefined for `none`.
 * @throws HardwareError ARGUMENT, and what `openGpioLine` throws
 */
export async function openMarkerLine(text: string): Promise<MarkerLine | undefined> {
  return await openerOf(text)();
}

/** An open session of marks, and what a mark costs. */
export interface OpenedMarker {
  readonly marker: SessionMarker;
  /** Measured before the opening burst; undefined without a line that marks windows. */
  readonly cost: LineCost | undefined;
}

/**
 * Opens a marker, measures what it costs and writes the opening burst.
 * @throws HardwareError as `openMarkerLine`
 */
export async function openMarker(text: string, options: MarkerOptions = {}): Promise<OpenedMarker> {
  const line = await openMarkerLine(text);
  try {
    const cost = line === undefined || line.bursts !== undefined ? undefined : measureLine(line);
    return { marker: await SessionMarker.open(line, options), cost };
  } catch (error) {
    line?.close();
    throw error;
  }
}

/** A marker that this machine has, or the reason why not. */
export interface ListedMarker {
  readonly kind: string;
  readonly marker: string;
  readonly state: 'present' | 'absent';
  readonly detail: string;
}

function listed(kind: string, form: string, about: string, pin: number): ListedMarker {
  try {
    // No pin is moved here: what a listed marker needs is looked at one by one.
    const where = {
      gpio: () => {
        const line = globalLineOf(pin);
        requirePackage('onoff');
        return `; line ${line}`;
      },
      gpiochip: () => {
        const chips = openableChips(pin, CHIP_ROOT);
        requirePackage('koffi');
        return `; ${chips.join(', ')}`;
      },
    }[kind];
    const marker = where === undefined ? form : `${kind}:${pin}`;
    return { kind, marker, state: 'present', detail: `${about}${where?.() ?? ''}` };
  } catch (error) {
    const detail = error instanceof HardwareError ? error.problem : detailOf(error);
    return { kind, marker: form, state: 'absent', detail };
  }
}

/** Every kind of marker: present where its package, its files and the right to use them are there. No pin is moved. */
export function listMarkers(pin = 17): ListedMarker[] {
  return Object.entries(MARKER_KINDS).map(([kind, { form, about }]) => listed(kind, form, about, pin));
}
