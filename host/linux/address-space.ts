/**
 * Counts the memories alive in the process against what its address space holds. V8 reserves 10 GiB for each so that it
 * need not check bounds (backing-store.cc: kFullGuardSize); when the space is full it throws an out-of-memory of its own,
 * which must never happen.
 */

import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { NebulaError } from '../errors.ts';
import { addressBytes, getLimits } from './limits.ts';

const RESERVATION_BYTES = 10 * 2 ** 30;
/** What a process can address on x86-64 and ARM64, less a share for everything else. */
const ADDRESSABLE_BYTES = 2 ** 47 * 0.9;
/** Mappings a memory takes: guard, image, open pages, closed ones, guard; a share of the limit is left for the rest of the process. */
const MAPPINGS_PER_MEMORY = 5;
const MAPPINGS_SHARE = 0.8;

/** What a thread takes besides its guests' memories: V8's heap and code range, and a memory that is tried and dropped. */
const THREAD_BYTES = 2 * 2 ** 30 + RESERVATION_BYTES;

/** Memories this process may have at once, beside what it has already and `threads` threads that are to come. */
export function memoryLimit(threads: number = 1): number {
  const { addressSpaceBytes, maxMapCount } = getLimits();
  const leftBytes = addressSpaceBytes - addressBytes() - threads * THREAD_BYTES;
  const byAddress = Math.min(leftBytes, ADDRESSABLE_BYTES) / RESERVATION_BYTES;
  const byMappings = (maxMapCount * MAPPINGS_SHARE) / MAPPINGS_PER_MEMORY;
  return Math.max(1, Math.floor(Math.min(byAddress, byMappings)));
}

let collect: (() => void) | undefined;

/** Collects this thread's garbage now: the only way to give a memory's reservation back at once. */
export function collectGarbage(): void {
  if (collect === undefined) {
    setFlagsFromString('--expose-gc');
    collect = runInNewContext('gc') as () => void;
  }
  collect();
}

/** Turns of the event loop given to the collector's callbacks, which come after a collection and not during it. */
const RECLAIM_TURNS = 8;

/** Whether V8 could not make a memory: a RangeError of `new WebAssembly.Memory` and `new WebAssembly.Instance`. */
function isOutOfMemory(error: unknown): boolean {
  return error instanceof RangeError && /could not allocate memory|out of memory/i.test(error.message);
}

function refused(name: string, detail: string): NebulaError {
  return new NebulaError('ADDRESS_SPACE', { name, detail });
}

/** Collects this thread's garbage until it is enough, and waits for the callbacks. */
async function collectUntil(isEnough: () => boolean): Promise<void> {
  // What stacks of suspended guests referred to is garbage only once those are collected.
  for (let round = 0; round < 2; round++) {
    collectGarbage();
    for (let turn = 0; turn < RECLAIM_TURNS; turn++) {
      if (isEnough()) return;
      await setImmediate();
    }
  }
}

/** One thread's view of the count that all threads share. */
export class AddressSpace {
  readonly limit: number;
  readonly #live: Int32Array;
  readonly #own: Int32Array;
  readonly #collected: FinalizationRegistry<undefined>;

  /**
   * `shared` holds one Int32, the memories alive in the process; `own` one of this thread alone, so that whoever outlives
   * the thread can take its share out of the count.
   */
  constructor(shared: SharedArrayBuffer, limit: number, own: SharedArrayBuffer = new SharedArrayBuffer(4)) {
    this.#live = new Int32Array(shared);
    this.#own = new Int32Array(own);
    this.limit = limit;
    this.#collected = new FinalizationRegistry(() => this.cancel());
  }

  /** Memories made and not yet collected, in all threads. */
  get live(): number {
    return Atomics.load(this.#live, 0);
  }

  /** Takes places for memories about to be made; false when there are not as many, and then none is taken. */
  acquire(count: number = 1): boolean {
    if (Atomics.add(this.#live, 0, count) + count > this.limit) {
      Atomics.sub(this.#live, 0, count);
      return false;
    }
    Atomics.add(this.#own, 0, count);
    return true;
  }

  /** Gives back places that no memory took. */
  cancel(count: number = 1): void {
    Atomics.sub(this.#live, 0, count);
    Atomics.sub(this.#own, 0, count);
  }

  /**
   * Has something made that has `count` memories. Their places are taken before V8 reserves anything, and come back as the
   * memories are collected.
   * @throws NebulaError ADDRESS_SPACE, with the name of the function that they are for; whatever `make` throws
   */
  hold<T>(name: string, count: number, make: () => T, memoriesOf: (made: T) => readonly WebAssembly.Memory[]): T {
    if (count === 0) return make();
    if (!this.acquire(count)) throw this.refusal(name);
    let made: T;
    try {
      made = make();
    } catch (error) {
      // V8 may have made some before it failed, and nobody can name them.
      collectGarbage();
      this.cancel(count);
      // Others in the process take addresses as well.
      throw isOutOfMemory(error) ? refused(name, 'the process has no address space left for its memory') : error;
    }
    for (const memory of memoriesOf(made)) this.track(memory);
    return made;
  }

  /** What a function is told when `acquire` has answered false. */
  refusal(name: string): NebulaError {
    const { live, limit } = this;
    return refused(name, `${live} of ${limit} memories are in use`);
  }

  /** Has the memory's place come back when it is collected. */
  track(memory: WebAssembly.Memory): void {
    this.#collected.register(memory, undefined);
  }

  /** Collects what nothing refers to any more. Takes milliseconds: only for when `acquire` has failed. */
  async reclaim(): Promise<void> {
    // A guest that can be suspended takes a place for its stack, too.
    await collectUntil(() => this.live + 1 < this.limit);
  }
}

/** For what is made outside of the executors' count: it always has room. */
export const UNCOUNTED: AddressSpace = new AddressSpace(new SharedArrayBuffer(4), Infinity);
