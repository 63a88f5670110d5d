/** The standings of a pool's functions: only of those that something is held against. */

import { NebulaError } from '../../host/errors.ts';
import type { PausedFunction } from '../executor-stats.ts';
import { Standing } from './standing.ts';

/** What the pool needs to know of a function. */
export interface Named {
  readonly id: string;
  readonly name: string;
}

/** How often those that nothing is held against any more are forgotten. */
const SWEEP_NS = 1e9;

/** Standings by the ids of functions. */
export class Standings {
  readonly #standings: Map<string, Standing> = new Map();
  #sweepNs = 0;

  get size(): number {
    return this.#standings.size;
  }

  get(id: string): Standing | undefined {
    return this.#standings.get(id);
  }

  /** The standing of a function, which is begun if there is none. */
  of({ id, name }: Named, nowNs: number): Standing {
    let standing = this.#standings.get(id);
    if (standing !== undefined) return standing;
    standing = new Standing(name, nowNs);
    this.#standings.set(id, standing);
    return standing;
  }

  delete(id: string): void {
    this.#standings.delete(id);
  }

  /** Forgets those that nothing is held against any more, from time to time. */
  sweep(nowNs: number): void {
    if (nowNs <= this.#sweepNs) return;
    this.#sweepNs = nowNs + SWEEP_NS;
    for (const [id, standing] of this.#standings) if (standing.isClean(nowNs)) this.#standings.delete(id);
  }

  /** Functions that are paused now. */
  paused(nowNs: number): PausedFunction[] {
    return [...this.#standings.values()]
      .filter((standing) => standing.pausedForNs(nowNs) > 0)
      .map(({ name, endings, pausedUntilNs }) => ({ name, endings, forMs: (pausedUntilNs - nowNs) / 1e6 }));
  }

  /** The refusal of a function that is paused; undefined when it is not. */
  refusal({ id, name }: Named, nowNs: number): NebulaError | undefined {
    const standing = this.#standings.get(id);
    const forNs = standing?.pausedForNs(nowNs) ?? 0;
    if (standing === undefined || forNs === 0) return undefined;
    return new NebulaError('FUNCTION_PAUSED', {
      name,
      endings: standing.endings,
      retryAfterMs: Math.ceil(forNs / 1e6),
    });
  }
}
