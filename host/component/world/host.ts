/**
 * The session of one component instance, and what only components have: resources that are counted, values that cross
 * the border, and waiting for what other threads send. Two instances in one thread share nothing of it.
 */

import { NO_BYTES } from '../../bytes.ts';
import type { MountedDirectory } from '../../filesystem/mount.ts';
import type { GuestCall } from '../../wasi/session/guest.ts';
import { COUNT } from '../../wasi/session/record-layout.ts';
import { waitBlocked } from '../../wasi/session/blocked-thread.ts';
import { Session, type SessionOptions } from '../../wasi/session/session.ts';
import type { Suspension } from '../../waiting/suspension.ts';
import { GUEST, guestSignal, isToStop, ownSignal, tellCaller } from '../channel/signal.ts';
import { GUEST_STOP, type GuestStop } from './guest-stop.ts';
import { ValueBudget } from './value-budget.ts';

/** Something a guest can wait for. Source: WASI 0.2, wasi:io/poll, pollable. */
export interface Awaitable {
  isReady(): boolean;
  /** When it becomes ready by itself, on the clock of `performance.now`. */
  readonly readyAtMs?: number;
  /** Whether it becomes ready by what the client of the guest's request does. */
  readonly isClients?: boolean;
}

/** Takes the call of a core module that an exported function of the glue's comes to, and what lifts its answer. */
export type Splitter = (call: () => unknown, conclude: (answer: unknown) => unknown) => void;

const NO_SIGNAL: Int32Array = ownSignal();
/** `Atomics.wait` takes any number; this one is a day. */
const LONGEST_WAIT_MS = 86_400_000;
/** In place of a time: there is nothing to wait for. */
const READY = -1;
/** How often a guest that waits for another thread sees whether that is still there. */
const LOOK_AGAIN_MS = 250;

/** What the host functions of one component share; `host.enter()` comes first in each of them. */
export class Host extends Session<GuestStop> {
  readonly values: ValueBudget = new ValueBudget(this);
  /** The invocation's input: stdin of a command, the body of a request. */
  input: Uint8Array = NO_BYTES;
  /** Descriptors open, standard streams not included. */
  openFiles = 0;
  /** Cell 0 is added to and notified by whoever has something for the guest. */
  signal: Int32Array = NO_SIGNAL;
  /** Takes what other threads have sent; set by those who expect something. */
  readonly receivers: Set<() => void> = new Set();
  /** What is given back at the end: descriptors, requests under way. */
  readonly held: Set<{ release(): void }> = new Set();
  /** As long as an exported function of the glue's is entered whose guest may be suspended. */
  splitter: Splitter | undefined = undefined;
  readonly #suspension: Suspension | undefined;
  #resources = 0;
  /** Whether the guest was entered so that it can be suspended, and nothing of JavaScript's is between. */
  #isDirect = false;
  /** Whether the guest is in a host function that it can be suspended in, and what it is to wait for there. */
  #maySuspend = false;
  #wanted: readonly Awaitable[] | undefined = undefined;
  #unanswered: { readonly call: () => unknown; readonly hostCalls: number } = { call: () => undefined, hostCalls: 0 };
  /** Whether a host function is tried again, which costs nothing more: how often that is depends on time. */
  #isTriedAgain = false;
  /** Whether the caller was told that the guest waits for it. */
  #isTold = false;
  /** Whether somebody in another thread follows the call, and can wake the guest. */
  #hasCaller = false;

  constructor(options: SessionOptions, mounts: readonly MountedDirectory[], suspension?: Suspension) {
    super(options, mounts, GUEST_STOP);
    this.#suspension = suspension;
  }

