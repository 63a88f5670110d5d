/**
 * Runs native guests through a backend: admits calls, holds them in a queue, enforces deadlines and aborts, drains. What
 * one call does with its guest is in cold-run.ts and warm-run.ts.
 */

import { isNebulaError, NebulaError } from '../../host/errors.ts';
import { monotonicNs } from '../../host/monotonic.ts';
import type { Ending, Invocation, Outcome } from '../../host/outcome.ts';
import {
  abortedOutcome,
  NO_STATS,
  unansweredOutcome,
  type DeployReport,
  type Executor,
  type ExecutorStats,
} from '../executor.ts';
import { TimedCall, type OnDeadline } from '../deadline.ts';
import { Drain } from '../drain.ts';
import { InvocationQueue } from '../worker/queue.ts';
import type { NativeBackend, NativeDefinition } from './backend.ts';
import { ColdRun } from './cold-run.ts';
import { KeptGuests } from './kept-guests.ts';
import type { NativeRun } from './run.ts';

/** How many guests an executor may run, and what its outcomes wait for. */
export interface NativeExecutorOptions {
  /** Guests that may run at once, over all functions. */
  readonly guests: number;
  /** Whether a cold call's answer waits until its guest is cleared away. */
  readonly awaitRemoval: boolean;
}

interface Deployed<Definition extends NativeDefinition, Prepared> {
  readonly definition: Definition;
  readonly prepared: Prepared;
  readonly kept: KeptGuests<Definition, Prepared> | undefined;
}

/** One invocation, from its call to its end. */
class Call<Definition extends NativeDefinition> extends TimedCall<Definition> {
  readonly resolve: (outcome: Outcome) => void;
  readonly reject: (error: unknown) => void;
  /** Undefined while it waits. */
  run: NativeRun | undefined = undefined;
  /** Whether its guest was told to stop; what tells it so again comes too late. */
  isStopped = false;

  constructor(
    definition: Definition,
    invocation: Invocation,
    resolve: (outcome: Outcome) => void,
    reject: (error: unknown) => void,
  ) {
    super(definition, invocation);
    this.resolve = resolve;
    this.reject = reject;
  }
}

/** What a guest is called that died before it served: at a deploy that is the function's fault. */
const LOST = { container: 'CONTAINER_LOST', process: 'PROCESS_LOST' } as const;

/** Runs the guests of one backend. */
export class NativeExecutor<Definition extends NativeDefinition, Prepared> implements Executor<Definition> {
  readonly kind: 'container' | 'process';
  readonly #backend: NativeBackend<Definition, Prepared>;
  readonly #options: NativeExecutorOptions;
  readonly #functions: Map<string, Deployed<Definition, Prepared>> = new Map();
  readonly #queue: InvocationQueue<Call<Definition>> = new InvocationQueue();
  readonly #running: Set<Call<Definition>> = new Set();
  readonly #clearing: Set<Promise<void>> = new Set();
  /** Undeploys under way, which still need the backend. */
  readonly #discarding: Set<Promise<void>> = new Set();
  /** Versions to be forgotten once none of their invocations waits or runs. */
  readonly #retiring: Map<string, () => void> = new Map();
  /** Guests of cold calls that were killed, and kept guests of versions that are gone. */
  #lost = 0;
  #closing: Promise<void> | undefined;
  readonly #drain: Drain = new Drain();
  readonly #onDeadline: OnDeadline<Call<Definition>> = (call, timeoutMs) =>
    this.#stop(call, { kind: 'timeout', timeoutMs });

  constructor(backend: NativeBackend<Definition, Prepared>, options: NativeExecutorOptions) {
    this.kind = backend.kind;
    this.#backend = backend;
    this.#options = options;
  }

