/**
 * Energy counters of x86 processors through Linux powercap. Zones contain each other (psys has the packages, a package
 * has core and uncore), so nested zones are never added; intel-rapl-mmio shows the same counters again and is left out.
 * Virtual machines usually have none: that is "no source", not 0.
 */

import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { HardwareError, detailOf, systemCodeOf } from '../instrument/errors.ts';
import { pollReadings, type PowerSource, type Reading, type SourceProperties } from './power-source.ts';

/** Where the kernel shows RAPL's counters. */
export const POWERCAP_ROOT = '/sys/class/powercap';

/** One zone: `package-0`, `core`, `dram`, `psys`. */
export interface RaplZone {
  readonly id: string;
  readonly name: string;
  readonly path: string;
  /** What `energy_uj` counts to before it starts at 0, in uJ. */
  readonly rangeUj: number;
}

function readNumber(path: string): number {
  let text: string;
  try {
    text = readFileSync(path, 'utf8').trim();
  } catch (error) {
    const name = systemCodeOf(error) === 'ENOENT' ? 'NO_SOURCE' : 'SOURCE_DENIED';
    throw new HardwareError(name, { source: 'RAPL', path, detail: detailOf(error) }, { cause: error });
  }
  const value = Number(text);
  if (text !== '' && Number.isFinite(value) && value >= 0) return value;
  throw new HardwareError('SOURCE_PAYLOAD', {
    source: 'RAPL',
    expected: `a count in ${path}`,
    got: JSON.stringify(text),
  });
}

/** All zones of the processor's own interface; empty when there are none. */
export function listRapl(root: string = POWERCAP_ROOT): RaplZone[] {
  let entries: string[];
  try {
    entries = readdirSync(root);
  } catch {
    return [];
  }
  return entries
    .filter((entry) => /^intel-rapl:\d+(:\d+)?$/.test(entry))
    .sort()
    .map((id) => {
      const path = join(root, id);
      const name = readFileSync(join(path, 'name'), 'utf8').trim();
      return { id, name, path, rangeUj: readNumber(join(path, 'max_energy_range_uj')) };
    });
}

/** The zones that together are the most of the machine without any part twice: psys alone, or each package. */
export function wholeMachine(zones: readonly RaplZone[]): RaplZone[] {
  const outer = zones.filter(({ id }) => /^intel-rapl:\d+$/.test(id));
  const psys = outer.filter(({ name }) => name === 'psys');
  return psys.length > 0 ? psys.slice(0, 1) : outer.filter(({ name }) => name.startsWith('package'));
}

/** Adds up counters of zones, each with its own wrap. */
export class RaplCounter {
  readonly #zones: readonly RaplZone[];
  readonly #lastUj: number[];
  #totalUj = 0;
  wraps = 0;

  /** @throws HardwareError SOURCE_DENIED (root only since Linux 5.10), SOURCE_PAYLOAD */
  constructor(zones: readonly RaplZone[]) {
    this.#zones = zones;
    this.#lastUj = zones.map(({ path }) => readNumber(join(path, 'energy_uj')));
  }

  /** Energy since the counter was made, in J. */
  readJ(): number {
    for (const [index, zone] of this.#zones.entries()) {
      const nowUj = readNumber(join(zone.path, 'energy_uj'));
      const lastUj = this.#lastUj[index] as number;
      if (nowUj < lastUj) this.wraps++;
      this.#totalUj += nowUj - lastUj + (nowUj < lastUj ? zone.rangeUj : 0);
      this.#lastUj[index] = nowUj;
    }
    return this.#totalUj / 1e6;
  }
}

class RaplSource implements PowerSource {
  readonly properties: SourceProperties;
  readonly #counter: RaplCounter;
  readonly #intervalS: number;

  constructor(zones: readonly RaplZone[], intervalS: number) {
    this.#counter = new RaplCounter(zones);
    this.#intervalS = intervalS;
    const name = `RAPL ${zones.map((zone) => zone.name).join(' + ')}`;
    const shared = { rule: 'counter', clock: 'ours', estimate: false, synthetic: false } as const;
    this.properties = { name, refreshS: 0.001, resolution: 1e-6, ...shared };
  }

  readings(signal: AbortSignal): AsyncIterable<Reading> {
    return pollReadings(() => this.#counter.readJ(), this.#intervalS, signal);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

/**
 * Opens the whole machine, or one zone by its name. Ten readings a second keep what reading costs small.
 * @throws HardwareError NO_SOURCE, SOURCE_DENIED
 */
export function openRapl(
  options: { readonly zone?: string; readonly intervalS?: number; readonly root?: string } = {},
): PowerSource {
  const root = options.root ?? POWERCAP_ROOT;
  const zones = listRapl(root);
  const chosen =
    options.zone === undefined ? wholeMachine(zones) : zones.filter(({ name }) => name === options.zone).slice(0, 1);
  if (chosen.length === 0) {
    throw new HardwareError('NO_SOURCE', {
      source: options.zone === undefined ? 'RAPL zone' : `RAPL zone ${options.zone}`,
      path: root,
    });
  }
  return new RaplSource(chosen, options.intervalS ?? 0.1);
}