  override begin(call: GuestCall, memoryBytes: number = 0): void {
    super.begin(call, memoryBytes);
    this.input = call.input;
    this.values.begin();
    const channel = call.component?.channel;
    this.#hasCaller = channel !== undefined;
    this.#isTold = false;
    this.#wanted = undefined;
    // The thread's is for one guest at a time.
    const shared = this.#suspension === undefined ? call.terms?.stop?.signal : undefined;
    this.signal = channel === undefined ? (shared ?? ownSignal()) : guestSignal(channel);
  }

  /** Gives back what the guest left open besides. */
  override end(): void {
    // The last first: a request that waits for another's place does not get it.
    if (this.held.size > 0) for (const each of [...this.held].toReversed()) each.release();
    this.held.clear();
    // What has come for it is memory until somebody takes it.
    for (const receive of this.receivers) receive();
    this.receivers.clear();
    this.openFiles = 0;
    this.input = NO_BYTES;
    super.end();
  }

  /** Forgets what the guest held: its next state begins with nothing. */
  renew(): void {
    this.#resources = 0;
    this.reads.random = false;
    this.reads.clock = false;
  }

  /** Takes note of bytes read of a request's body. */
  readBody(sizeBytes: number): void {
    this.counts[COUNT.bodyBytes] = (this.counts[COUNT.bodyBytes] as number) + sizeBytes;
  }

  /** Bytes the guest has read of its input, its request's body included. */
  get inputBytes(): number {
    return this.stdin.bytesRead + (this.counts[COUNT.bodyBytes] as number);
  }

