/** wasi:clocks, from the guest's own time source. Source: WASI 0.2, wasi:clocks/monotonic-clock and wall-clock. */

import { CLOCKID } from '../../wasi/clock-id.ts';
import type { Host } from './host.ts';
import type { Imports } from './interfaces.ts';
import { Pollable } from './io.ts';

/** Nanoseconds of a second. */
export const NS_PER_S = 1_000_000_000n;

/** `datetime` of wasi:clocks/wall-clock: since the epoch of 1970. */
export interface Datetime {
  readonly seconds: bigint;
  readonly nanoseconds: number;
}

/** Nanoseconds since the epoch as a datetime; times before it are the epoch. */
export function toDatetime(timeNs: bigint): Datetime {
  const positive = timeNs < 0n ? 0n : timeNs;
  return { seconds: positive / NS_PER_S, nanoseconds: Number(positive % NS_PER_S) };
}

/** The interfaces of wasi:clocks. */
export function createClocks(host: Host): Imports {
  const now = (): bigint => {
    host.enter();
    return host.readClock(CLOCKID.monotonic);
  };
  // A wait is real time, also for a guest whose clocks stand still.
  const after = (durationNs: bigint): Pollable => {
    const readyAtMs = performance.now() + Number(durationNs) / 1e6;
    return new Pollable(host, { readyAtMs, isReady: () => performance.now() >= readyAtMs });
  };
  return {
    'wasi:clocks/monotonic-clock': {
      now,
      resolution: () => host.time.resolutionNs(CLOCKID.monotonic),
      subscribeInstant(whenNs: bigint) {
        const nowNs = now();
        return after(whenNs > nowNs ? whenNs - nowNs : 0n);
      },
      subscribeDuration(durationNs: bigint) {
        host.enter();
        return after(durationNs);
      },
    },
    'wasi:clocks/wall-clock': {
      now() {
        host.enter();
        return toDatetime(host.readClock(CLOCKID.realtime));
      },
      resolution: () => toDatetime(host.time.resolutionNs(CLOCKID.realtime)),
    },
  };
}
