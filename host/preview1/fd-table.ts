/** The guest's descriptors by number. Slots are reused between invocations. */

import type { Descriptor } from '../filesystem/descriptor.ts';
import { ERRNO } from '../wasi/errno.ts';

const KEPT_SLOTS = 64;

/**
 * Which descriptor each number stands for; at most as many are open as `limits.openFiles` says. Source: WASI preview1,
 * docs.md#fd.
 */
export class FdTable {
  readonly #slots: (Descriptor | undefined)[] = [];
  readonly #limit: number;
  #open = 0;

  /** `limit`: descriptors that may be open at once. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** The descriptor of a number (u32), or undefined: errno BADF. */
  get(fd: number): Descriptor | undefined {
    return fd < this.#slots.length ? this.#slots[fd] : undefined;
  }

  /** Whether another descriptor may be opened: otherwise errno MFILE. */
  hasRoom(): boolean {
    return this.#open < this.#limit;
  }

  /** Gives the lowest free number, as POSIX has it. */
  add(descriptor: Descriptor): number {
    const slots = this.#slots;
    let fd = 0;
    while (fd < slots.length && slots[fd] !== undefined) fd++;
    slots[fd] = descriptor;
    this.#open++;
    return fd;
  }

  /** Closes a number and its descriptor. */
  close(fd: number): number {
    const descriptor = this.get(fd);
    if (descriptor === undefined) return ERRNO.badf;
    this.#slots[fd] = undefined;
    this.#open--;
    return release(descriptor);
  }

  /** Moves a descriptor onto an open number, which is closed first. */
  renumber(from: number, to: number): number {
    const moved = this.get(from);
    const replaced = this.get(to);
    if (moved === undefined || replaced === undefined) return ERRNO.badf;
    if (from === to) return ERRNO.success;
    this.#slots[to] = moved;
    this.#slots[from] = undefined;
    this.#open--;
    release(replaced);
    return ERRNO.success;
  }

  /** Closes everything. */
  clear(): void {
    const slots = this.#slots;
    for (let fd = 0; fd < slots.length; fd++) {
      const descriptor = slots[fd];
      if (descriptor === undefined) continue;
      slots[fd] = undefined;
      release(descriptor);
    }
    // Emptying the array would make the next invocation allocate it again.
    if (slots.length > KEPT_SLOTS) slots.length = KEPT_SLOTS;
    this.#open = 0;
  }

  /** Closes everything and puts the standard streams on 0, 1 and 2. */
  reset(stdin: Descriptor, stdout: Descriptor, stderr: Descriptor): void {
    const slots = this.#slots;
    if (this.#open > 0) this.clear();
    slots[0] = stdin;
    slots[1] = stdout;
    slots[2] = stderr;
    this.#open = 3;
  }
}

function release(descriptor: Descriptor): number {
  // A preopen belongs to its mount, which outlives the invocation.
  return descriptor.preopenPath === undefined ? descriptor.close() : ERRNO.success;
}
