/**
 * The waiting lane of one function in one thread: a micro-VM for each call under way, whose guest runs or is suspended, and
 * those that stand by. What a stack of a suspended guest takes of the address space is counted as a memory is: mappings are
 * what there are least of.
 */

import { hasComponent } from '../component/vm/component-definition.ts';
import { ComponentVm } from '../component/vm/component-vm.ts';
import { parseInterface } from '../component/prepare/wit.ts';
import type { BindingLink } from '../bindings/link.ts';
import type { FunctionDefinition } from '../definition/definition.ts';
import type { Strategy } from '../definition/strategies.ts';
import type { AddressSpace } from '../linux/address-space.ts';
import { MicroVm } from '../micro-vm/micro-vm.ts';
import { monotonicNs } from '../monotonic.ts';
import type { Ending, Outcome, Start } from '../outcome.ts';
import { mayWait } from '../preview1/preview1.ts';
import type { RestoreTally } from '../restore-tally.ts';
import type { SnapshotImage } from '../snapshot/image.ts';
import { CAN_SUSPEND } from '../waiting/jspi.ts';
import { Suspension } from '../waiting/suspension.ts';
import type { Turns } from '../waiting/turns.ts';
import type { Guest, GuestCall } from '../wasi/session/guest.ts';
import type { RunRecord } from '../wasi/session/run-record.ts';
import type { StopCell } from '../wasi/session/stop-cell.ts';
import { callTerms } from '../wasi/session/terms.ts';
import { outcomeOf } from './call-outcome.ts';
import { isRestored } from './placement.ts';
import { endedSession } from './ended-session.ts';
import type { WaitingRecords } from './waiting-records.ts';

/** How long micro-VMs stand by that nobody needed meanwhile. */
const STANDBY_MS = 5_000;

/** What the lanes of a thread share. */
export interface LaneShare {
  readonly records: WaitingRecords;
  readonly turns: Turns;
  /** Whether only guests that count units have one: where nobody else would end one that runs. */
  readonly onlyCounting?: boolean;
}

/** What a lane needs of its thread. */
export interface LaneOptions extends LaneShare {
  readonly definition: FunctionDefinition;
  readonly image: SnapshotImage;
  readonly strategy: Strategy;
  readonly space: AddressSpace;
  readonly restores: RestoreTally;
  /** Where its guests call bindings. */
  readonly link?: BindingLink | undefined;
}

/** What ends a call in time. */
export interface LaneCall {
  /** The time that its caller gave; none when left out or 0. */
  readonly askedMs: number | undefined;
  /** Where another thread stops it until it is suspended; after that it is told in its record. */
  readonly stop: StopCell | undefined;
}

/** A call whose guest has run as far as its first wait, or to its end. */
export interface StartedCall {
  readonly suspension: Suspension;
  readonly record: RunRecord;
  /** What it comes to; undefined when the guest was dropped. Rejects with a fault of the host. */
  readonly outcome: Promise<Outcome | undefined>;
  /** Puts its micro-VM back, after the answer. */
  settle(): void;
}

/** A micro-VM whose guest can be suspended. */
interface SuspendableGuest extends Guest {
  readonly suspension: Suspension;
  start(call: GuestCall): Promise<Ending>;
}

const mayWaitOf = new WeakMap<WebAssembly.Module, boolean>();

/** Interfaces of WASI 0.2 in which a guest may wait. */
const WAITING_INTERFACES: ReadonlySet<string> = new Set(['wasi:io/poll', 'wasi:io/streams']);

/** Whether calls of a function go through the waiting lane: its guests may wait, and this Node can suspend them. */
export function isOfLane(definition: FunctionDefinition): boolean {
  if (!CAN_SUSPEND) return false;
  if (hasComponent(definition)) {
    return definition.component.imports.some((name) => WAITING_INTERFACES.has(parseInterface(name)?.id ?? ''));
  }
  const { compiled } = definition.prepared;
  let waits = mayWaitOf.get(compiled);
  if (waits === undefined) {
    waits = mayWait(WebAssembly.Module.imports(compiled));
    mayWaitOf.set(compiled, waits);
  }
  return waits;
}

