/**
 * The session of one component instance, and what only components have: resources that are counted, values that cross
 * the border, and waiting for what other threads send. Two instances in one thread share nothing of it.
 */

import { NO_BYTES } from '../../bytes.ts';
import type { MountedDirectory } from '../../filesystem/mount.ts';
import type { GuestCall } from '../../wasi/session/guest.ts';
import { COUNT } from '../../wasi/session/run-record.ts';
import { Session, type SessionOptions } from '../../wasi/session/session.ts';
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

const NO_SIGNAL: Int32Array = ownSignal();
/** `Atomics.wait` takes any number; this one is a day. */
const LONGEST_WAIT_MS = 86_400_000;

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
  #resources = 0;
  /** Whether somebody in another thread follows the call, and can wake the guest. */
  #hasCaller = false;

  constructor(options: SessionOptions, mounts: readonly MountedDirectory[]) {
    super(options, mounts, GUEST_STOP);
  }

  override begin(call: GuestCall, memoryBytes: number = 0): void {
    super.begin(call, memoryBytes);
    this.input = call.input;
    this.values.begin();
    const channel = call.component?.channel;
    this.#hasCaller = channel !== undefined;
    this.signal = channel === undefined ? ownSignal() : guestSignal(channel);
  }

  /** Gives back what the guest left open besides. */
  override end(): void {
    for (const each of this.held) each.release();
    this.held.clear();
    this.receivers.clear();
    this.openFiles = 0;
    this.input = NO_BYTES;
    super.end();
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
   * @throws GuestStop for a call that was aborted; a RuntimeError for what nobody could ever make ready
   */
  wait(awaited: readonly Awaitable[]): void {
    let isTold = false;
    for (;;) {
      const seen = Atomics.load(this.signal, 0);
      if (isToStop(this.signal)) throw this.stop({ kind: 'aborted' });
      for (const receive of this.receivers) receive();
      let untilMs = Infinity;
      for (const each of awaited) {
        if (each.isReady()) {
          if (isTold) tellCaller(this.signal, GUEST.running);
          return;
        }
        if (each.readyAtMs !== undefined && each.readyAtMs < untilMs) untilMs = each.readyAtMs;
      }
      // Nobody could ever wake it.
      if (!this.#hasCaller && untilMs === Infinity && this.receivers.size === 0) {
        throw new WebAssembly.RuntimeError('wait for what cannot come');
      }
      if (!isTold && isForClient(awaited)) {
        isTold = true;
        tellCaller(this.signal, GUEST.waitingForCaller);
      }
      Atomics.wait(this.signal, 0, seen, Math.min(LONGEST_WAIT_MS, Math.max(0, untilMs - performance.now())));
    }
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
