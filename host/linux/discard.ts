/**
 * Drops the private pages of several ranges of one mapping, which then read as the mapped file. In one system call where
 * the kernel lets a process advise itself so (process_madvise(2), Linux 6.13 and newer), which also clears the translation
 * caches of other cores once and not for each range; else range by range.
 */

import { requireLibc } from './libc.ts';
import { addressOf, discardPages, mapPrivate, memfdCreate, writeFd } from './memory.ts';
import { WASM_PAGE_BYTES } from '../wasm-page.ts';

/** The same number on x86-64 and ARM64. */
const SYS_PROCESS_MADVISE = 440;
const MADV_DONTNEED = 4;
/** PIDFD_SELF_THREAD of <linux/pidfd.h>: this very process, without a descriptor that would have to be closed. */
const PIDFD_SELF = -10_000;

export class DiscardList {
  readonly #ranges: readonly number[];
  /** struct iovec for each range: address and length, 64 bits each. */
  readonly #vector: BigUint64Array;
  readonly #vectorAddress: number;
  readonly #lengthBytes: number;
  readonly #atOnce: boolean;

  /** `ranges` holds address and length in turn. */
  constructor(ranges: readonly number[]) {
    this.#ranges = ranges;
    this.#vector = BigUint64Array.from(ranges, BigInt);
    this.#vectorAddress = addressOf(new Uint8Array(this.#vector.buffer));
    this.#lengthBytes = ranges.reduce((sum, value, at) => (at % 2 === 1 ? sum + value : sum), 0);
    this.#atOnce = ranges.length > 2 && canDiscardAtOnce();
  }

  /** False when the kernel refused, and some range may still be as it was. */
  discard(): boolean {
    return this.#atOnce ? this.discardAtOnce() : this.discardInTurn();
  }

  discardAtOnce(): boolean {
    const address = this.#vectorAddress;
    const count = this.#vector.length / 2;
    const done = requireLibc().processMadvise(SYS_PROCESS_MADVISE, PIDFD_SELF, address, count, MADV_DONTNEED, 0);
    return done === this.#lengthBytes;
  }

  discardInTurn(): boolean {
    const ranges = this.#ranges;
    for (let at = 0; at < ranges.length; at += 2) {
      if (discardPages(ranges[at] as number, ranges[at + 1] as number) !== 0) return false;
    }
    return true;
  }
}

let atOnce: boolean | undefined;

/** Whether several ranges can be dropped in one call; found out once per thread by doing it. */
function canDiscardAtOnce(): boolean {
  if (atOnce !== undefined) return atOnce;
  atOnce = false;
  const fd = memfdCreate('nebula-discard-probe');
  try {
    writeFd(fd, new Uint8Array(WASM_PAGE_BYTES).fill(7), 0);
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 1 });
    const bytes = new Uint8Array(memory.buffer);
    const address = mapPrivate(bytes, WASM_PAGE_BYTES, fd);
    bytes.fill(9);
    const half = WASM_PAGE_BYTES / 2;
    const accepted = new DiscardList([address, half, address + half, half]).discardAtOnce();
    atOnce = accepted && bytes.every((byte) => byte === 7);
    return atOnce;
  } finally {
    requireLibc().close(fd);
  }
}
