/**
 * A power source that is made up: a level, the machine's load on top of it, noise, steps, a refresh. It measures nothing;
 * it is there to try a whole experiment without a meter, and everything that follows from it is stamped synthetic.
 */

import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { normalFrom } from '../../statistics/normal.ts';
import { seededRandom } from '../../statistics/random.ts';
import { monotonicS, type PowerSource, type Reading, type SourceProperties } from './power-source.ts';

/** What is made up. */
export interface SyntheticOptions {
  /** Power of the idle machine in W; default 2.5. */
  readonly idleW?: number;
  /** What all cores at full load add in W; default 0. */
  readonly busyW?: number;
  /** Standard deviation of a reading in W; default 0.02. */
  readonly noiseW?: number;
  /** Readings a second; default 1000. */
  readonly rateHz?: number;
  /** Time after which the value is renewed, in seconds; default each reading. */
  readonly refreshS?: number;
  /** Steps of the value in W; default none. */
  readonly stepW?: number;
  readonly seed?: number;
}

interface CpuTimes {
  readonly busy: number;
  readonly all: number;
}

/** user, nice, system, idle, iowait, irq, softirq and steal of the first row of /proc/stat, in ticks. */
function cpuTimes(): CpuTimes {
  const fields = /^cpu +(.*)$/m.exec(readFileSync('/proc/stat', 'utf8'))?.[1]?.split(' ').map(Number) ?? [];
  const all = fields.slice(0, 8).reduce((sum, ticks) => sum + ticks, 0);
  return { all, busy: all - (fields[3] ?? 0) - (fields[4] ?? 0) };
}

class SyntheticSource implements PowerSource {
  readonly properties: SourceProperties;
  readonly #options: Required<SyntheticOptions>;
  readonly #random: () => number;
  #before: CpuTimes | undefined;
  #loadW = 0;

  constructor(options: Required<SyntheticOptions>) {
    this.#options = options;
    this.#random = seededRandom(options.seed);
    this.properties = {
      name: `synthetic ${options.idleW} W${options.busyW > 0 ? ` and ${options.busyW} W at full load` : ''}`,
      rule: 'instant',
      clock: 'ours',
      refreshS: options.refreshS,
      resolution: options.stepW,
      estimate: false,
      synthetic: true,
    };
  }

  /** The load since it was last asked; /proc/stat counts in ticks, between which the last load stands. */
  #load(): number {
    if (this.#options.busyW === 0) return 0;
    const now = cpuTimes();
    const before = this.#before ?? now;
    if (now.all > before.all) this.#loadW = (this.#options.busyW * (now.busy - before.busy)) / (now.all - before.all);
    if (this.#before === undefined || now.all > before.all) this.#before = now;
    return this.#loadW;
  }

  #value(): number {
    const { idleW, noiseW, stepW } = this.#options;
    const powerW = idleW + this.#loadW + noiseW * normalFrom(this.#random);
    return stepW > 0 ? stepW * Math.round(powerW / stepW) : powerW;
  }

  /** Readings on a grid of times, given out when their time has passed: a late timer delays but does not lose one. */
  async *readings(signal: AbortSignal): AsyncGenerator<Reading> {
    const { rateHz, refreshS } = this.#options;
    const startS = monotonicS();
    let taken = 0;
    let renewed = -1;
    let value = 0;
    while (!signal.aborted) {
      this.#load();
      const due = Math.floor((monotonicS() - startS) * rateHz);
      for (; taken <= due && !signal.aborted; taken++) {
        const period = Math.floor(taken / rateHz / refreshS + 1e-9);
        if (period !== renewed) value = this.#value();
        renewed = period;
        yield { kind: 'value', timeS: startS + taken / rateHz, value };
      }
      await sleep(Math.max(1, 1000 / rateHz), undefined, { signal }).catch(() => undefined);
    }
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

/** Opens a source that measures nothing. */
export function openSynthetic(options: SyntheticOptions = {}): PowerSource {
  const { idleW = 2.5, busyW = 0, noiseW = 0.02, rateHz = 1000, stepW = 0, seed = 1 } = options;
  const refreshS = Math.max(options.refreshS ?? 0, 1 / rateHz);
  return new SyntheticSource({ idleW, busyW, noiseW, rateHz, refreshS, stepW, seed });
}
