/**
 * The guests of one thread: at most one micro-VM per function, made when first needed, put back after each answer,
 * dropped least-recently-used when the address space is full. A thread runs one guest at a time; of functions that may wait
 * it has a micro-VM per call, where guests can be suspended (waiting-lane.ts).
 */

import { collectGarbage, UNCOUNTED, type AddressSpace } from '../linux/address-space.ts';
import { hasComponent } from '../component/vm/component-definition.ts';
import type { BindingLink } from '../bindings/link.ts';
import type { FunctionDefinition } from '../definition/definition.ts';
import type { Strategy } from '../definition/strategies.ts';
import type { Deployment } from '../snapshot/deployment.ts';
import { deployHere } from './deploy.ts';
import { isNebulaError } from '../errors.ts';
import { isUnsuspendable } from '../waiting/jspi.ts';
import type { Guest } from '../wasi/session/guest.ts';
import { monotonicNs } from '../monotonic.ts';
import { outcomeOf } from './call-outcome.ts';
import { isRestored, Placement } from './placement.ts';
import { endedSession } from './ended-session.ts';
import { callOf, idleOf, type Resident } from './resident.ts';
import { isOfLane, WaitingLane, type LaneShare, type StartedCall } from './waiting-lane.ts';
import type { Ending, Invocation, Outcome, Start } from '../outcome.ts';
import type { GuestCall } from '../wasi/session/guest.ts';
import { RestoreTally } from '../restore-tally.ts';
import type { RunRecord } from '../wasi/session/run-record.ts';
import type { StopCell } from '../wasi/session/stop-cell.ts';
import { callTerms, type Terms } from '../wasi/session/terms.ts';
import type { SnapshotImage } from '../snapshot/image.ts';

/** Deploys after which their memories, of which each leaves a few that are not counted, are collected. */
const DEPLOYS_TO_COLLECT = 16;

/** What guests of a thread share with whoever owns it. */
export interface GuestThreadOptions {
  /** Counts their memories. */
  readonly space: AddressSpace;
  /** Where it is told what was put back. */
  readonly restores?: RestoreTally;
  /** Where it is kept what guests write and use, for whoever ends this thread. */
  readonly record?: RunRecord;
  /** Where other threads have the guest stopped, if it counts units. */
  readonly stop?: StopCell;
  /** Where guests call bindings. */
  readonly link?: BindingLink | undefined;
  /** The same of guests that may wait; without it none is suspended. */
  readonly waiting?: LaneShare;
}

/** The functions that a thread has, and their micro-VMs. */
export class GuestThread {
  readonly #space: AddressSpace;
  readonly #residents: Map<string, Resident> = new Map();
  readonly #restores: RestoreTally;
  readonly #record: RunRecord | undefined;
  readonly #stop: StopCell | undefined;
  readonly #link: BindingLink | undefined;
  readonly #waiting: GuestThreadOptions['waiting'];
  readonly #placement: Placement;
  #calls = 0;
  #deploys = 1;

  constructor({ space, restores = new RestoreTally(), record, stop, link, waiting }: GuestThreadOptions) {
    this.#space = space;
    this.#link = link;
    this.#placement = new Placement(space, link);
    this.#restores = restores;
    this.#record = record;
    this.#stop = stop;
    this.#waiting = waiting;
  }

