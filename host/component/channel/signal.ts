/** How the two sides of a channel wake each other, and what they tell each other by a cell alone. */

import { CELL, CELLS } from './channel.ts';
import { waitAsync } from '../../wait-async.ts';

/** Adds to a cell and wakes whoever waits for it to change. */
export function bump(cells: Int32Array, cell: number): void {
  Atomics.add(cells, cell, 1);
  Atomics.notify(cells, cell);
}

/** The cells a guest waits on: the first is bumped whenever something happened for it. */
export function guestSignal(channel: SharedArrayBuffer): Int32Array {
  return new Int32Array(channel, CELL.guestSignal * 4, CELLS);
}

/** The same for a guest that has no channel: others may bump it, and nobody stops it. */
export function ownSignal(): Int32Array {
  return new Int32Array(new SharedArrayBuffer(CELLS * 4));
}

/** What a guest does: it runs, or it waits for its caller and for nothing else. */
export const GUEST = { running: 0, waitingForCaller: 1 } as const;

/** Tells the caller what its guest does. */
export function tellCaller(signal: Int32Array, state: number): void {
  Atomics.store(signal, CELL.guest, state);
}

/** Whether the caller wants the guest stopped. */
export function isToStop(signal: Int32Array): boolean {
  return Atomics.load(signal, CELL.stop) !== 0;
}

/** The caller's side of waiting: look at `seen`, look for work, and wait if there was none. */
export class CallerSignal {
  readonly #cells: Int32Array;

  constructor(channel: SharedArrayBuffer) {
    this.#cells = new Int32Array(channel, 0, CELLS);
  }

  /** What `changed` is to compare with. */
  seen(): number {
    return Atomics.load(this.#cells, CELL.callerSignal);
  }

  /** Resolves when something has happened since `seen`. */
  async changed(seen: number): Promise<void> {
    await waitAsync(this.#cells, CELL.callerSignal, seen).value;
  }

  /** Whether the guest waits for this side: for a body to go on, or for room in its response. */
  get isAwaited(): boolean {
    return Atomics.load(this.#cells, CELL.guest) === GUEST.waitingForCaller;
  }

  /** Has the guest stop when it next waits, which may be now. */
  stopGuest(): void {
    Atomics.store(this.#cells, CELL.stop, 1);
    bump(this.#cells, CELL.guestSignal);
  }

  /** Wakes whoever waits. */
  wake(): void {
    bump(this.#cells, CELL.callerSignal);
  }
}
