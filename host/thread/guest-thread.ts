/**
 * The guests of one thread: at most one micro-VM per function, made when first needed, put back after each answer,
 * dropped least-recently-used when the address space is full. A thread runs one guest at a time.
 */

import { collectGarbage, UNCOUNTED, type AddressSpace } from '../linux/address-space.ts';
import { mergeVariables } from '../capabilities/environment/variables.ts';
import { hasComponent } from '../component/vm/component-definition.ts';
import { ComponentVm } from '../component/vm/component-vm.ts';
import type { FunctionDefinition, Strategy } from '../definition/definition.ts';
import type { Deployment } from '../snapshot/deployment.ts';
import { deployHere } from './deploy.ts';
import { isNebulaError } from '../errors.ts';
import type { Guest } from '../wasi/session/guest.ts';
import { monotonicNs } from '../monotonic.ts';
import { MicroVm } from '../micro-vm/micro-vm.ts';
import type { Ending, Invocation, Outcome, Start } from '../outcome.ts';
import type { GuestCall } from '../wasi/session/guest.ts';
import { RestoreTally } from '../restore-tally.ts';
import type { RunRecord } from '../wasi/session/run-record.ts';
import type { SnapshotImage } from '../snapshot/image.ts';

/** Times a micro-VM is made again because of where its memory is: not where its image expects it (snapshot/image.ts). */
const MOST_MOVES = 3;
/** Moves in vain after which none is tried. */
const VAIN_MOVES = 6;

/** Deploys after which their memories, of which each leaves a few that are not counted, are collected. */
const DEPLOYS_TO_COLLECT = 16;

interface Resident {
  readonly definition: FunctionDefinition;
  readonly image: SnapshotImage;
  readonly strategy: Strategy;
  vm: Guest | undefined;
  /** Whether the last run's changes are still in it. */
  isUsed: boolean;
  /** When it was used, in calls of the thread. */
  usedAt: number;
}

/** The functions that a thread has, and their micro-VMs. */
export class GuestThread {
  readonly #space: AddressSpace;
  readonly #residents: Map<string, Resident> = new Map();
  readonly #restores: RestoreTally;
  readonly #record: RunRecord | undefined;
  #calls = 0;
  #deploys = 1;
  /** Moves since the last that was of use. */
  #vainMoves = 0;

  /** @param record where it is kept what guests write and use, for whoever ends this thread */
  constructor(space: AddressSpace, restores: RestoreTally = new RestoreTally(), record?: RunRecord) {
    this.#space = space;
    this.#restores = restores;
    this.#record = record;
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
    this.#residents.set(definition.id, { definition, image, strategy, vm: undefined, isUsed: false, usedAt: 0 });
  }

  /** Forgets a function and its micro-VM. */
  remove(id: string): void {
    const resident = this.#residents.get(id);
    if (resident === undefined) return;
    this.#discard(resident);
    this.#residents.delete(id);
  }

  /**
   * Runs a function once. `timeoutMs` above 0 is enforced in this thread. `calledNs` is when the caller called, on the
   * clock of `monotonicNs`. The micro-VM stays as the run left it until `settle`.
   * @throws NebulaError ADDRESS_SPACE, SNAPSHOT_DIVERGED, MOUNT_UNAVAILABLE; whatever a fault of the host throws
   */
  invoke(id: string, invocation: Invocation, calledNs: number, timeoutMs: number): Outcome {
    const arrivedNs = monotonicNs();
    const resident = this.#residents.get(id) as Resident;
    const { definition } = resident;
    let start: Start = 'restored';
    const restoredNs = resident.isUsed ? this.#restore(resident, arrivedNs) : arrivedNs;
    let { vm } = resident;
    if (vm === undefined) {
      start = 'cold';
      vm = this.#make(resident);
    } else if (!vm.used) start = 'ready';
    const { capabilities } = definition;
    const call: GuestCall = {
      input: invocation.input,
      arguments: invocation.arguments ?? capabilities.arguments,
      environment: mergeVariables(capabilities.environment, invocation.environment),
      passOn: invocation.passOn,
      component: invocation.component,
      record: this.#record,
    };
    resident.isUsed = true;
    resident.usedAt = ++this.#calls;
    const readyNs = monotonicNs();
    const ending = this.#run(resident, vm, call, timeoutMs);
    const endedNs = monotonicNs();
    const stdout = vm.stdout();
    const stderr = vm.stderr();
    const usage = vm.usage();
    const collectedNs = monotonicNs();
    const phases = {
      queue: Math.max(0, arrivedNs - calledNs),
      compile: 0,
      instantiate: readyNs - restoredNs,
      restore: restoredNs - arrivedNs,
      run: endedNs - readyNs,
      collect: collectedNs - endedNs,
    };
    return outcomeOf(ending, { stdout, stderr, start, phases, usage });
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
      if (resident.strategy !== 'fresh' || hasComponent(resident.definition)) this.makeReady(resident.definition.id);
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
      this.#make(resident);
    } catch {
      // The next call makes it and reports what stands in the way.
      resident.vm = undefined;
    }
  }

  /** Drops the micro-VMs used least recently, `count` at most, and answers how many there were to drop. */
  evict(count: number): number {
    const alive = [...this.#residents.values()].filter(({ vm }) => vm !== undefined);
    const dropped = alive.sort((left, right) => left.usedAt - right.usedAt).slice(0, count);
    for (const resident of dropped) this.#discard(resident);
    return dropped.length;
  }

  /** Evicts an eighth of this thread's micro-VMs, since each reclaiming costs a collection, and waits for the room. */
  async makeRoom(): Promise<void> {
    const alive = [...this.#residents.values()].filter(({ vm }) => vm !== undefined).length;
    this.evict(Math.ceil(alive / 8));
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

  #make(resident: Resident): Guest {
    let vm = this.#build(resident);
    for (let again = 0; vm.isMisplaced && again < MOST_MOVES; again++) vm = this.#move(resident, vm);
    resident.vm = vm;
    return vm;
  }

  /** Makes another while the first holds its place, so that it comes to be elsewhere; the first if there is no room. */
  #move(resident: Resident, vm: Guest): Guest {
    if (this.#vainMoves >= VAIN_MOVES || this.#space.live >= this.#space.limit) return vm;
    let moved: Guest;
    try {
      moved = this.#build(resident);
    } catch {
      // Only slower where it is.
      return vm;
    }
    this.#vainMoves = moved.isMisplaced ? this.#vainMoves + 1 : 0;
    vm.close();
    return moved;
  }

  #build({ definition, image, strategy }: Resident): Guest {
    return hasComponent(definition)
      ? new ComponentVm(definition, image, strategy, this.#space)
      : new MicroVm(definition, image, strategy, this.#space);
  }

  #discard(resident: Resident): void {
    const { vm } = resident;
    resident.vm = undefined;
    resident.isUsed = false;
    vm?.close();
  }
}

/** Whether a micro-VM is back at its snapshot. A fault on the way may have left it anywhere: then it is not. */
function isRestored(vm: Guest | undefined): boolean {
  try {
    return vm?.restore() === true;
  } catch {
    return false;
  }
}

/** An outcome, without a spread where the guest ended normally: spreading costs more than such a guest. */
function outcomeOf(ending: Ending, told: Omit<Outcome, keyof Ending>): Outcome {
  const { stdout, stderr, start, phases, usage } = told;
  if (ending.kind === 'ok') return { kind: 'ok', stdout, stderr, start, phases, usage };
  if (ending.kind === 'exit') return { kind: 'exit', exitCode: ending.exitCode, stdout, stderr, start, phases, usage };
  return { ...ending, ...told };
}
