/** CLOCK_MONOTONIC in nanoseconds: the same clock in every thread, and cheaper to read than `process.hrtime`. */

const READINGS = 50;

/**
 * What to add to this thread's `performance.now()`: of several readings the one between whose ends the least time passed,
 * for the first ones are interrupted by their own compilation, and threads compare what they read.
 */
function offsetNs(): number {
  let leastNs = Infinity;
  let offset = 0;
  for (let reading = 0; reading < READINGS; reading++) {
    const beforeNs = performance.now() * 1e6;
    const monotonic = Number(process.hrtime.bigint());
    const afterNs = performance.now() * 1e6;
    if (afterNs - beforeNs >= leastNs) continue;
    leastNs = afterNs - beforeNs;
    offset = monotonic - (beforeNs + afterNs) / 2;
  }
  return offset;
}

const OFFSET_NS: number = offsetNs();

export function monotonicNs(): number {
  return performance.now() * 1e6 + OFFSET_NS;
}
