/** Sessions: calls of one caller in one instance, which keeps its state. Each has an executor to itself. */

import type { FunctionDefinition } from '../host/definition/definition.ts';
import { NebulaError } from '../host/errors.ts';
import type { Invocation, Outcome } from '../host/outcome.ts';
import type { Executor, ExecutorSession, ExecutorStats } from './executor.ts';

/** A function as a session has it: one instance, whose state stays. */
export function keptDefinition(definition: FunctionDefinition): FunctionDefinition {
  // Its calls come in turn, and the first one waits for its thread.
  const limits = { ...definition.limits, queueLength: Math.max(1, definition.limits.queueLength) };
  // The state is another one before each call but the first: there is nothing to audit it by.
  return { ...definition, limits, keepsState: true, audit: false };
}

/** What is added up over executors. Their memories are counted together already. */
const SUMMED = [
  'running',
  'suspended',
  'waiting',
  'units',
  'unitsReplaced',
  'stops',
  'restores',
  'restoresNs',
] as const;
/** Those of them that only grow, and outlive the session. */
const TOTALS = ['unitsReplaced', 'stops', 'restores', 'restoresNs'] as const;

/** The open sessions of one executor. */
export class Sessions {
  readonly #open: Map<Executor, { readonly id: string; readonly session: OpenSession }> = new Map();
  readonly #past: Record<(typeof TOTALS)[number], number> = { unitsReplaced: 0, stops: 0, restores: 0, restoresNs: 0 };

  /** A session of a version on `executor`, which has it already and is the session's from now on. */
  add(definition: FunctionDefinition, executor: Executor): ExecutorSession {
    const session = new OpenSession(definition, executor, () => {
      const stats = executor.stats();
      for (const name of TOTALS) this.#past[name] += stats[name];
      this.#open.delete(executor);
    });
    this.#open.set(executor, { id: definition.id, session });
    return session;
  }

  /** Resolves when no session of a version is open any more; undefined where none is. */
  closedOf(id: string): Promise<unknown> | undefined {
    const all = [...this.#open.values()].filter((each) => each.id === id);
    return all.length === 0 ? undefined : Promise.all(all.map(({ session }) => session.closed));
  }

  /** Ends all of them, after their calls under way or `drainMs`. */
  async close(drainMs: number): Promise<void> {
    await Promise.all(Array.from(this.#open.values(), ({ session }) => session.close(drainMs)));
  }

  /** `stats` with what the sessions do and have done. */
  addTo(stats: ExecutorStats): ExecutorStats {
    const sums: Partial<Record<(typeof SUMMED)[number], number>> = {};
    const all = Array.from(this.#open.keys(), (executor) => executor.stats());
    for (const name of SUMMED) sums[name] = all.reduce((sum, each) => sum + each[name], stats[name]);
    for (const name of TOTALS) sums[name] = (sums[name] ?? 0) + this.#past[name];
    return { ...stats, ...sums };
  }
}

class OpenSession implements ExecutorSession {
  readonly closed: Promise<void>;
  readonly #definition: FunctionDefinition;
  readonly #executor: Executor;
  readonly #onClosed: () => void;
  #resolveClosed: () => void = () => undefined;
  #closing: Promise<void> | undefined = undefined;

  constructor(definition: FunctionDefinition, executor: Executor, onClosed: () => void) {
    this.#definition = definition;
    this.#executor = executor;
    this.#onClosed = onClosed;
    this.closed = new Promise((resolve) => (this.#resolveClosed = resolve));
  }

  async invoke(invocation: Invocation, signal?: AbortSignal): Promise<Outcome> {
    // Another thread has come in the place of its own, and has nothing of its state.
    if (this.#executor.stats().unitsReplaced > 0) {
      throw new NebulaError('SESSION_ENDED', { name: this.#definition.name, ending: 'the loss of its thread' });
    }
    return this.#executor.invoke(this.#definition, invocation, signal);
  }

  close(drainMs: number = 0): Promise<void> {
    this.#closing ??= this.#close(drainMs);
    return this.#closing;
  }

  async #close(drainMs: number): Promise<void> {
    try {
      await this.#executor.close(drainMs);
    } finally {
      this.#onClosed();
      this.#resolveClosed();
    }
  }
}