/** The micro-VMs of one function. */
export class WaitingLane {
  readonly #options: LaneOptions;
  /** Those that stand by, the one used last at the end. */
  readonly #free: SuspendableGuest[] = [];
  readonly #underWay: Set<Suspension> = new Set();
  /** How many have stood by at least since the timer began. */
  #leastFree = 0;
  #timer: NodeJS.Timeout | undefined = undefined;
  #isClosed = false;
  /** Whether one was made: of a session there is one. */
  #isMade = false;

  constructor(options: LaneOptions) {
    this.#options = options;
  }

  /** Micro-VMs that stand by. */
  get standby(): number {
    return this.#free.length;
  }

  /**
   * Starts a call that is to be kept under the number `run`, MOST_RUN at most.
   * @throws NebulaError ADDRESS_SPACE, SNAPSHOT_DIVERGED, MOUNT_UNAVAILABLE
   */
  start(given: GuestCall, calledNs: number, run: number, { askedMs, stop }: LaneCall): StartedCall {
    const { definition, space, records } = this.#options;
    const arrivedNs = monotonicNs();
    const kept = this.#take();
    const vm = kept ?? this.#make();
    const start: Start = kept === undefined ? 'cold' : kept.used ? 'restored' : 'ready';
    if (!space.acquire()) {
      this.#free.push(vm);
      throw space.refusal(definition.name);
    }
    const record = records.take();
    record.run = run;
    const { suspension } = vm;
    this.#underWay.add(suspension);
    suspension.begin(record);
    const readyNs = monotonicNs();
    const times = { calledNs, arrivedNs, restoredNs: arrivedNs, readyNs };
    const leave = (): void => {
      this.#underWay.delete(suspension);
      records.give(record);
      space.cancel();
    };
    const endDropped = (): undefined => {
      leave();
      vm.close();
    };
    const { prepared, limits } = definition;
    const terms = prepared.info.hasBudget
      ? { ...callTerms({ askedMs, limitMs: limits.timeoutMs }, calledNs, readyNs, stop), record }
      : undefined;
    const outcome = vm.start({ ...given, record, terms }).then(
      (ending) => {
        suspension.end();
        record.end();
        return suspension.isDropped ? endDropped() : outcomeOf(ending, vm, start, times);
      },
      (error: unknown) => {
        suspension.end();
        record.end();
        endDropped();
        if (!suspension.isDropped) throw error;
        return undefined;
      },
    );
    const settle = (): void => {
      leave();
      this.#settle(vm);
    };
    return { suspension, record, outcome, settle };
  }

  /** Makes one ahead of the next call. @throws as `start` */
  makeReady(): void {
    if (this.#free.length === 0) this.#free.push(this.#make());
  }

  /** Drops micro-VMs that stand by, `count` at most; answers how many it were. */
  evict(count: number): number {
    const dropped = this.#free.splice(0, count);
    for (const vm of dropped) vm.close();
    this.#leastFree = Math.min(this.#leastFree, this.#free.length);
    return dropped.length;
  }

  /** Ends all guests under way and drops all micro-VMs. */
  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    for (const suspension of this.#underWay) suspension.abandon();
    this.evict(this.#free.length);
  }

  #take(): SuspendableGuest | undefined {
    const vm = this.#free.pop();
    this.#leastFree = Math.min(this.#leastFree, this.#free.length);
    return vm;
  }

  #make(): SuspendableGuest {
    const { definition, image, strategy, space, link } = this.#options;
    if (this.#isMade && definition.keepsState === true) throw endedSession(definition.name);
    const suspension = new Suspension(this.#options.turns);
    const vm = hasComponent(definition)
      ? new ComponentVm(definition, image, strategy, space, suspension)
      : new MicroVm(definition, image, strategy, space, { suspension, link });
    this.#isMade = true;
    return vm as SuspendableGuest;
  }

  #settle(vm: SuspendableGuest): void {
    const startedNs = monotonicNs();
    const isKept = isRestored(vm) && !this.#isClosed;
    if (isKept) this.#free.push(vm);
    else vm.close();
    this.#options.restores.add(monotonicNs() - startedNs);
    if (this.#free.length > 1) this.#trimLater();
  }

  #trimLater(): void {
    if (this.#timer !== undefined) return;
    this.#leastFree = this.#free.length;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#options.records.trim(this.evict(this.#leastFree - 1));
      if (this.#free.length > 1) this.#trimLater();
    }, STANDBY_MS).unref();
  }
}
