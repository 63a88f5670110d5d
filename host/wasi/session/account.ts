/**
 * What one call may still use and has used, where the code of its guest counts units (host/module): units, processor time,
 * its deadline, and whether another thread wants it stopped. One per micro-VM; all of its instances share it. An instance
 * whose grant is used up asks for another here, several times a millisecond, and traps when it is refused.
 */

import { hasThreadCpuClock, threadCpuNs } from '../../linux/thread-cpu.ts';
import type { Limits } from '../../limits.ts';
import { monotonicNs } from '../../monotonic.ts';
import type { Ending, Usage } from '../../outcome.ts';
import { waitBlocked } from './blocked-thread.ts';
import { RUN } from './stop-cell.ts';
import type { Terms } from './terms.ts';

/** An instance that counts units. */
export interface CountingInstance {
  /** Units left of what was granted; below zero once they are used up. */
  readonly units: WebAssembly.Global<'i32'>;
  /**
   * Has it ask `refill` for more, which answers the units granted next, or 0 where the guest is to end; and `turn` in its
   * place where it answers -1.
   */
  askFor(refill: () => number, turn?: () => Promise<number>): void;
}

/** The guest that an account is of, as far as ending it goes. */
export interface Accountable {
  readonly isStopped: boolean;
  /** Notes how it ended; the first ending counts. */
  stop(ending: Ending): unknown;
}

/** How a guest that has had its thread for long lets others have it. */
export interface Slices {
  readonly isOver: boolean;
  /** Ends with the guest's next turn; rejects with what unwinds a guest that was dropped meanwhile. */
  pass(): Promise<void>;
}

/**
 * Units granted at once: a tenth of a millisecond of quick code, some milliseconds of code that waits for memory at each
 * step. Always as many: an instance that traps may have counted on where nobody sees it (host/module/meter.ts), so that what it
 * has used is known as of its last grant, which must not depend on how fast the machine is.
 */
const GRANT = 1 << 18;

/** Units of one charge, so that what an instance has left stays a number of 32 bits. */
const MOST_CHARGED = 2 ** 30;
/** What an instance may owe, so that it stays one after another charge. */
const MOST_OWED = 2 ** 29;

const NO_TERMS: Terms = { deadlineNs: Infinity, timeoutMs: 0, isCall: false };
const REFUSED = 0;
/** In place of units, where `turn` is to be asked for them: the guest is suspended until it has its turn. */
const ASK_IN_TURN = -1;

/** Nobody else has it, so a wait on it ends with its timeout. */
const NO_CELL: Int32Array = new Int32Array(new SharedArrayBuffer(4));

/** What is granted, used and left of one call. */
export class Account {
  /**
   * Whether the guest can give way where its code asks for more: it was entered by `promising`, and nothing of JavaScript's is
   * between. Whoever calls into it, or is called by it and may call it back, says so.
   */
  isDirect: boolean = false;
  readonly #limits: Pick<Limits, 'units' | 'cpuMs'>;
  readonly #slices: Slices | undefined;
  readonly #instances: CountingInstance[] = [];
  #guest: Accountable | undefined;
  #terms: Terms = NO_TERMS;
  /** Where another thread stops the guest. */
  #cells: Int32Array = NO_CELL;
  #index = 0;
  /** What that said when the guest was first suspended, if it was to stop it. */
  #toldFirst: typeof RUN.late | typeof RUN.aborted | undefined = undefined;
  /** The same, where it may be suspended. */
  #record: Terms['record'] = undefined;
  #granted = 0;
  /** Processor time of the thread when the call began; -1n where nobody asks for it. */
  #cpuBeganNs = -1n;
  /** What it had used of that when it was suspended. */
  #cpuPausedNs = 0n;
  /** What the last call has used, or the one that is suspended until then. */
  #usedUnits = 0;
  #usedCpuNs = -1;