  /**
   * Makes a function ready here and takes it on. What can have several memories is counted while that is done; one memory for
   * a while fits beside those that are counted, so that a full address space stops no deploy.
   * @throws NebulaError of `deployHere`
   */
  async deploy(definition: FunctionDefinition): Promise<Deployment> {
    if (this.#deploys++ % DEPLOYS_TO_COLLECT === 0) collectGarbage();
    const isOne = definition.component === undefined && definition.prepared.info.memories <= 1;
    const space = isOne ? UNCOUNTED : this.#space;
    let deployment: Deployment;
    try {
      deployment = deployHere(definition, space);
    } catch (error) {
      if (!isNebulaError(error) || error.key !== 'ADDRESS_SPACE') throw error;
      await this.makeRoom();
      deployment = deployHere(definition, space);
    }
    const { snapshot: _, ...installed } = definition;
    this.install(installed, deployment.image, deployment.strategy);
    this.makeReady(definition.id);
    return deployment;
  }

  has(id: string): boolean {
    return this.#residents.has(id);
  }

  /** Takes a function on; its micro-VM is made by `makeReady` or by the first call. */
  install(definition: FunctionDefinition, image: SnapshotImage, strategy: Strategy): void {
    const resident: Resident = {
      definition,
      image,
      strategy,
      vm: undefined,
      isMade: false,
      isUsed: false,
      usedAt: 0,
      lane: undefined,
    };
    if (isOfLane(definition)) resident.lane = this.#laneOf(resident);
    this.#residents.set(definition.id, resident);
  }

  #laneOf({ definition, image, strategy }: Resident): WaitingLane | undefined {
    const waiting = this.#waiting;
    if (waiting === undefined) return undefined;
    if (waiting.onlyCounting === true && !definition.prepared.info.hasBudget) return undefined;
    const own = { space: this.#space, restores: this.#restores, link: this.#link };
    return new WaitingLane({ definition, image, strategy, ...own, ...waiting });
  }

  /** Forgets a function and its micro-VM. */
  remove(id: string): void {
    const resident = this.#residents.get(id);
    if (resident === undefined) return;
    this.#discard(resident);
    resident.lane?.close();
    this.#residents.delete(id);
  }

  /** Whether calls of a function are to be started: its guests may be suspended. */
  suspends(id: string): boolean {
    return this.#residents.get(id)?.lane !== undefined;
  }

  /**
   * Starts a call of a function whose guests may be suspended, which is to be kept under the number `run`; undefined for any
   * other function, which is to be invoked.
   * @throws as `invoke`
   */
  start(id: string, invocation: Invocation, calledNs: number, run: number): StartedCall | undefined {
    const resident = this.#residents.get(id) as Resident;
    if (resident.lane === undefined) return undefined;
    resident.usedAt = ++this.#calls;
    try {
      const ends = { askedMs: invocation.timeoutMs, stop: this.#stop };
      return resident.lane.start(callOf(resident, invocation, undefined), calledNs, run, ends);
    } catch (error) {
      if (!isUnsuspendable(error)) throw error;
      // It waits while it is instantiated, which nobody can enter so that it could be suspended.
      resident.lane = undefined;
      return undefined;
    }
  }

  /**
   * Runs a function once. `timeoutMs` above 0 is enforced in this thread; a guest that counts units goes by its own clock. `calledNs` is when the caller called, on the
   * clock of `monotonicNs`. Whoever runs bindings finds the call by `run`. The micro-VM stays as the run left it until `settle`.
   * @throws NebulaError ADDRESS_SPACE, SNAPSHOT_DIVERGED, MOUNT_UNAVAILABLE; whatever a fault of the host throws
   */
  invoke(id: string, invocation: Invocation, calledNs: number, timeoutMs: number, run: number = 0): Outcome {
    const arrivedNs = monotonicNs();
    const resident = this.#residents.get(id) as Resident;
    let start: Start = 'restored';
    const restoredNs = resident.isUsed ? this.#restore(resident, arrivedNs) : arrivedNs;
    let { vm } = resident;
    if (vm === undefined) {
      start = 'cold';
      vm = this.#make(resident);
    } else if (!vm.used) start = 'ready';
    const call = callOf(resident, invocation, this.#record, run);
    resident.isUsed = true;
    resident.usedAt = ++this.#calls;
    const readyNs = monotonicNs();
    const { definition } = resident;
    const { hasBudget } = definition.prepared.info;
    if (hasBudget) call.terms = this.#termsOf(definition, invocation, calledNs, readyNs);
    const ending = this.#run(resident, vm, call, hasBudget ? 0 : timeoutMs);
    return outcomeOf(ending, vm, start, { calledNs, arrivedNs, restoredNs, readyNs });
  }

  /** Puts the micro-VM of the last call back, or makes another in its place. Off the critical path: after the answer. */
  settle(id: string): void {
    const resident = this.#residents.get(id);
    if (resident === undefined || !resident.isUsed) return;
    this.#restore(resident, monotonicNs());
  }

  /** Tells when it was done. */
  #restore(resident: Resident, startedNs: number): number {
    if (isRestored(resident.vm)) resident.isUsed = false;
    else {
      this.#discard(resident);
      // What is instantiated fresh for each call takes as long now as then; a component takes milliseconds.
      const isQuick = resident.strategy === 'fresh' && !hasComponent(resident.definition);
      if (!isQuick && resident.definition.keepsState !== true) this.makeReady(resident.definition.id);
    }
    const doneNs = monotonicNs();
    this.#restores.add(doneNs - startedNs);
    return doneNs;
  }

  /** Makes the micro-VM of a function ahead of its next call, if the address space has room. */
  makeReady(id: string): void {
    const resident = this.#residents.get(id);
    if (resident === undefined || resident.vm !== undefined || this.#space.live >= this.#space.limit) return;
    try {
      if (resident.lane === undefined) this.#make(resident);
      else resident.lane.makeReady();
    } catch {
      // The next call makes it and reports what stands in the way.
      resident.vm = undefined;
    }
  }

  /** Drops the micro-VMs used least recently, `count` at most, and answers how many there were to drop. */
  evict(count: number): number {
    const alive = [...this.#residents.values()].filter((resident) => idleOf(resident) > 0);
    let left = count;
    for (const resident of alive.sort((one, other) => one.usedAt - other.usedAt)) {
      if (left <= 0) break;
      if (resident.vm !== undefined) left--;
      this.#discard(resident);
      left -= resident.lane?.evict(left) ?? 0;
    }
    return count - left;
  }

  /** Evicts an eighth of this thread's micro-VMs, since each reclaiming costs a collection, and waits for the room. */
  async makeRoom(): Promise<void> {
    let idle = 0;
    for (const resident of this.#residents.values()) idle += idleOf(resident);
    this.evict(Math.ceil(idle / 8));
    await this.#space.reclaim();
  }

  close(): void {
    for (const id of this.#residents.keys()) this.remove(id);
  }

  #run(resident: Resident, vm: Guest, call: GuestCall, timeoutMs: number): Ending {
    try {
      return vm.run(call, timeoutMs);
    } catch (error) {
      this.#discard(resident);
      throw error;
    }
  }

  #termsOf({ limits }: FunctionDefinition, { timeoutMs }: Invocation, calledNs: number, readyNs: number): Terms {
    return callTerms({ askedMs: timeoutMs, limitMs: limits.timeoutMs }, calledNs, readyNs, this.#stop);
  }

  #make(resident: Resident): Guest {
    if (resident.isMade && resident.definition.keepsState === true) throw endedSession(resident.definition.name);
    resident.vm = this.#placement.place(resident);
    resident.isMade = true;
    return resident.vm;
  }

  #discard(resident: Resident): void {
    const { vm } = resident;
    resident.vm = undefined;
    resident.isUsed = false;
    vm?.close();
  }
}
