/**
 * Runs guests in the caller's own thread: the lowest latency, for guests that are trusted to end. A deadline is enforced
 * (host/deadline.ts) but costs a watchdog per call, and while a guest runs nothing else in the thread does.
 */

import { AddressSpace, memoryLimit } from '../../host/linux/address-space.ts';
import type { FunctionDefinition } from '../../host/definition/definition.ts';
import { isNebulaError, messageOf, NebulaError } from '../../host/errors.ts';
import { GuestThread } from '../../host/thread/guest-thread.ts';
import { monotonicNs } from '../../host/monotonic.ts';
import type { Invocation, Outcome } from '../../host/outcome.ts';
import { RestoreTally } from '../../host/restore-tally.ts';
import type { Deployment } from '../../host/snapshot/deployment.ts';
import { closeImage } from '../../host/snapshot/image.ts';
import { nextCallId, type BindingCaller, type BoundCall } from '../bindings/bound-call.ts';
import { BoundCalls, type BindingOptions } from '../bindings/bound-calls.ts';
import { runTimeMs } from '../deadline.ts';
import {
  abortedOutcome,
  isStopped,
  NO_STATS,
  unansweredOutcome,
  type DeployReport,
  type Executor,
  type ExecutorSession,
  type ExecutorStats,
} from '../executor.ts';
import { MOST_RUN } from '../../host/wasi/session/record-layout.ts';
import { WaitingRecords } from '../../host/thread/waiting-records.ts';
import { Turns } from '../../host/waiting/turns.ts';
import { HeapKeeper } from '../heap.ts';
import { reportOf } from '../report.ts';
import { keptDefinition, Sessions } from '../sessions.ts';
import { createLocalLink } from './binding-link.ts';
import { SuspendableCalls, type SuspendableCall } from './suspendable-calls.ts';
import { SuspendedGuests } from '../worker/suspended-guests.ts';

/** How many memories an executor may have. */
export interface InThreadOptions {
  /** Memories alive at once; default: what the machine's address space holds. */
  readonly memories?: number;
  /** Bindings that guests may call where they are granted. */
  readonly bindings?: BindingOptions | undefined;
}

/** An executor in the caller's own thread. */
export function createInThreadExecutor(options: InThreadOptions = {}): Executor {
  return new InThreadExecutor(options);
}

