/**
 * What one guest holds of the host while it runs, whatever version of WASI it speaks: its streams, clocks, randomness and
 * mounts, what it has used, and how it ended. One per micro-VM, put back by `begin` for each invocation. A version of WASI
 * is a class over it: preview1/context.ts, component/world/host.ts.
 */

import type { Capabilities } from '../../capabilities/capabilities.ts';
import { TimeSource } from '../../capabilities/clocks/time-source.ts';
import { RandomSource } from '../../capabilities/random/random-source.ts';
import type { GuestSources, MountedDirectory } from '../../filesystem/mount.ts';
import type { Limits } from '../../limits.ts';
import type { Ending } from '../../outcome.ts';
import type { CallStreams } from '../../streams.ts';
import type { PassOn } from '../../pass-on.ts';
import { CLOCKID } from '../clock-id.ts';
import { ERRNO } from '../errno.ts';
import type { Account } from './account.ts';
import { COUNT } from './record-layout.ts';
import { ownCounts, type RunRecord } from './run-record.ts';
import { InputBuffer, OutputBuffer } from './stdio.ts';

/** What a guest is given once, for all of its invocations. */
export interface SessionOptions {
  /** What the guest finds before its arguments. */
  readonly programName: string;
  readonly limits: Limits;
  readonly capabilities: Capabilities;
  /** What a guest whose code counts units may use. */
  readonly account?: Account | undefined;
}

/** What one invocation gives a guest, whatever version of WASI it speaks. */
export interface SessionCall {
  readonly input: Uint8Array;
  readonly arguments: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** Where what it writes goes as it comes. */
  readonly passOn?: PassOn | undefined;
  /** What of stdin and stdout travels over a channel while it runs. */
  readonly streams?: CallStreams | undefined;
  /** Where it is kept what the guest writes and uses, in place of memory of the guest's own. */
  readonly record?: RunRecord | undefined;
  /** The number that whoever runs bindings keeps the call under, where no record has it. */
  readonly run?: number;
}

/** Calls of the host after which a guest that counts units is asked about: those are a tenth of a millisecond, or ten of slow ones. */
const CALLS_UNASKED = 16;

/** Randomness drawn before the guest is asked about again; 8 bytes are one unit, and the units of its call stand for a little. */
const DRAWN_BYTES = 65_536;
const DRAWN_BYTES_PER_UNIT = 8;
const UNCHARGED_BYTES = 256;

const EXIT_OK: Ending = Object.freeze({ kind: 'ok' });

/** The state that the host functions of one guest share. `Stop` is what is thrown through the guest to end it. */
export class Session<Stop extends object> {
  readonly options: SessionOptions;
  readonly mounts: readonly MountedDirectory[];
  readonly stdin: InputBuffer = new InputBuffer();
  readonly stdout: OutputBuffer;
  readonly stderr: OutputBuffer;
  readonly time: TimeSource;
  readonly random: RandomSource;
  /** Whether the guest drew randomness or asked a clock since `begin`: what its snapshot must not hold unsaid. */
  readonly reads: { random: boolean; clock: boolean } = { random: false, clock: false };
  /** Times of files are the guest's clock's: a fixed clock must not be told apart from them. So is what devices give. */
  readonly sources: GuestSources = {
    nowNs: () => this.time.nowNs(CLOCKID.realtime),
    fillRandom: (target) => this.fillRandom(target, 0, target.length),
  };
  arguments: readonly string[] = [];
  environment: Readonly<Record<string, string>> = {};
  /** How the guest ended itself, set before it is stopped; undefined while it runs and when it returned. */
  ending: Ending | undefined = undefined;
  /** What the guest has used, by `COUNT`: in the memory of a record, or in its own. */
  counts: Float64Array = ownCounts();
  readonly #account: Account | undefined;
  readonly #stopSignal: Stop;
  #isStopped = false;

  /** @param stopSignal what `stop` returns: each version of WASI needs another */
  constructor(options: SessionOptions, mounts: readonly MountedDirectory[], stopSignal: Stop) {
    const { limits, capabilities } = options;
    this.options = options;
    this.#account = options.account;
    this.mounts = mounts;
    this.stdout = new OutputBuffer('outputBytes', limits.outputBytes);
    this.stderr = new OutputBuffer('stderrBytes', limits.stderrBytes);
    this.time = new TimeSource(capabilities.clocks);
    this.random = new RandomSource(capabilities.random);
    this.#stopSignal = stopSignal;
  }

