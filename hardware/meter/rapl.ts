/**
 * Energy counters of x86 processors through Linux powercap. A package holds core and uncore, psys the whole machine: what is
 * inside another zone is never added. DRAM stands below its package in the tree, but is a plane of its own that the package does
 * not count (Intel SDM 3B, RAPL domains); intel-rapl-mmio shows the same counters again and is left out. In a virtual machine
 * the counters are a share that its host attributes, by QEMU's virtual RAPL or in the tree of Scaphandre's qemu exporter,
 * which has neither names nor ranges. Most have none: that is "no source", not 0.
 */

import { existsSync, readFileSync, readdirSync } from 'node:fs';
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
  /** What `energy_uj` counts to before it starts at 0, in uJ; infinite where it is not told. */
  readonly rangeUj: number;
}

/** A counter that is being written anew is empty for a moment; so often it is read again. */
const ATTEMPTS = 3;

function readNumber(path: string): number {
  let text = '';
  for (let attempt = 0; attempt < ATTEMPTS && text === ''; attempt++) {
    try {
      text = readFileSync(path, 'utf8').trim();
    } catch (error) {
      const name = systemCodeOf(error) === 'ENOENT' ? 'NO_SOURCE' : 'SOURCE_DENIED';
      throw new HardwareError(name, { source: 'RAPL', path, detail: detailOf(error) }, { cause: error });
    }
  }
  const value = Number(text);
  if (text !== '' && Number.isFinite(value) && value >= 0) return value;
  throw new HardwareError('SOURCE_PAYLOAD', {
    source: 'RAPL',
    expected: `a count in ${path}`,
    got: JSON.stringify(text),
  });
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return undefined;
  }
}

const OUTER = /^intel-rapl:(\d+)$/;
const ZONE = /^intel-rapl:\d+(:\d+)?$/;

/** Scaphandre's zones have no name: the outer ones are packages, the inner ones empty folders. */
function zoneOf(root: string, id: string): RaplZone[] {
  const path = join(root, id);
  const package_ = OUTER.exec(id)?.[1];
  const name = textOf(join(path, 'name')) ?? (package_ === undefined ? undefined : `package-${package_}`);
  if (name === undefined) return [];
  const range = existsSync(join(path, 'max_energy_range_uj'))
    ? readNumber(join(path, 'max_energy_range_uj'))
    : undefined;
  return [{ id, name, path, rangeUj: range ?? Number.POSITIVE_INFINITY }];
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
    .filter((entry) => ZONE.test(entry))
    .sort(new Intl.Collator('en', { numeric: true }).compare)
    .flatMap((id) => zoneOf(root, id));
}

/**
 * The zones that together are the most of the machine without any part twice: psys alone, or each package with its DRAM.
 * @param dramInside true on a machine whose packages count their DRAM
 */
export function wholeMachine(zones: readonly RaplZone[], dramInside = false): RaplZone[] {
  const outer = zones.filter(({ id }) => OUTER.test(id));
  const psys = outer.filter(({ name }) => name === 'psys');
  // Of several sockets one counts the platform, the others stay at 0.
  if (psys.length > 0) return psys;
  const packages = outer.filter(({ name }) => name.startsWith('package'));
  return packages.flatMap((zone) => [zone, ...(dramInside ? [] : dramOf(zones, zone))]);
}