class InThreadExecutor implements Executor {
  readonly kind = 'in-thread' as const;
  readonly #space: AddressSpace;
  readonly #thread: GuestThread;
  /** Has micro-VMs that nobody needs now given up: the owner's, a session's executor has none such. */
  readonly #makeRoom: () => Promise<void>;
  readonly #restores: RestoreTally = new RestoreTally();
  /** Calls whose guests may be suspended. */
  readonly #calls: SuspendableCalls;
  readonly #deployed: Map<string, Pick<Deployment, 'image' | 'strategy'>> = new Map();
  readonly #sessions: Sessions = new Sessions();
  readonly #heap: HeapKeeper = new HeapKeeper();
  readonly #bindings: BoundCalls | undefined;
  /** The call whose guest runs and cannot be suspended, where it may call bindings. */
  #caller: LocalCaller | undefined;
  /** Calls that were such, whose numbers are below 0: those of guests that can be suspended are above. */
  #callers = 0;
  #isClosed = false;
  /** Guests that were stopped. */
  #stops = 0;
  /** Calls that wait for an address range. */
  #waiting = 0;
  /** The function whose micro-VM is still as its last run left it. */
  #unsettled: string | undefined;
  readonly #settleLater = (): void => {
    const id = this.#unsettled;
    this.#unsettled = undefined;
    if (id !== undefined) this.#thread.settle(id);
  };

  /** @param owner whose session it runs, and whose count of memories and bindings it has */
  constructor(options: InThreadOptions, owner?: InThreadExecutor) {
    this.#space =
      owner === undefined
        ? new AddressSpace(new SharedArrayBuffer(4), options.memories ?? memoryLimit())
        : owner.#space;
    const guests = new SuspendedGuests<SuspendableCall>();
    const waiting = {
      records: new WaitingRecords((told) => guests.learn(told)),
      turns: new Turns(),
      onlyCounting: true,
    };
    this.#bindings = owner === undefined ? options.bindings && new BoundCalls(options.bindings) : owner.#bindings;
    const link = this.#bindings && createLocalLink(this.#bindings, (run) => this.#callerOf(run));
    const thread = new GuestThread({ space: this.#space, restores: this.#restores, link, waiting });
    this.#thread = thread;
    this.#makeRoom = owner === undefined ? () => thread.makeRoom() : owner.#makeRoom;
    this.#calls = new SuspendableCalls({
      thread,
      guests,
      makeRoom: this.#makeRoom,
      run: ({ definition, invocation, calledNs }) => this.#run(definition, invocation, calledNs, 0),
      onStopped: () => this.#stops++,
    });
  }

  async deploy(definition: FunctionDefinition): Promise<DeployReport> {
    await this.#unwound();
    this.#refuseClosed();
    const deployment = await this.#thread.deploy(definition);
    const { image, strategy } = deployment;
    this.#deployed.set(definition.id, { image, strategy });
    this.#heap.trimSoon();
    return reportOf(deployment);
  }

  invoke(definition: FunctionDefinition, invocation: Invocation, signal?: AbortSignal): Promise<Outcome> {
    try {
      return Promise.resolve(this.invokeHere(definition, invocation, signal));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  invokeHere(definition: FunctionDefinition, invocation: Invocation, signal?: AbortSignal): Outcome | Promise<Outcome> {
    if (this.#bindings?.isRunning === true) return this.#invokeLater(definition, invocation, signal);
    const calledNs = monotonicNs();
    try {
      this.#refuseClosed();
      if (signal?.aborted === true) return abortedOutcome();
      if (this.#thread.suspends(definition.id)) return this.#calls.invoke(definition, invocation, signal);
      return this.#run(definition, invocation, calledNs, 0);
    } catch (error) {
      if (isNebulaError(error) && error.key === 'ADDRESS_SPACE')
        return this.#runWithRoom(definition, invocation, calledNs);
      throw isNebulaError(error) ? error : hostFault(definition, error);
    }
  }

  /** A binding calls, on the stack of a guest, whose micro-VM and thread are in use: it is called after that. */
  async #invokeLater(definition: FunctionDefinition, invocation: Invocation, signal?: AbortSignal): Promise<Outcome> {
    await this.#unwound();
    return this.invokeHere(definition, invocation, signal);
  }

  /** Once no binding runs on the stack of a guest. */
  async #unwound(): Promise<void> {
    if (this.#bindings?.isRunning === true) await new Promise((resolve) => setImmediate(resolve));
  }

  #run(definition: FunctionDefinition, invocation: Invocation, calledNs: number, waitedMs: number): Outcome {
    const { id } = definition;
    if (!this.#thread.has(id)) throw new NebulaError('FUNCTION_NOT_FOUND', { name: definition.name });
    const runMs = runTimeMs(invocation.timeoutMs, definition.limits.timeoutMs, waitedMs);
    const outcome = this.#runFor(this.#newCaller(definition, invocation), id, invocation, calledNs, runMs);
    if (outcome.kind !== 'ok' && isStopped(outcome)) this.#stops++;
    if (this.#unsettled !== id) {
      if (this.#unsettled === undefined) setImmediate(this.#settleLater);
      else this.#thread.settle(this.#unsettled);
      this.#unsettled = id;
    }
    return outcome;
  }

  /** Undefined for a guest that may call no binding. */
  #newCaller(definition: FunctionDefinition, invocation: Invocation): LocalCaller | undefined {
    if (definition.bindings === undefined && definition.raw === undefined) return undefined;
    this.#callers = (this.#callers % MOST_RUN) + 1;
    return new LocalCaller(definition, invocation, -this.#callers);
  }

  /** Runs a guest for a caller, whom bindings find until it has ended, and nobody else's guest. */
  #runFor(
    caller: LocalCaller | undefined,
    id: string,
    invocation: Invocation,
    calledNs: number,
    runMs: number,
  ): Outcome {
    const outer = this.#caller;
    this.#caller = caller;
    try {
      return this.#thread.invoke(id, invocation, calledNs, runMs, caller?.run ?? 0);
    } finally {
      this.#caller = outer;
    }
  }

  /** The call that is kept under `run`: of the guest that asks, whichever others have begun since. */
  #callerOf(run: number): BindingCaller | undefined {
    if (run > 0) return this.#calls.callOf(run);
    return this.#caller?.run === run ? this.#caller : undefined;
  }

  async #runWithRoom(definition: FunctionDefinition, invocation: Invocation, calledNs: number): Promise<Outcome> {
    this.#waiting++;
    try {
      await this.#makeRoom();
    } finally {
      this.#waiting--;
    }
    const waitedNs = monotonicNs() - calledNs;
    const askedMs = invocation.timeoutMs ?? 0;
    const expired = { kind: 'timeout', timeoutMs: askedMs } as const;
    if (askedMs > 0 && waitedNs >= askedMs * 1e6) return unansweredOutcome(expired, waitedNs, 0);
    try {
      const outcome = this.#run(definition, invocation, calledNs, waitedNs / 1e6);
      // What ended it is the time that its caller gave, not what was left of that.
      const isAsked = outcome.kind === 'timeout' && outcome.timeoutMs !== definition.limits.timeoutMs;
      return isAsked ? { ...outcome, ...expired } : outcome;
    } catch (error) {
      throw isNebulaError(error) ? error : hostFault(definition, error);
    }
  }

  openSession(definition: FunctionDefinition): ExecutorSession {
    this.#refuseClosed();
    const deployed = this.#deployed.get(definition.id);
    if (deployed === undefined || !this.#thread.has(definition.id)) {
      throw new NebulaError('FUNCTION_NOT_FOUND', { name: definition.name });
    }
    const kept = keptDefinition(definition);
    const executor = new InThreadExecutor({}, this);
    executor.#thread.install(kept, deployed.image, deployed.strategy);
    return this.#sessions.add(kept, executor);
  }

  async undeploy(id: string): Promise<void> {
    await this.#calls.drained(id);
    this.#thread.remove(id);
    await this.#sessions.closedOf(id);
    this.#forget(id);
  }

  #forget(id: string): void {
    this.#thread.remove(id);
    const deployed = this.#deployed.get(id);
    this.#deployed.delete(id);
    if (deployed !== undefined) closeImage(deployed.image);
  }

  stats(): ExecutorStats {
    const { live, limit } = this.#space;
    const { count: restores, totalNs: restoresNs } = this.#restores;
    const memories = { memories: live, memoriesLimit: limit };
    return this.#sessions.addTo({
      ...NO_STATS,
      suspended: this.#calls.suspended,
      waiting: this.#waiting + this.#calls.waiting,
      units: 1,
      stops: this.#stops,
      restores,
      restoresNs,
      ...memories,
    });
  }

  async close(drainMs: number): Promise<void> {
    this.#isClosed = true;
    const sessions = this.#sessions.close(drainMs);
    await this.#calls.drained(undefined, drainMs);
    await sessions;
    this.#calls.close();
    for (const id of this.#deployed.keys()) this.#forget(id);
    this.#heap.close();
    this.#thread.close();
  }

  #refuseClosed(): void {
    if (this.#isClosed) throw new NebulaError('CLOSED');
  }
}

/** A call whose guest has the thread until it ends. */
class LocalCaller implements BindingCaller {
  readonly definition: FunctionDefinition;
  readonly invocation: Invocation;
  readonly isSettled = false;
  /** The number that it is kept under. */
  readonly run: number;
  bound: BoundCall | undefined = undefined;
  #callId: string | undefined = undefined;

  constructor(definition: FunctionDefinition, invocation: Invocation, run: number) {
    this.definition = definition;
    this.invocation = invocation;
    this.run = run;
  }

  get callId(): string {
    return (this.#callId ??= nextCallId(this.definition));
  }
}

function hostFault(definition: FunctionDefinition, error: unknown): NebulaError {
  return new NebulaError('WORKER_LOST', { name: definition.name, detail: messageOf(error) }, { cause: error });
}
