/**
 * File descriptors that end with their thread. A deadline terminates a worker in the middle of a call, and what it had
 * opened through libc would stay open in the process for ever. Node closes the fds it opened itself when a worker ends,
 * so each fd made here is moved onto a number that Node opened: a slot.
 *
 * V8 terminates at function entries and loop ends only; between the open and the move there are none.
 */

import { closeSync, openSync } from 'node:fs';
import { constants } from 'node:os';
import { isMainThread } from 'node:worker_threads';
import { HOW, HOW_BYTES, OPEN, setHow, SYSCALL } from './files.ts';
import { requireLibc } from './libc.ts';

/** Slots kept for the next call, so that a path call opens nothing through Node. */
const FREE_SLOTS = 16;
const NO_SLOT = -1;

const freeSlots: number[] = [];
let placeholder = NO_SLOT;

/**
 * The main thread is never terminated, and there an fd is its own slot. But its guest is, at a deadline, in the middle
 * of a host function: so what was opened is kept here with what it was opened for.
 */
const openFds: Map<number, object> = new Map();
const NOTHING: object = {};
let owner: object = NOTHING;
/** The fd opened last until it is in `openFds`. V8 may terminate at a call, as `set` is one, and not at a store. */
const NEWEST: Int32Array = Int32Array.of(NO_SLOT);

/** What is opened from now on is opened for `next`. */
export function openFor(next: object): void {
  keepNewest();
  owner = next;
}

/** Closes what was opened for `given` and not closed. Whatever still holds one of these fds must be gone. */
export function closeOpenedFor(given: object): void {
  keepNewest();
  for (const [fd, openedFor] of openFds) if (openedFor === given) closeOwned(fd);
}

function keepNewest(): void {
  const newest = NEWEST[0] as number;
  if (newest !== NO_SLOT) openFds.set(newest, owner);
  NEWEST[0] = NO_SLOT;
}

function takeSlot(): number {
  if (isMainThread) {
    return NO_SLOT;
  }
  if (placeholder === NO_SLOT) {
    placeholder = openSync('/', OPEN.path);
  }
  return freeSlots.pop() ?? openSync('/', OPEN.path);
}

/** Gives back an fd that one of the functions here returned. */
export function closeOwned(fd: number): void {
  const libc = requireLibc();
  if (isMainThread) {
    openFds.delete(fd);
    libc.close(fd);
  } else if (freeSlots.length < FREE_SLOTS && libc.dup3(placeholder, fd, OPEN.cloexec) === fd) {
    freeSlots.push(fd);
  } else {
    closeSync(fd);
  }
}

/**
 * Opens beneath a directory as the kernel resolves it (openat2, RESOLVE_BENEATH): the fd, or -errno.
 * `path` ends in NUL. `mode` is for a file that is created, else 0.
 */
export function openBeneath(directory: number, path: Uint8Array, flags: number, mode: number): number {
  const libc = requireLibc();
  const slot = takeSlotOrFail();
  if (slot < NO_SLOT) {
    return slot;
  }
  setHow(flags | OPEN.cloexec, mode);
  const raw = libc.openat2(SYSCALL.openat2, directory, path, HOW, HOW_BYTES);
  if (raw < 0) {
    return abandon(slot);
  }
  if (slot === NO_SLOT) {
    NEWEST[0] = raw;
    keepNewest();
    return raw;
  }
  const moved = libc.dup3(raw, slot, OPEN.cloexec);
  libc.close(raw);
  return moved < 0 ? abandon(slot) : moved;
}

/** Opens one name in a directory (openat): the fd, or -errno. `name` ends in NUL. */
export function openIn(directory: number, name: Uint8Array, flags: number, mode: number): number {
  const libc = requireLibc();
  const slot = takeSlotOrFail();
  if (slot < NO_SLOT) {
    return slot;
  }
  const allFlags = flags | OPEN.cloexec;
  const raw = libc.openat(directory, name, allFlags, mode);
  if (raw < 0) {
    return abandon(slot);
  }
  if (slot === NO_SLOT) {
    NEWEST[0] = raw;
    keepNewest();
    return raw;
  }
  const moved = libc.dup3(raw, slot, OPEN.cloexec);
  libc.close(raw);
  return moved < 0 ? abandon(slot) : moved;
}

/** Opens a path of the machine by Node, which names its errors as LinuxError does. @throws an error of node:fs */
export function openMachine(path: string, flags: number): number {
  return openSync(path, flags | OPEN.cloexec);
}

function takeSlotOrFail(): number {
  try {
    return takeSlot();
  } catch (error) {
    return (error as NodeJS.ErrnoException).errno ?? -constants.errno.EMFILE;
  }
}

/** Keeps the slot for the next call and returns -errno of the call that failed. */
function abandon(slot: number): number {
  const errno = requireLibc().errno();
  if (slot !== NO_SLOT) {
    freeSlots.push(slot);
  }
  return -errno;
}
