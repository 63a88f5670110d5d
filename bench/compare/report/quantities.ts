/** Numbers as people read them. */

const UNITS = [
  [1e9, 's'],
  [1e6, 'ms'],
  [1e3, 'us'],
  [1, 'ns'],
] as const;

function digits(value: number): string {
  if (value >= 100) return value.toFixed(0);
  return value >= 10 ? value.toFixed(1) : value.toFixed(2);
}

/** A time; `never` stands for a number without bound. */
export function time(ns: number | null | undefined, never = '-'): string {
  if (ns === null || ns === undefined || Number.isNaN(ns)) return never;
  if (ns === 0) return '0';
  const [scale, unit] = UNITS.find(([scale]) => Math.abs(ns) >= scale) ?? [1, 'ns'];
  return `${ns < 0 ? '-' : ''}${digits(Math.abs(ns) / scale)} ${unit}`;
}

/** A ratio. */
export function ratio(value: number | null | undefined, never = '-'): string {
  if (value === null || value === undefined || Number.isNaN(value)) return never;
  if (value >= 1000) return Math.round(value).toLocaleString('en');
  return value < 0.1 ? value.toPrecision(2) : digits(value);
}

interface Bounds {
  readonly low: number | null;
  readonly high: number | null;
}

/** An interval of nanoseconds in one unit. */
export function timeInterval({ low, high }: Bounds): string {
  return `[${time(low, 'no bound')}, ${time(high, 'no bound')}]`;
}

/** An interval of ratios. */
export function ratioInterval({ low, high }: Bounds): string {
  return `[${ratio(low, 'no bound')}, ${ratio(high, 'no bound')}]`;
}
