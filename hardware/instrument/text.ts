/**
 * Instruments as text, so that a command line, a plan and a result name them alike: `kind`, `kind:address`,
 * `kind://[user[:password]@]host[:port][/path]`, each with `?option=value&...`. Pure functions.
 */

import { HardwareError } from './errors.ts';

/** An instrument's text taken apart; nothing of it was looked for yet. */
export interface InstrumentText {
  readonly what: string;
  readonly text: string;
  readonly kind: string;
  /** What stands after the kind, percent-decoded; empty when nothing does. */
  readonly address: string;
  /** Of the form with `//` only. */
  readonly url?: URL;
  readonly options: ReadonlyMap<string, string>;
}

/** What a kind of instrument takes. */
export interface InstrumentForm {
  /** How it is written: `ppk2:PORT?vdd=VOLTS`. */
  readonly form: string;
  readonly options: readonly string[];
  /** Whether it has the form with `//`. */
  readonly isUrl?: boolean;
}

const SHAPE = /^([a-z][a-z0-9-]*)(?::([^?]*))?(?:\?(.*))?$/;

/** The text without a password, for messages and results. */
export function withoutPassword(text: string): string {
  return text.replace(/(:\/\/[^/?#@]*):[^/?#]*@/, '$1:***@').replace(/([?&](?:password|community)=)[^&]*/g, '$1***');
}

/** An argument error that names the whole instrument and says what was expected of which part. */
export function refuseText(what: string, text: string, expected: string, got: string | number): HardwareError {
  return new HardwareError('ARGUMENT', { what: `${what} "${withoutPassword(text)}"`, expected, got });
}

function optionsOf(what: string, text: string, query: string, form: InstrumentForm): Map<string, string> {
  const options = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(query)) {
    if (!form.options.includes(name)) {
      const expected = form.options.length === 0 ? 'no options' : `an option among ${form.options.join(', ')}`;
      throw refuseText(what, text, expected, name);
    }
    if (options.has(name)) throw refuseText(what, text, `${name} once`, 'a second one');
    options.set(name, value);
  }
  return options;
}

function urlOf(what: string, text: string, form: InstrumentForm): URL | undefined {
  if (form.isUrl !== true) return undefined;
  if (URL.canParse(text)) {
    const url = new URL(text);
    if (url.hostname !== '') return url;
  }
  throw refuseText(what, text, form.form, 'no host');
}

/**
 * Takes a text apart by the table of forms.
 * @param what `source` or `marker`, for messages
 * @throws HardwareError ARGUMENT
 */
export function parseInstrument(
  what: string,
  text: string,
  forms: Readonly<Record<string, InstrumentForm>>,
): InstrumentText {
  const parts = SHAPE.exec(text);
  const kind = parts?.[1] ?? '';
  const form = Object.hasOwn(forms, kind) ? forms[kind] : undefined;
  if (parts === null || form === undefined) {
    const known = Object.values(forms).map((each) => each.form);
    throw refuseText(what, text, `one of ${known.join(', ')}`, kind === '' ? 'no kind' : kind);
  }
  const options = optionsOf(what, text, parts[3] ?? '', form);
  const url = urlOf(what, text, form);
  let address: string;
  try {
    address = decodeURIComponent(parts[2] ?? '');
  } catch {
    throw refuseText(what, text, 'an address whose % are followed by two hexadecimal digits', parts[2] ?? '');
  }
  return { what, text, kind, address, options, ...(url === undefined ? {} : { url }) };
}

/** Bounds of a number, both included; `above` is excluded. */
export interface NumberRange {
  readonly above?: number;
  readonly from?: number;
  readonly to?: number;
  readonly integer?: boolean;
}

function saysRange(name: string, { above, from, to, integer }: NumberRange): string {
  const bounds = [
    above === undefined ? '' : ` above ${above}`,
    from === undefined ? '' : ` of at least ${from}`,
    to === undefined ? '' : ` of at most ${to}`,
  ];
  return `${name} as ${integer === true ? 'an integer' : 'a number'}${bounds.join('')}`;
}

/** A text as a number within its bounds. @throws HardwareError ARGUMENT */
export function numberIn(instrument: InstrumentText, name: string, text: string, range: NumberRange): number {
  const value = text.trim() === '' ? Number.NaN : Number(text);
  const { above = Number.NEGATIVE_INFINITY, from = Number.NEGATIVE_INFINITY, to = Number.MAX_VALUE, integer } = range;
  const fits = value > above && value >= from && value <= to && (integer !== true || Number.isInteger(value));
  if (fits) return value;
  throw refuseText(instrument.what, instrument.text, saysRange(name, range), text === '' ? 'none' : text);
}

/** An option as a number, undefined when it is left out. @throws HardwareError ARGUMENT */
export function numberOption(instrument: InstrumentText, name: string, range: NumberRange): number | undefined {
  const text = instrument.options.get(name);
  return text === undefined ? undefined : numberIn(instrument, name, text, range);
}

/** An option that is one of some words, undefined when it is left out. @throws HardwareError ARGUMENT */
export function wordOption<Word extends string>(
  instrument: InstrumentText,
  name: string,
  words: readonly Word[],
): Word | undefined {
  const text = instrument.options.get(name);
  const word = words.find((each) => each === text);
  if (text === undefined || word !== undefined) return word;
  throw refuseText(instrument.what, instrument.text, `${name} among ${words.join(', ')}`, text);
}

/** Only those fields that have a value: options that are left out are not undefined. */
export function given<Fields extends object>(fields: Fields): { [Name in keyof Fields]?: NonNullable<Fields[Name]> } {
  const entries = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [Name in keyof Fields]?: NonNullable<Fields[Name]> };
}