  /** Puts everything back for an invocation of a guest whose memory has so many bytes. */
  begin(call: SessionCall, memoryBytes: number = 0): void {
    const { record, passOn } = call;
    this.ending = undefined;
    this.#isStopped = false;
    this.arguments = call.arguments;
    this.environment = call.environment;
    if (record !== undefined) this.counts = record.counts;
    const { counts } = this;
    counts[COUNT.hostCalls] = 0;
    counts[COUNT.inputBytes] = 0;
    counts[COUNT.bodyBytes] = 0;
    counts[COUNT.memoryBytes] = memoryBytes;
    this.reads.random = false;
    this.reads.clock = false;
    this.random.restart();
    this.stdin.reset(call.input, counts);
    this.stdout.reset(record?.stdout, passOn?.stdout);
    this.stderr.reset(record?.stderr, passOn?.stderr);
    record?.begin();
  }

  /** Lets go of the input. What the guest wrote, what it used and how it ended stay until the next `begin`. */
  end(): void {
    this.stdin.release();
  }

  /** Calls from the guest since `begin`. */
  get hostCalls(): number {
    return this.counts[COUNT.hostCalls] as number;
  }

  /** Called first by each host function. */
  enter(): void {
    // A guest with exception handling can catch what stops it: it gets no further.
    if (this.#isStopped) throw this.#stopSignal;
    const calls = this.hostCalls + 1;
    this.counts[COUNT.hostCalls] = calls;
    if (this.#account !== undefined && calls % CALLS_UNASKED === 0) this.ask();
  }

  /** In place of `enter`, of a host function that alone may take long whatever it is given. */
  enterLong(): void {
    this.enter();
    this.ask();
  }

  /** Ends a guest that counts units where it may not go on: its own code asks only for each grant. Costs it no units. */
  ask(): void {
    const ending = this.#account?.check();
    if (ending !== undefined) throw this.stop(ending);
  }

  /**
   * Charges a guest that counts units for what a host function is given to do beyond the units of any call, which depend on
   * what the guest gave and on nothing else; ends it where it may not go on.
   */
  spend(units: number): void {
    if (this.#account === undefined || this.#account.charge(Math.floor(units))) return;
    this.#isStopped = true;
    throw this.#stopSignal;
  }

  /**
   * Ends the guest: the host function throws what this returns. It is thrown there because each JavaScript frame between
   * throw and guest adds to what it costs (1.4 us from the host function itself, 3.2 us from one frame below).
   */
  stop(ending: Ending): Stop {
    this.ending ??= ending;
    this.#isStopped = true;
    return this.#stopSignal;
  }

  /** Whether something has ended the guest, which may not have noticed. */
  get isStopped(): boolean {
    return this.#isStopped;
  }

  /** Ends the guest by its own exit; `exitCode` 0 is a success. To be thrown, as by `stop`. */
  exit(exitCode: number): Stop {
    return this.stop(exitCode === 0 ? EXIT_OK : { kind: 'exit', exitCode });
  }

  /** Ends a guest that has written more to a stream than its limit. To be thrown, as by `stop`. */
  stopForOutput({ limit, limitBytes }: OutputBuffer): Stop {
    return this.stop({ kind: 'limit', limit, allowed: limitBytes });
  }

  /** The guest lacks a capability: ends it where the manifest asks for that, and returns where it is to get an error. */
  deny(capability: string): void {
    if (this.options.capabilities.denial === 'end') throw this.stop({ kind: 'denied', capability });
  }

  /** Passes an errno on; one that says a capability is missing is a denial. */
  settle(errno: number, capability: string): number {
    if (errno === ERRNO.notcapable || errno === ERRNO.rofs) this.deny(capability);
    return errno;
  }

  /** Time of a `clockid` in nanoseconds, or -1n when there is no such clock. */
  readClock(clock: number): bigint {
    this.reads.clock = true;
    return this.time.nowNs(clock);
  }

  /** Fills `length` bytes from `position` on with randomness; they must be inside. */
  fillRandom(bytes: Uint8Array, position: number, length: number): void {
    this.reads.random = true;
    if (this.#account === undefined || length <= UNCHARGED_BYTES) {
      this.random.draw(bytes, position, length);
      return;
    }
    for (let done = 0; done < length; done += DRAWN_BYTES) {
      const drawn = Math.min(DRAWN_BYTES, length - done);
      this.spend(drawn / DRAWN_BYTES_PER_UNIT);
      this.random.draw(bytes, position + done, drawn);
    }
  }
}
