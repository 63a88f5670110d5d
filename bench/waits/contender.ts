/** A proxy under load, and what came of it. */

import type { Generator, LoadResult } from './generator.ts';
import type { Proxy, ProxyKind } from './proxies.ts';
import { Spinner } from './spinner.ts';

/** What a server is asked for. */
export interface Load {
  /** The guest, as rows name it. */
  readonly function: string;
  /** Connections: a request on each at once, or a caller on each for `seconds`. */
  readonly connections: number;
  readonly seconds?: number;
  readonly method: 'GET' | 'POST';
  readonly path: (proxy: Proxy) => string;
  /** Time that it gets at the most, beyond its own; default 3,000. */
  readonly limitMs?: number;
  /** Whether a guest spins meanwhile. */
  readonly besideSpinner?: boolean;
}

const LIMIT_MS = 3000;
const WARM_UP_CALLERS = 32;
/** Bursts before the first that counts: a server makes what so many at once need when they first come. */
const WARM_UP_BURSTS = 3;
/** Time that it takes at the most to open the connections, each by a request that asks nobody else. */
const OPEN_LIMIT_MS = 20_000;

/** Opens the connections of a load; they have all been used then. */
export async function openFor(load: Load, proxy: Proxy, generator: Generator): Promise<void> {
  const opening = { path: proxy.idlePath, method: 'GET', limitMs: OPEN_LIMIT_MS } as const;
  await generator.open(proxy.origin, load.connections, opening);
}

/** Puts a load on a proxy, whose connections are open. */
export function send(load: Load, proxy: Proxy, generator: Generator): Promise<LoadResult> {
  const { connections, seconds, method, limitMs = LIMIT_MS } = load;
  const asked = { path: load.path(proxy), method, limitMs };
  return seconds === undefined ? generator.atOnce(connections, asked) : generator.loop(connections, seconds, asked);
}

/** A second of a few callers, and a few bursts where it is one, for a server that has not been asked for this yet. */
async function warmUp(load: Load, proxy: Proxy, generator: Generator): Promise<void> {
  const few = { ...load, connections: WARM_UP_CALLERS, seconds: 1 };
  await openFor(few, proxy, generator);
  await send(few, proxy, generator);
  for (let burst = 0; load.seconds === undefined && burst < WARM_UP_BURSTS; burst++) {
    await openFor(load, proxy, generator);
    await send(load, proxy, generator);
  }
}

/** One proxy of a run. */
export class Contender {
  readonly kind: ProxyKind;
  readonly #upstream: string;
  #proxy: Proxy | undefined;
  /** What its server was asked for since it was started. */
  readonly #warm: Set<Load> = new Set();
  readonly #results: Map<Load, LoadResult[]> = new Map();

  constructor(kind: ProxyKind, upstream: string) {
    this.kind = kind;
    this.#upstream = upstream;
  }

  get name(): string {
    return this.kind.name;
  }

  /** Whether its program is installed; it runs then. */
  async start(): Promise<boolean> {
    this.#proxy ??= await this.kind.start(this.#upstream);
    return this.#proxy !== undefined;
  }

  /** One block of a load. */
  async measure(load: Load, generator: Generator): Promise<void> {
    if (!(await this.start())) return;
    const proxy = this.#proxy as Proxy;
    if (!this.#warm.has(load)) await warmUp(load, proxy, generator);
    this.#warm.add(load);
    await openFor(load, proxy, generator);
    const spinner = load.besideSpinner === true ? await Spinner.start(proxy) : undefined;
    const result = await send(load, proxy, generator);
    await spinner?.stop();
    this.results(load).push(result);
    await generator.leave();
    // What it has not answered it may still have to do, in the next load's time.
    if (result.latenciesUs.length < load.connections) await this.close();
  }

  /** Block by block. */
  results(load: Load): LoadResult[] {
    let results = this.#results.get(load);
    if (results === undefined) this.#results.set(load, (results = []));
    return results;
  }

  async close(): Promise<void> {
    const proxy = this.#proxy;
    this.#proxy = undefined;
    this.#warm.clear();
    await proxy?.close();
  }
}
