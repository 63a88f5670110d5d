/** The clocks of a guest, as its capabilities have them. All times are nanoseconds as u64. */

import { hasThreadCpuClock, threadCpuNs } from '../../linux/thread-cpu.ts';
import { CLOCKID } from '../../wasi/clock-id.ts';
import type { ClockCapability } from './schema.ts';

const NS_PER_MS = 1_000_000n;
/** Without a C library: `getrusage` counts microseconds. */
const CPU_RESOLUTION_NS = 1000n;
/** Realtime is the monotonic clock plus an offset, taken anew when it is further off than this: the clock was set. */
const DRIFT_NS = 2n * NS_PER_MS;

/**
 * The four clocks of a guest: the machine's, coarse ones, or a time that stands still. Source: WASI preview1,
 * docs.md#clockid.
 */
export class TimeSource {
  readonly #kind: ClockCapability['kind'];
  readonly #grainNs: bigint;
  readonly #fixedNs: bigint;
  #offsetNs = 0n;

  constructor(capability: ClockCapability) {
    this.#kind = capability.kind;
    this.#grainNs = capability.kind === 'coarse' ? BigInt(Math.max(1, Math.floor(capability.grainNs))) : 1n;
    this.#fixedNs = capability.kind === 'fixed' ? fromMs(capability.epochMs) : 0n;
  }

  /** Time of a `clockid`, or -1n when there is no such clock. */
  nowNs(clock: number): bigint {
    if (clock > CLOCKID.threadCputime) return -1n;
    if (this.#kind === 'fixed') return this.#fixedNs;
    const now = this.#read(clock);
    return this.#grainNs === 1n ? now : now - (now % this.#grainNs);
  }

  /** Resolution of a `clockid`, or -1n when there is no such clock. */
  resolutionNs(clock: number): bigint {
    if (clock > CLOCKID.threadCputime) return -1n;
    const own = clock < CLOCKID.processCputime || hasThreadCpuClock() ? 1n : CPU_RESOLUTION_NS;
    return this.#grainNs > own ? this.#grainNs : own;
  }

  #read(clock: number): bigint {
    switch (clock) {
      case CLOCKID.realtime:
        return this.#realtimeNs();
      case CLOCKID.monotonic:
        return process.hrtime.bigint();
      default:
        // A guest's process is the thread it runs in: what other guests use is not its own.
        return cpuNs();
    }
  }

  #realtimeNs(): bigint {
    const monotonicNs = process.hrtime.bigint();
    const wallNs = BigInt(Date.now()) * NS_PER_MS;
    const offBy = monotonicNs + this.#offsetNs - wallNs;
    if (offBy < -DRIFT_NS || offBy > DRIFT_NS) this.#offsetNs = wallNs - monotonicNs;
    return monotonicNs + this.#offsetNs;
  }
}

/** Whole milliseconds apart from the rest: their product with a million is beyond what a number holds exactly. */
function fromMs(timeMs: number): bigint {
  const whole = Math.max(0, Math.floor(timeMs));
  return BigInt(whole) * NS_PER_MS + BigInt(Math.max(0, Math.round((timeMs - whole) * 1e6)));
}

interface CpuUsage {
  readonly user: number;
  readonly system: number;
}

/** CPU time of this thread where Node tells it (23.9 and later), of the process elsewhere. */
const cpuUsage: () => CpuUsage =
  (process as { threadCpuUsage?: () => CpuUsage }).threadCpuUsage?.bind(process) ?? process.cpuUsage.bind(process);

function cpuNs(): bigint {
  const threadNs = threadCpuNs();
  if (threadNs >= 0n) return threadNs;
  const usage = cpuUsage();
  return BigInt(usage.user + usage.system) * 1000n;
}