  /** Counts a resource the guest was handed: each takes memory of the machine's. */
  hold(): void {
    const allowed = this.options.limits.resources;
    if (++this.#resources > allowed) throw this.stop({ kind: 'limit', limit: 'resources', allowed });
  }

  /** A resource was let go of. */
  drop(): void {
    this.#resources--;
  }

  /**
   * Waits until one of them is ready. Nothing else in the thread happens meanwhile.
   * @throws GuestStop for a call that was aborted, and for one that counts units at its deadline; a RuntimeError for what nobody could ever make ready
   */
  wait(awaited: readonly Awaitable[]): void {
    for (;;) {
      const seen = Atomics.load(this.signal, 0);
      const waitMs = this.#waitMs(awaited);
      if (waitMs === READY) return;
      waitBlocked(this.signal, 0, seen, waitMs);
    }
  }

  /**
   * The same in a function that its guest can be suspended in (`callSuspendable`). False when it is to be suspended: the
   * function then answers anything of its type, and is called once more when one of them is ready.
   */
  waitSuspended(awaited: readonly Awaitable[]): boolean {
    if (!this.#maySuspend) this.wait(awaited);
    else if (this.#waitMs(awaited) !== READY) {
      this.#wanted = awaited;
      return false;
    }
    return true;
  }

  /**
   * Calls a host function that its guest can be suspended in: what it answers, or a promise of that.
   * @param call lifts the arguments, calls the function and lowers what it answers, as often as it is called
   */
  callSuspendable(call: () => unknown): unknown {
    const answer = this.beginSuspendable(call);
    return this.#wanted === undefined ? answer : this.finishSuspendable();
  }

  /** The first try of such a call, after which `isUnanswered` says whether it is to be finished. */
  beginSuspendable(call: () => unknown): unknown {
    this.#unanswered = { call, hostCalls: this.hostCalls };
    return this.#try(call);
  }

  /** Calls a host function that its guest cannot be suspended in, and which may call the guest back. */
  callPlain(call: (...values: unknown[]) => unknown, values: readonly unknown[] = []): unknown {
    enterHost(this);
    if (!this.#isDirect) return call(...values);
    this.#tellDirect(false);
    try {
      return call(...values);
    } finally {
      this.#tellDirect(true);
    }
  }

  /** Runs the guest, which `enter` enters so that it can be suspended. */
  async enterSuspendable<T>(enter: () => Promise<T>): Promise<T> {
    this.#tellDirect(true);
    try {
      return await enter();
    } finally {
      this.#tellDirect(false);
    }
  }

  #tellDirect(isDirect: boolean): void {
    this.#isDirect = isDirect;
    const { account } = this.options;
    if (account !== undefined) account.isDirect = isDirect;
  }

  /** Whether the function that `callSuspendable` has called is to be called once more. */
  get isUnanswered(): boolean {
    return this.#wanted !== undefined;
  }

  /** Tries it again whenever what it waits for is ready. */
  async finishSuspendable(): Promise<unknown> {
    const { call, hostCalls } = this.#unanswered;
    for (;;) {
      await this.#untilReady(this.#wanted ?? []);
      // It is one call of the guest's, however often it is tried.
      this.counts[COUNT.hostCalls] = hostCalls;
      const answer = this.#tryAgain(call);
      if (this.#wanted === undefined) return answer;
    }
  }

  override spend(units: number): void {
    if (this.#isTriedAgain) this.ask();
    else super.spend(units);
  }

  #tryAgain(call: () => unknown): unknown {
    this.#isTriedAgain = true;
    try {
      return this.#try(call);
    } finally {
      this.#isTriedAgain = false;
    }
  }

  #try(call: () => unknown): unknown {
    this.#wanted = undefined;
    this.#maySuspend = this.#isDirect;
    try {
      return this.callPlain(call);
    } finally {
      this.#maySuspend = false;
    }
  }

  async #untilReady(awaited: readonly Awaitable[]): Promise<void> {
    for (;;) {
      const seen = Atomics.load(this.signal, 0);
      const waitMs = this.#waitMs(awaited);
      if (waitMs === READY) return;
      await this.#suspension?.changed(this.signal, seen, waitMs);
    }
  }

  /** Milliseconds to wait before one of them may be ready; READY when one is. */
  #waitMs(awaited: readonly Awaitable[]): number {
    if (isToStop(this.signal)) throw this.stop({ kind: 'aborted' });
    const { account } = this.options;
    const ending = account?.check();
    if (ending !== undefined) throw this.stop(ending);
    for (const receive of this.receivers) receive();
    let untilMs = Infinity;
    for (const each of awaited) {
      if (each.isReady()) {
        if (this.#isTold) tellCaller(this.signal, GUEST.running);
        this.#isTold = false;
        return READY;
      }
      if (each.readyAtMs !== undefined && each.readyAtMs < untilMs) untilMs = each.readyAtMs;
    }
    // Nobody could ever wake it.
    if (!this.#hasCaller && untilMs === Infinity && this.receivers.size === 0) {
      throw new WebAssembly.RuntimeError('wait for what cannot come');
    }
    if (!this.#isTold && isForClient(awaited)) {
      this.#isTold = true;
      tellCaller(this.signal, GUEST.waitingForCaller);
    }
    // A thread that ended wakes nobody: who waits for one looks again.
    const mostMs = this.receivers.size === 0 ? LONGEST_WAIT_MS : LOOK_AGAIN_MS;
    return Math.max(0, Math.min(mostMs, account?.leftMs ?? Infinity, untilMs - performance.now()));
  }
}

/** Whether what is waited for, but for clocks, comes from the client. */
function isForClient(awaited: readonly Awaitable[]): boolean {
  let isAny = false;
  for (const { isClients, readyAtMs } of awaited) {
    if (isClients === true) isAny = true;
    else if (readyAtMs === undefined) return false;
  }
  return isAny;
}

let active: Host | undefined;

/** The host of the guest that runs in this thread: resources a guest constructs belong to it. */
export function activeHost(): Host {
  if (active === undefined) throw new Error('no component runs in this thread');
  return active;
}

/** Makes a host the active one until another is: a guest that may be suspended comes back at any time. */
export function enterHost(host: Host): void {
  active = host;
}

/** Makes a host the active one for as long as `run` takes. */
export function withHost<T>(host: Host, run: () => T): T {
  const outer = active;
  active = host;
  try {
    return run();
  } finally {
    active = outer;
  }
}
