/** Energies, powers and times in SI units as people read them. */

const ENERGY_UNITS = [
  [1e3, 'kJ'],
  [1, 'J'],
  [1e-3, 'mJ'],
  [1e-6, 'uJ'],
  [1e-9, 'nJ'],
] as const;

const POWER_UNITS = [
  [1, 'W'],
  [1e-3, 'mW'],
  [1e-6, 'uW'],
] as const;

const TIME_UNITS = [
  [1, 's'],
  [1e-3, 'ms'],
  [1e-6, 'us'],
  [1e-9, 'ns'],
] as const;

const CARBON_UNITS = [
  [1e3, 'kg'],
  [1, 'g'],
  [1e-3, 'mg'],
  [1e-6, 'ug'],
] as const;

type Units = readonly (readonly [number, string])[];

function digits(value: number): string {
  if (value >= 100) return value.toFixed(0);
  return value >= 10 ? value.toFixed(1) : value.toFixed(2);
}

function quantity(value: number | null | undefined, units: Units, none: string): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return none;
  if (value === 0) return '0';
  const size = Math.abs(value);
  const [scale, unit] = units.find(([scale]) => size >= scale) ?? units.at(-1) ?? [1, ''];
  return `${value < 0 ? '-' : ''}${digits(size / scale)} ${unit}`;
}

/** `none` stands for a number without bound. */
export const energy = (valueJ: number | null | undefined, none = '-'): string => quantity(valueJ, ENERGY_UNITS, none);

/** W with a prefix. */
export const power = (valueW: number | null | undefined, none = '-'): string => quantity(valueW, POWER_UNITS, none);

/** Seconds with a prefix. */
export const seconds = (valueS: number | null | undefined, none = '-'): string => quantity(valueS, TIME_UNITS, none);

/** g of CO2e with a prefix. */
export const carbon = (valueG: number | null | undefined, none = '-'): string => quantity(valueG, CARBON_UNITS, none);

interface Bounds {
  readonly low: number | null;
  readonly high: number | null;
}

/** An interval of J in one unit. */
export function energyInterval({ low, high }: Bounds): string {
  return low === null && high === null ? 'no bounds' : `[${energy(low, 'no bound')}, ${energy(high, 'no bound')}]`;
}

/** An interval of g in one unit. */
export function carbonInterval({ low, high }: Bounds): string {
  return low === null && high === null ? 'no bounds' : `[${carbon(low, 'no bound')}, ${carbon(high, 'no bound')}]`;
}
