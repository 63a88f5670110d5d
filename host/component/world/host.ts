/**
 * What the host functions of one component instance share: its streams, clocks, randomness, limits, how it waits and how
 * it ended. Two instances in one thread share nothing of it.
 */

import { getHeapStatistics } from 'node:v8';
import { NO_BYTES } from '../../bytes.ts';
import type { Capabilities } from '../../capabilities.ts';
import type { MountedDirectory } from '../../filesystem/mount.ts';
import { InputBuffer, OutputBuffer } from '../../filesystem/stdio.ts';
import type { Limits } from '../../limits.ts';
import type { Ending } from '../../outcome.ts';
import type { PassOn } from '../../pass-on.ts';
import { COUNT, ownCounts, type RunRecord } from '../../run-record.ts';
import { CLOCKID } from '../../wasi/clock-id.ts';
import { RandomSource } from '../../wasi/random-source.ts';
import { TimeSource } from '../../wasi/time-source.ts';
import { GUEST, guestSignal, isToStop, ownSignal, tellCaller } from '../channel/channel.ts';
import type { ComponentCall } from '../channel/component-call.ts';
import { GUEST_STOP, type GuestStop } from './guest-stop.ts';

/** Something a guest can wait for. */
export interface Awaitable {
  isReady(): boolean;
  /** When it becomes ready by itself, on the clock of `performance.now`. */
  readonly readyAtMs?: number;
  /** Whether it becomes ready by what the client of the guest's request does. */
  readonly isClients?: boolean;
}

/** What one invocation gives a component. */
export interface HostCall {
  readonly input: Uint8Array;
  readonly arguments: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly passOn?: PassOn | undefined;
  readonly component?: ComponentCall | undefined;
  readonly record?: RunRecord | undefined;
}

export interface HostOptions {
  readonly programName: string;
  readonly limits: Limits;
  readonly capabilities: Capabilities;
}

const NO_CALL: HostCall = { input: NO_BYTES, arguments: [], environment: {} };
const NO_SIGNAL: Int32Array = ownSignal();
/** `Atomics.wait` takes any number; this one is a day. */
const LONGEST_WAIT_MS = 86_400_000;
/** What the host keeps besides content, so that a whole memory can still be an argument. */
const ARGUMENT_SLACK_BYTES = 65_536;
/** A result in the host's memory may take so many times what it takes as it travels: values of one byte become objects. */
const RESULT_FACTOR = 4;
/** Whatever the limits say, values leave this thread's heap room. */
const MOST_VALUE_BYTES = getHeapStatistics().heap_size_limit / 2;

export class Host {
  readonly options: HostOptions;
  readonly mounts: readonly MountedDirectory[];
  readonly stdin: InputBuffer = new InputBuffer();
  readonly stdout: OutputBuffer;
  readonly stderr: OutputBuffer;
  readonly time: TimeSource;
  readonly random: RandomSource;
  call: HostCall = NO_CALL;
  ending: Ending | undefined = undefined;
  /** What the guest has used (run-record.ts). */
  counts: Float64Array = ownCounts();
  /** Descriptors open, standard streams included. */
  openFiles = 0;
  /** Cell 0 is added to and notified by whoever has something for the guest. */
  signal: Int32Array = NO_SIGNAL;
  /** Takes what other threads have sent; set by those who expect something. */
  readonly receivers: Set<() => void> = new Set();
  /** What is given back at the end: descriptors, requests under way. */
  readonly held: Set<{ release(): void }> = new Set();
  #resources = 0;
  #stopped = false;
  /** Bytes taken for the arguments of one host function, and for the result of one call. */
  #argumentBytes = 0;
  #resultBytes = 0;
  #resultContentBytes = 0;

  constructor(options: HostOptions, mounts: readonly MountedDirectory[]) {
    const { limits, capabilities } = options;
    this.options = options;
    this.mounts = mounts;
    this.stdout = new OutputBuffer('outputBytes', limits.outputBytes);
    this.stderr = new OutputBuffer('stderrBytes', limits.stderrBytes);
    this.time = new TimeSource(capabilities.clocks);
    this.random = new RandomSource(capabilities.random);
  }

