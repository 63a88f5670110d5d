/** Times as engines write them: RFC 3339, with a fraction down to nanoseconds that a Date would cut off. */

/** Nanoseconds from one time to another; negative when the second is before the first. */
export function nsBetween(from: string, to: string): number {
  return (secondMs(to) - secondMs(from)) * 1e6 + fractionNs(to) - fractionNs(from);
}

/** The full second a time is in. */
function secondMs(time: string): number {
  return Date.parse(time.replace(/\.\d+/, ''));
}

function fractionNs(time: string): number {
  return Number((/\.(\d+)/.exec(time)?.[1] ?? '').padEnd(9, '0').slice(0, 9));
}