  /** @param slices of a guest that can be suspended */
  constructor(limits: Pick<Limits, 'units' | 'cpuMs'>, slices?: Slices) {
    this.#limits = limits;
    this.#slices = slices;
  }

  /** Takes an instance on, before any of its code runs. */
  connect(instance: CountingInstance): void {
    this.#instances.push(instance);
    instance.units.value = 0;
    const slices = this.#slices;
    if (slices === undefined) instance.askFor(() => this.#refill(instance));
    else {
      instance.askFor(
        () => (this.#isToGiveWay(slices) ? ASK_IN_TURN : this.#refill(instance)),
        async () => {
          await slices.pass();
          return this.#refill(instance);
        },
      );
    }
  }

  /** Begins a call, or code of the guest that runs outside of calls. */
  begin(guest: Accountable, terms: Terms): void {
    const { stop, record } = terms;
    this.#guest = guest;
    this.#terms = terms;
    this.#cells = stop?.cells ?? NO_CELL;
    this.#index = stop?.index ?? 0;
    this.#record = record;
    this.#toldFirst = undefined;
    this.#cpuBeganNs = terms.isCall && this.#limits.cpuMs > 0 ? threadCpuNs() : -1n;
    const [first] = this.#instances;
    const most = this.#mostUnits;
    this.#granted = first === undefined ? 0 : Math.min(GRANT, most);
    if (first !== undefined) first.units.value = this.#granted;
    for (let at = 1; at < this.#instances.length; at++) (this.#instances[at] as CountingInstance).units.value = 0;
  }

  /** Ends it: what it has used is settled, and nothing more is granted. */
  end(): void {
    this.#usedUnits = this.#granted - this.#left();
    this.isDirect = false;
    this.#usedCpuNs = this.#cpuBeganNs < 0n ? -1 : Number(threadCpuNs() - this.#cpuBeganNs);
    this.#terms = NO_TERMS;
    this.#cells = NO_CELL;
    this.#record = undefined;
    this.#guest = undefined;
    this.#cpuBeganNs = -1n;
  }

  /**
   * The guest is suspended: what others use of its thread is not its own, and its cell is for others from then on. False where
   * it was told to stop meanwhile.
   */
  pause(): boolean {
    const said = Atomics.compareExchange(this.#cells, this.#index, RUN.underWay, RUN.suspended);
    if (said === RUN.late || said === RUN.aborted) this.#toldFirst = said;
    this.#cells = NO_CELL;
    this.#index = 0;
    this.#usedUnits = this.#granted - this.#left();
    if (this.#cpuBeganNs >= 0n) this.#cpuPausedNs = threadCpuNs() - this.#cpuBeganNs;
    return this.#toldFirst === undefined;
  }

  /** What its thread does from now on is not its own, though it is not suspended. */
  rest(): void {
    if (this.#cpuBeganNs >= 0n) this.#cpuPausedNs = threadCpuNs() - this.#cpuBeganNs;
  }

  /** It goes on. */
  resume(): void {
    if (this.#cpuBeganNs >= 0n) this.#cpuBeganNs = threadCpuNs() - this.#cpuPausedNs;
  }

  /** What the last call has used. */
  get used(): { readonly units: number; readonly cpuNs?: number } {
    const units = this.#usedUnits;
    return this.#usedCpuNs < 0 ? { units } : { units, cpuNs: this.#usedCpuNs };
  }

  /** The same, beside what its session knows. Not by a spread: V8 copies what is spread behind other fields in its runtime. */
  usage(memoryBytes: number, inputBytes: number, hostCalls: number): Usage {
    const { units, cpuNs } = this.used;
    return cpuNs === undefined
      ? { memoryBytes, inputBytes, hostCalls, units }
      : { memoryBytes, inputBytes, hostCalls, units, cpuNs };
  }

  /** Why the guest must end now; undefined while it may go on. */
  check(): Ending | undefined {
    const said = this.#toldFirst ?? Atomics.load(this.#cells, this.#index);
    const told = this.#record?.told;
    if (said === RUN.aborted || told === RUN.aborted) return { kind: 'aborted' };
    const { deadlineNs, timeoutMs } = this.#terms;
    if (said === RUN.late || told === RUN.late || monotonicNs() >= deadlineNs) return { kind: 'timeout', timeoutMs };
    const { cpuMs } = this.#limits;
    if (this.#cpuBeganNs >= 0n && Number(threadCpuNs() - this.#cpuBeganNs) >= cpuMs * 1e6)
      return { kind: 'limit', limit: 'cpuMs', allowed: cpuMs };
    return undefined;
  }

  /**
   * Charges the guest for what a host function does, which it asks nothing for: false where it is to end. Units are taken of
   * the first instance, whichever called: it is the sum that counts. What that owes is granted when its own code asks for more,
   * which it does next, and where it may give way.
   */
  charge(units: number): boolean {
    const [first] = this.#instances;
    if (first === undefined || this.#guest === undefined) return true;
    let left = first.units.value - Math.min(units, MOST_CHARGED);
    first.units.value = left;
    if (left >= 0) return true;
    if (!this.#mayGoOn(first)) return false;
    while (left < -MOST_OWED) {
      left += this.#grant(first);
      first.units.value = left;
    }
    return true;
  }

  /** Milliseconds until the deadline, or Infinity. */
  get leftMs(): number {
    return (this.#terms.deadlineNs - monotonicNs()) / 1e6;
  }

  /** Waits for so long, until the deadline or until the guest is to stop, whichever comes first: `check` tells. */
  sleep(durationMs: number): void {
    const said = this.#cells === NO_CELL ? 0 : RUN.underWay;
    waitBlocked(this.#cells, this.#index, said, Math.max(0, Math.min(durationMs, this.leftMs)));
  }

  get #mostUnits(): number {
    return this.#terms.isCall && this.#limits.units > 0 ? this.#limits.units : Infinity;
  }

  #left(): number {
    let left = 0;
    for (const { units } of this.#instances) left += units.value;
    return left;
  }

  /** Not one that is to end: it would only do so later. */
  #isToGiveWay(slices: Slices): boolean {
    return this.isDirect && slices.isOver && this.#guest?.isStopped === false && this.check() === undefined;
  }

  /** The units that an instance gets which has used up its own. */
  #refill(instance: CountingInstance): number {
    return this.#mayGoOn(instance) ? this.#grant(instance) : REFUSED;
  }

  /** Whether the guest may go on whose instance has used up its units; else it is told why not. */
  #mayGoOn(instance: CountingInstance): boolean {
    const guest = this.#guest;
    // One that has caught what ended it gets no further.
    if (guest === undefined || guest.isStopped) return false;
    const ending = this.#exhausted(instance) ?? this.check();
    if (ending !== undefined) guest.stop(ending);
    return ending === undefined;
  }

  #grant(instance: CountingInstance): number {
    const owed = Math.max(0, -instance.units.value);
    const granted = Math.min(Math.max(GRANT, owed), this.#mostUnits - this.#granted);
    this.#granted += granted;
    return granted;
  }

  /** Whether the call has used more units than it may. Where the last were granted, those others have left are taken back. */
  #exhausted(instance: CountingInstance): Ending | undefined {
    const most = this.#mostUnits;
    if (most === Infinity) return undefined;
    for (const other of this.#instances) {
      const left = other === instance ? 0 : other.units.value;
      if (left <= 0) continue;
      other.units.value = 0;
      this.#granted -= left;
    }
    if (this.#granted - this.#left() <= most) return undefined;
    return { kind: 'limit', limit: 'units', allowed: most };
  }
}

/** Whether `limits.cpuMs` can hold here. */
export const hasCpuLimit: () => boolean = hasThreadCpuClock;
