/**
 * The kept guests of one function: the one used last answers next, so that those not needed reach their idle timeout. One
 * that dies after it has served is replaced ahead of the next call.
 */

import type { Invocation } from '../../host/outcome.ts';
import type { NativeBackend, NativeDefinition, PhaseTimes } from './backend.ts';
import { KeptGuest } from './kept-guest.ts';
import type { NativeRun } from './run.ts';
import { WarmRun } from './warm-run.ts';

/** The kept guests of a function, idle and busy. */
export class KeptGuests<Definition extends NativeDefinition, Prepared> {
  readonly backend: NativeBackend<Definition, Prepared>;
  readonly definition: Definition;
  readonly #prepared: Prepared;
  readonly #all: Set<KeptGuest> = new Set();
  readonly #idle: KeptGuest[] = [];
  readonly #timers: Map<KeptGuest, NodeJS.Timeout> = new Map();
  readonly #leaving: Set<Promise<void>> = new Set();
  /** A replacement under way, until a call takes it or it is idle. */
  #spare: Promise<KeptGuest> | undefined;
  #lost = 0;
  #isClosed = false;

  constructor(backend: NativeBackend<Definition, Prepared>, definition: Definition, prepared: Prepared) {
    this.backend = backend;
    this.definition = definition;
    this.#prepared = prepared;
  }

  /** Guests alive. */
  get size(): number {
    return this.#all.size;
  }

  /** Guests that died or were killed so far. */
  get lost(): number {
    return this.#lost;
  }

  /** Has a first guest ready. @throws NebulaError when it cannot be launched */
  async warmUp(): Promise<void> {
    this.release(await this.launch({}));
  }

  run(invocation: Invocation, queueNs: number): NativeRun {
    return new WarmRun(this, invocation, queueNs);
  }

  /** An idle guest, if there is one. */
  idle(): KeptGuest | undefined {
    const kept = this.#idle.pop();
    if (kept !== undefined) this.#stopTimer(kept);
    return kept;
  }

  /** The replacement under way, which is the caller's from now on. */
  spare(): Promise<KeptGuest> | undefined {
    const spare = this.#spare;
    this.#spare = undefined;
    return spare;
  }

  async launch(times: PhaseTimes): Promise<KeptGuest> {
    const kept = await KeptGuest.launch(this.backend, this.definition, this.#prepared, times);
    if (kept.isDead) {
      await kept.remove();
      throw this.backend.lost(this.definition.name, kept.loss);
    }
    this.#all.add(kept);
    kept.onEnd = () => this.#drop(kept);
    if (this.#isClosed) await this.#remove(kept);
    return kept;
  }

  /** Takes a guest back that has answered. */
  release(kept: KeptGuest): void {
    if (kept.isDead) return;
    if (this.#isClosed) {
      void this.#remove(kept);
      return;
    }
    this.#idle.push(kept);
    const { idleTimeoutMs } = this.definition;
    if (idleTimeoutMs === 0) return;
    const timer = setTimeout(() => void this.#remove(kept), idleTimeoutMs);
    timer.unref();
    this.#timers.set(kept, timer);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const kept of this.#all) void this.#remove(kept);
    await this.#spare?.catch(() => undefined);
    await Promise.all(this.#leaving);
  }

  #remove(kept: KeptGuest): Promise<void> {
    this.#forget(kept);
    const removal = kept.remove().finally(() => this.#leaving.delete(removal));
    this.#leaving.add(removal);
    return removal;
  }

  /** A guest died, or was killed. */
  #drop(kept: KeptGuest): void {
    if (!this.#forget(kept)) return;
    this.#lost++;
    // One that never served would die again, and again.
    const isReplaced = kept.answered > 0 && !this.#isClosed && this.#idle.length === 0 && this.#spare === undefined;
    if (isReplaced) this.#replace();
  }

  #replace(): void {
    const spare = this.launch({});
    this.#spare = spare;
    spare.then(
      (kept) => {
        if (this.#spare !== spare) return;
        this.#spare = undefined;
        this.release(kept);
      },
      () => {
        // The next call launches one itself and reports what stands in the way.
        if (this.#spare === spare) this.#spare = undefined;
      },
    );
  }

  #forget(kept: KeptGuest): boolean {
    this.#stopTimer(kept);
    const at = this.#idle.indexOf(kept);
    if (at >= 0) this.#idle.splice(at, 1);
    return this.#all.delete(kept);
  }

  #stopTimer(kept: KeptGuest): void {
    clearTimeout(this.#timers.get(kept));
    this.#timers.delete(kept);
  }
}