  async deploy(definition: Definition): Promise<DeployReport> {
    this.#refuseClosed();
    const startedNs = monotonicNs();
    const prepared = await this.#backend.prepare(definition);
    const isWarm = definition.mode === 'warm';
    const kept = isWarm ? new KeptGuests(this.#backend, definition, prepared) : undefined;
    try {
      this.#refuseClosed();
      await kept?.warmUp();
    } catch (error) {
      await this.#backend.discard(prepared);
      if (!isNebulaError(error) || error.key !== LOST[this.kind]) throw error;
      throw new NebulaError('INIT_FAILED', { name: definition.name, detail: error.message }, { cause: error });
    }
    this.#functions.set(definition.id, { definition, prepared, kept });
    const imageId = this.#backend.imageIdOf?.(prepared);
    return {
      ...(imageId === undefined ? {} : { imageId }),
      strategy: definition.mode,
      reason: isWarm
        ? `each ${this.kind} is kept and answers call after call`
        : `each call has a ${this.kind} of its own`,
      calibrationNs: {},
      snapshotBytes: 0,
      initialiseNs: monotonicNs() - startedNs,
      initReads: [],
    };
  }

  invoke(definition: Definition, invocation: Invocation, signal?: AbortSignal): Promise<Outcome> {
    return new Promise((resolve, reject) => {
      this.#refuseClosed();
      if (!this.#functions.has(definition.id)) {
        throw new NebulaError('FUNCTION_NOT_FOUND', { name: definition.name });
      }
      if (signal?.aborted === true) {
        resolve(abortedOutcome());
        return;
      }
      const call = new Call(definition, invocation, resolve, reject);
      if (this.#running.size < this.#options.guests && this.#queue.mayStart(definition)) this.#start(call);
      else this.#queue.push(call);
      call.expect(this.#onDeadline);
      if (signal !== undefined) call.watch(signal, () => this.#stop(call, { kind: 'aborted' }));
    });
  }

  async undeploy(id: string): Promise<void> {
    const deployed = this.#functions.get(id);
    if (deployed === undefined) return;
    if (!this.#queue.isIdle(id)) await new Promise<void>((resolve) => this.#retiring.set(id, resolve));
    if (!this.#functions.delete(id)) return;
    const discarded = this.#clear(deployed).finally(() => this.#discarding.delete(discarded));
    this.#discarding.add(discarded);
    await discarded;
  }

  stats(): ExecutorStats {
    let units = 0;
    let unitsReplaced = this.#lost;
    for (const { kept } of this.#functions.values()) {
      units += kept?.size ?? 0;
      unitsReplaced += kept?.lost ?? 0;
    }
    for (const { definition } of this.#running) if (definition.mode === 'cold') units++;
    const running = this.#running.size;
    return { ...NO_STATS, running, waiting: this.#queue.length, units, unitsReplaced };
  }

  close(drainMs: number): Promise<void> {
    this.#closing ??= this.#close(drainMs);
    return this.#closing;
  }

  async #close(drainMs: number): Promise<void> {
    if (this.#running.size + this.#queue.length > 0 && drainMs > 0) await this.#drain.wait(drainMs);
    for (const call of this.#queue.drain()) {
      call.release();
      call.reject(new NebulaError('CLOSED'));
    }
    const runs = [...this.#running].flatMap(({ run }) => run ?? []);
    for (const run of runs) run.stop({ kind: 'aborted' });
    await Promise.allSettled(runs.map((run) => run.outcome));
    for (const [id, deployed] of this.#functions) {
      this.#functions.delete(id);
      await this.#clear(deployed);
    }
    for (const retired of this.#retiring.values()) retired();
    await Promise.all(this.#clearing);
    await Promise.allSettled(this.#discarding);
    await this.#backend.close();
  }

  #refuseClosed(): void {
    if (this.#closing !== undefined) throw new NebulaError('CLOSED');
  }

  #start(call: Call<Definition>): void {
    const { definition, invocation } = call;
    const deployed = this.#functions.get(definition.id) as Deployed<Definition, Prepared>;
    const queueNs = monotonicNs() - call.calledNs;
    const { awaitRemoval } = this.#options;
    const run =
      deployed.kept?.run(invocation, queueNs) ??
      new ColdRun(this.#backend, definition, deployed.prepared, invocation, { queueNs, awaitRemoval });
    call.run = run;
    this.#running.add(call);
    this.#queue.started(definition);
    call.begin(this.#onDeadline);
    const cleared = run.gone.finally(() => this.#clearing.delete(cleared));
    this.#clearing.add(cleared);
    run.outcome.then(
      (outcome) => {
        this.#ended(call);
        call.resolve(outcome);
      },
      (error: unknown) => {
        this.#ended(call);
        call.reject(error);
      },
    );
  }

  #stop(call: Call<Definition>, ending: Ending): void {
    if (call.run !== undefined) {
      if (call.isStopped) return;
      call.isStopped = true;
      if (call.definition.mode === 'cold') this.#lost++;
      call.run.stop(ending);
      return;
    }
    if (!this.#queue.remove(call)) return;
    this.#answerUnrun(call, ending);
    this.#next();
  }

  /** Answers a call that has left the queue and for which no guest was started. */
  #answerUnrun(call: Call<Definition>, ending: Ending): void {
    call.release();
    call.resolve(unansweredOutcome(ending, monotonicNs() - call.calledNs, 0));
    this.#retire(call.definition.id);
  }

  #ended(call: Call<Definition>): void {
    call.halt();
    call.release();
    this.#running.delete(call);
    this.#queue.ended(call.definition);
    this.#retire(call.definition.id);
    this.#next();
  }

  #next(): void {
    while (this.#running.size < this.#options.guests) {
      const call = this.#queue.shift();
      if (call === undefined) break;
      if (call.isLate) this.#answerUnrun(call, { kind: 'timeout', timeoutMs: call.invocation.timeoutMs ?? 0 });
      else this.#start(call);
    }
    if (this.#running.size === 0 && this.#queue.length === 0) this.#drain.end();
  }

  #retire(id: string): void {
    const retired = this.#queue.isIdle(id) ? this.#retiring.get(id) : undefined;
    if (retired === undefined) return;
    this.#retiring.delete(id);
    retired();
  }

  async #clear({ kept, prepared }: Deployed<Definition, Prepared>): Promise<void> {
    await kept?.close();
    this.#lost += kept?.lost ?? 0;
    // An image cannot be removed under containers that are still being removed.
    await Promise.all(this.#clearing);
    await this.#backend.discard(prepared);
  }
}