  begin(call: HostCall): void {
    this.call = call;
    this.ending = undefined;
    this.#stopped = false;
    if (call.record !== undefined) this.counts = call.record.counts;
    this.counts.fill(0);
    this.#argumentBytes = 0;
    this.#resultBytes = 0;
    this.#resultContentBytes = 0;
    this.random.restart();
    this.stdin.reset(call.input, this.counts);
    this.stdout.reset(call.record?.stdout, call.passOn?.stdout);
    this.stderr.reset(call.record?.stderr, call.passOn?.stderr);
    call.record?.begin();
    const channel = call.component?.channel;
    this.signal = channel === undefined ? ownSignal() : guestSignal(channel);
  }

  /** Calls from the guest. */
  get hostCalls(): number {
    return this.counts[COUNT.hostCalls] as number;
  }

  /** Takes note of bytes read of a request's body. */
  readBody(sizeBytes: number): void {
    this.counts[COUNT.bodyBytes] = (this.counts[COUNT.bodyBytes] as number) + sizeBytes;
  }

  /** Gives back what the guest left open and lets go of the input. */
  end(): void {
    for (const each of this.held) each.release();
    this.held.clear();
    this.receivers.clear();
    this.openFiles = 0;
    this.stdin.release();
  }

  /** Called first by each host function. */
  enter(): void {
    // A guest with exception handling can catch what ends it: it gets no further.
    if (this.#stopped) throw GUEST_STOP;
    this.counts[COUNT.hostCalls] = this.hostCalls + 1;
  }

  /** Ends the guest: the caller throws what this answers. */
  stop(ending: Ending): GuestStop {
    this.ending ??= ending;
    this.#stopped = true;
    return GUEST_STOP;
  }

  /** Ends the guest where the manifest asks for that; returns where it is to get an error. */
  deny(capability: string): void {
    if (this.options.capabilities.denial === 'end') throw this.stop({ kind: 'denied', capability });
  }

  /** Counts a resource the guest was handed: each takes memory of the machine's. */
  hold(): void {
    const allowed = this.options.limits.resources;
    if (++this.#resources > allowed) throw this.stop({ kind: 'limit', limit: 'resources', allowed });
  }

  drop(): void {
    this.#resources--;
  }

  /** A host function is called, whose arguments come now. */
  beginArguments(): void {
    this.#argumentBytes = 0;
  }

  /** Counts what an argument takes of the host before it is made: for one function at most what the guest's memory may take. */
  countArgument(sizeBytes: number): void {
    const allowed = this.options.limits.memoryBytes;
    this.#argumentBytes += sizeBytes;
    if (this.#argumentBytes > Math.min(allowed + ARGUMENT_SLACK_BYTES, MOST_VALUE_BYTES))
      throw this.stop({ kind: 'limit', limit: 'memoryBytes', allowed });
  }

  /** Counts what a result takes of the host before it is made: its strings and numbers travel as they are. */
  countResult(aroundBytes: number, contentBytes: number): void {
    const { outputBytes } = this.options.limits;
    this.#resultBytes += aroundBytes;
    this.#resultContentBytes += contentBytes;
    const takenBytes = this.#resultBytes + this.#resultContentBytes;
    const isTooMuch = takenBytes > Math.min(RESULT_FACTOR * outputBytes, MOST_VALUE_BYTES);
    if (isTooMuch || this.#resultContentBytes > outputBytes) throw this.stopForResult();
  }

  /** Ends a guest whose result is too large. */
  stopForResult(): GuestStop {
    return this.stop({ kind: 'limit', limit: 'outputBytes', allowed: this.options.limits.outputBytes });
  }

  /** Bytes the guest has read of its input, its request's body included. */
  get inputBytes(): number {
    return this.stdin.bytesRead + (this.counts[COUNT.bodyBytes] as number);
  }

  nowNs(): bigint {
    return this.time.nowNs(CLOCKID.realtime);
  }

  /** Waits until one of them is ready. Nothing else in the thread happens meanwhile. */
  wait(awaited: readonly Awaitable[]): void {
    const isHopeless = this.call.component?.channel === undefined;
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
      if (isHopeless && untilMs === Infinity && this.receivers.size === 0) {
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
