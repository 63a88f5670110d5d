/** CLOCK_MONOTONIC in nanoseconds: the same clock in every thread, and cheaper to read than `process.hrtime`. */

const OFFSET_NS: number = Number(process.hrtime.bigint()) - performance.now() * 1e6;

export function monotonicNs(): number {
  return performance.now() * 1e6 + OFFSET_NS;
}
