/** Edges in columns: an object and two bigints for each would have the garbage collector run through what is measured. */

import type { EdgeKind, HostEdge } from '../analysis/edges.ts';

const KINDS: readonly EdgeKind[] = ['start', 'end', 'sync'];

/** Edges in the order in which they were added. */
export class EdgeLog {
  readonly #ids: string[] = [];
  #timesNs: BigInt64Array = new BigInt64Array(2 * 1024);
  /** Kind, level and whether it was written. */
  #flags: Uint8Array = new Uint8Array(1024);
  /** Calls of those ends that have more than one. */
  readonly #calls = new Map<number, number>();

  get length(): number {
    return this.#ids.length;
  }

  add(edge: HostEdge): void {
    const at = this.#ids.length;
    if (at === this.#flags.length) this.#grow();
    this.#ids.push(edge.id);
    this.#timesNs[2 * at] = edge.beforeNs;
    this.#timesNs[2 * at + 1] = edge.afterNs;
    this.#flags[at] = KINDS.indexOf(edge.kind) | (edge.level << 2) | (edge.written ? 8 : 0);
    if (edge.calls !== undefined) this.#calls.set(at, edge.calls);
  }

  #grow(): void {
    const timesNs = new BigInt64Array(2 * this.#timesNs.length);
    timesNs.set(this.#timesNs);
    this.#timesNs = timesNs;
    const flags = new Uint8Array(2 * this.#flags.length);
    flags.set(this.#flags);
    this.#flags = flags;
  }

  edges(): HostEdge[] {
    return this.#ids.map((id, at) => {
      const flags = this.#flags[at] as number;
      const calls = this.#calls.get(at);
      return {
        id,
        kind: KINDS[flags & 3] as EdgeKind,
        level: flags & 4 ? 1 : 0,
        beforeNs: this.#timesNs[2 * at] as bigint,
        afterNs: this.#timesNs[2 * at + 1] as bigint,
        written: (flags & 8) !== 0,
        ...(calls === undefined ? {} : { calls }),
      };
    });
  }
}
