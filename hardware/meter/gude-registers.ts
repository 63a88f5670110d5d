/**
 * GUDE Expert Power Control over HTTP, Modbus TCP and SNMP: where the values stand and what they mean. Pure functions. Over
 * Modbus and SNMP power has steps of 1 W and energy of 1 Wh; the meter renews its values once a second, and its accuracy
 * is specified for 1 A and more. Sources: GUDE wiki, GUDEADS-EPC1105-MIB.
 */

import { HardwareError } from '../instrument/errors.ts';

/** Time after which a GUDE meter has new values, in seconds. */
export const GUDE_REFRESH_S = 1;

/** Offsets of a line's values, each a signed 32-bit number of two registers, the high word first. */
const GUDE_OFFSETS = {
  energyWh: 0,
  powerW: 1,
  voltageV: 2,
  currentMa: 3,
  frequencyCentiHz: 4,
  powerFactorMilli: 5,
} as const;

/** A quantity that a GUDE meter has a register for. */
export type GudeQuantity = keyof typeof GUDE_OFFSETS;

/** First register of a line's value; lines count from 0. */
export function gudeRegister(line: number, quantity: GudeQuantity): number {
  return 0x400 + line * 0x120 + GUDE_OFFSETS[quantity] * 2;
}

function isWord(value: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= 0xffff;
}

/**
 * The number in two registers.
 * @throws HardwareError SOURCE_PAYLOAD for anything but two registers of 16 bits
 */
export function gudeNumber(registers: readonly number[]): number {
  const [high, low] = registers;
  if (registers.length !== 2 || high === undefined || low === undefined || !isWord(high) || !isWord(low)) {
    const fields = { source: 'GUDE Modbus', expected: 'two registers', got: registers.join(' ') || 'none' };
    throw new HardwareError('SOURCE_PAYLOAD', fields);
  }
  return (high << 16) | low;
}

/** Product numbers below .1.3.6.1.4.1.28507. */
const SNMP_MODELS: Readonly<Record<string, number>> = { 1105: 69, 1202: 43, 8340: 54, 8226: 58 };

/** Models whose place in the tree is known. */
export const GUDE_SNMP_MODELS: readonly string[] = Object.keys(SNMP_MODELS);

const SNMP_COLUMNS = {
  energyWh: 3,
  powerW: 4,
  currentMa: 5,
  voltageV: 6,
  frequencyCentiHz: 7,
  powerFactorMilli: 8,
} as const;

/**
 * The OID of a value; lines count from 0. Only the EPC 1105's own MIB was read: its siblings' tables are taken to be alike.
 * @throws HardwareError ARGUMENT for a model that is not known
 */
export function gudeOid(model: string, line: number, quantity: GudeQuantity): string {
  const product = SNMP_MODELS[model];
  if (product === undefined) {
    throw new HardwareError('ARGUMENT', {
      what: 'GUDE model',
      expected: GUDE_SNMP_MODELS.join(', '),
      got: model,
    });
  }
  return `1.3.6.1.4.1.28507.${product}.1.5.1.2.1.${SNMP_COLUMNS[quantity]}.${line + 1}`;
}

interface Description {
  readonly fields?: readonly { readonly name?: unknown; readonly unit?: unknown }[];
}

interface Values {
  readonly values?: readonly (readonly { readonly v?: unknown }[])[];
}

interface Status {
  readonly sensor_descr?: readonly Description[];
  readonly sensor_values?: readonly Values[];
}

/**
 * Active power in W out of `status.json?components=0x4000`. The place of the value is looked up among the fields' units and
 * names, because it differs between models.
 * @param line which one, where there are several
 * @throws HardwareError SOURCE_PAYLOAD
 */
export function parseGudeStatus(text: string, line?: number): number {
  const refuse = (expected: string): never => {
    throw new HardwareError('SOURCE_PAYLOAD', { source: 'GUDE HTTP', expected, got: text.slice(0, 120) });
  };
  let parsed: Status | null;
  try {
    parsed = JSON.parse(text) as Status | null;
  } catch {
    return refuse('JSON');
  }
  const descriptions = parsed?.sensor_descr;
  const values = parsed?.sensor_values;
  if (!Array.isArray(descriptions) || !Array.isArray(values)) return refuse('sensor_descr and sensor_values');
  for (const [sensor, description] of (descriptions as readonly Description[]).entries()) {
    const fields = Array.isArray(description.fields) ? description.fields : [];
    const place = fields.findIndex(
      ({ name, unit }) => unit === 'W' && /active/i.test(String(name)) && !/re-?active/i.test(String(name)),
    );
    if (place < 0) continue;
    const lines = (values as readonly Values[])[sensor]?.values;
    if (line === undefined && Array.isArray(lines) && lines.length > 1) return refuse(`line=0 .. ${lines.length - 1}`);
    const power = lines?.[line ?? 0]?.[place]?.v;
    if (typeof power === 'number' && Number.isFinite(power)) return power;
  }
  return refuse(`active power in W of line ${line ?? 0}`);
}
