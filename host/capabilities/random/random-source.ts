/** The randomness of a guest, as its capabilities have it. */

import { randomFillSync } from 'node:crypto';
import type { RandomCapability } from './schema.ts';

const POOL_BYTES = 4096;
/** Draws up to this size come from the pool: a call into OpenSSL costs more than the bytes. */
const POOLED_BYTES = 256;
/** `randomFillSync` takes less than 2 GiB at once. */
const CHUNK_BYTES = 2 ** 30;

/** The pool of all guests of the thread: each byte is given out once. */
const POOL: Uint8Array = new Uint8Array(POOL_BYTES);
let poolUsed: number = POOL_BYTES;

/**
 * Secure randomness, or a sequence that its seed repeats. Sources: getrandom(2) through OpenSSL; xoshiro128** (below).
 */
export class RandomSource {
  readonly #capability: RandomCapability;
  readonly #state: Uint32Array = new Uint32Array(4);
  #word = 0;
  #wordBytes = 0;

  constructor(capability: RandomCapability) {
    this.#capability = capability;
    this.restart();
  }

  /** Begins the sequence of a seeded source again. */
  restart(): void {
    if (this.#capability.kind === 'secure') return;
    this.#wordBytes = 0;
    seed(this.#state, this.#capability.seed);
  }

  /** Fills `length` bytes from `position` on; they must be inside. */
  draw(bytes: Uint8Array, position: number, length: number): void {
    if (this.#capability.kind === 'seeded') {
      this.#fillSeeded(bytes, position, length);
    } else if (length <= POOLED_BYTES) {
      this.#fillPooled(bytes, position, length);
    } else {
      for (let done = 0; done < length; done += CHUNK_BYTES) {
        randomFillSync(bytes, position + done, Math.min(CHUNK_BYTES, length - done));
      }
    }
  }

  #fillPooled(bytes: Uint8Array, position: number, length: number): void {
    if (poolUsed + length > POOL_BYTES) {
      randomFillSync(POOL);
      poolUsed = 0;
    }
    const start = poolUsed;
    for (let i = 0; i < length; i++) {
      bytes[position + i] = POOL[start + i] as number;
      // What a guest was given must not stay here.
      POOL[start + i] = 0;
    }
    poolUsed = start + length;
  }

  #fillSeeded(bytes: Uint8Array, position: number, length: number): void {
    for (let i = 0; i < length; i++) {
      if (this.#wordBytes === 0) {
        this.#word = next(this.#state);
        this.#wordBytes = 4;
      }
      bytes[position + i] = this.#word & 255;
      this.#word >>>= 8;
      this.#wordBytes--;
    }
  }
}

/** Fills the state with splitmix32 of the seed's 64-bit float pattern. Source: Steele et al., "Fast splittable generators". */
function seed(state: Uint32Array, value: number): void {
  const pattern = new Uint32Array(new Float64Array([value]).buffer);
  let z = ((pattern[0] as number) ^ Math.imul(pattern[1] as number, 0x9e3779b9)) >>> 0;
  for (let i = 0; i < state.length; i++) {
    z = (z + 0x9e3779b9) >>> 0;
    let mixed = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
    mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
    state[i] = mixed ^ (mixed >>> 16);
  }
  // The all-zero state is the one xoshiro never leaves.
  if (state.every((word) => word === 0)) state[0] = 1;
}

/** The next word of xoshiro128**. Source: Blackman and Vigna, "Scrambled linear pseudorandom number generators". */
function next(state: Uint32Array): number {
  let [s0, s1, s2, s3] = state as unknown as [number, number, number, number];
  const scrambled = Math.imul(s1, 5);
  const word = Math.imul((scrambled << 7) | (scrambled >>> 25), 9) >>> 0;
  const shifted = s1 << 9;
  s2 ^= s0;
  s3 ^= s1;
  s1 ^= s2;
  s0 ^= s3;
  state[0] = s0;
  state[1] = s1;
  state[2] = s2 ^ shifted;
  state[3] = (s3 << 11) | (s3 >>> 21);
  return word;
}