function dramOf(zones: readonly RaplZone[], outer: RaplZone): RaplZone[] {
  return zones.filter(({ id, name }) => name === 'dram' && id.startsWith(`${outer.id}:`));
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

  /**
   * Energy since the counter was made, in J. A fall is a wrap only from the upper into the lower half of the range (as
   * `unwrapCounter` has it); after any other one the counter goes on from its new value.
   * @throws HardwareError SOURCE_PAYLOAD for a counter that was set back, SOURCE_DENIED
   */
  readJ(): number {
    let setBack: HardwareError | undefined;
    for (const [index, zone] of this.#zones.entries()) {
      const nowUj = readNumber(join(zone.path, 'energy_uj'));
      const lastUj = this.#lastUj[index] as number;
      this.#lastUj[index] = nowUj;
      const half = zone.rangeUj / 2;
      if (nowUj >= lastUj) this.#totalUj += nowUj - lastUj;
      else if (lastUj >= half && nowUj < half) {
        this.wraps++;
        this.#totalUj += nowUj - lastUj + zone.rangeUj;
      } else {
        const fields = { source: 'RAPL', expected: `a count of at least ${lastUj} in ${zone.path}`, got: nowUj };
        setBack ??= new HardwareError('SOURCE_PAYLOAD', fields);
      }
    }
    if (setBack !== undefined) throw setBack;
    return this.#totalUj / 1e6;
  }
}

/** How the counters of a tree are renewed, and whose they are. */
interface RaplKind {
  readonly refreshS: number;
  readonly estimate: boolean;
}

/** Scaphandre writes every 5 s what it attributes to the machine. */
const SCAPHANDRE: RaplKind = { refreshS: 5, estimate: true };

/** QEMU's virtual RAPL renews each vCPU's share once a second. */
const GUEST: RaplKind = { refreshS: 1, estimate: true };
const PROCESSOR: RaplKind = { refreshS: 0.001, estimate: false };

function kindOf(zones: readonly RaplZone[], cpuInfo: string): RaplKind {
  if (zones.some(({ path }) => !existsSync(join(path, 'name')))) return SCAPHANDRE;
  return /^flags\s*:.*\bhypervisor\b/m.test(textOf(cpuInfo) ?? '') ? GUEST : PROCESSOR;
}

class RaplSource implements PowerSource {
  readonly properties: SourceProperties;
  readonly #counter: RaplCounter;
  readonly #intervalS: number;

  constructor(zones: readonly RaplZone[], { refreshS, estimate }: RaplKind, intervalS: number | undefined) {
    this.#counter = new RaplCounter(zones);
    this.#intervalS = intervalS ?? Math.max(0.1, refreshS / 5);
    const name = `RAPL ${zones.map((zone) => zone.name).join(' + ')}`;
    const shared = { rule: 'counter', clock: 'ours', synthetic: false } as const;
    this.properties = {
      name: estimate ? `${name} of a virtual machine` : name,
      refreshS,
      resolution: 1e-6,
      estimate,
      ...shared,
    };
  }

  readings(signal: AbortSignal): AsyncIterable<Reading> {
    return pollReadings(() => this.#counter.readJ(), this.#intervalS, signal);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

/** Which counters are read, and where they are. */
export interface RaplOptions {
  /** A zone by its name, in every package, or by its id; default the whole machine. */
  readonly zone?: string;
  /** True on a machine whose packages count their DRAM: it is not added then. */
  readonly dramInside?: boolean;
  readonly intervalS?: number;
  readonly root?: string;
  /** Tells a virtual machine by its processor's flags. */
  readonly cpuInfo?: string;
}

/**
 * Opens the whole machine, or the zones of a name. Ten readings a second keep what reading costs small.
 * @throws HardwareError NO_SOURCE, SOURCE_DENIED, SOURCE_PAYLOAD
 */
export function openRapl(options: RaplOptions = {}): PowerSource {
  const { root = POWERCAP_ROOT, zone, dramInside = false, cpuInfo = '/proc/cpuinfo' } = options;
  const zones = listRapl(root);
  const chosen =
    zone === undefined ? wholeMachine(zones, dramInside) : zones.filter(({ id, name }) => name === zone || id === zone);
  if (chosen.length === 0) {
    throw new HardwareError('NO_SOURCE', {
      source: zone === undefined ? 'RAPL zone' : `RAPL zone ${zone}`,
      path: root,
    });
  }
  return new RaplSource(chosen, kindOf(chosen, cpuInfo), options.intervalS);
}
