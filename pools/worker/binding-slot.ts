/**
 * What a worker and its pool share for calls of bindings. A line tells the pool which slots it has to look at; a slot is the
 * memory of one call after the other: what is asked, then the answer in its place. What does not fit travels in a room beside
 * it, which the worker makes and tells of over the port: with a request, or when the pool says how long an answer is. It is kept
 * for later calls, until a longer one takes its place.
 */

/** Slots that the pool may not have looked at, those that were forgotten among them. */
const PLACES = 1024;

/** Slots told of so far, those looked at; behind them their numbers in order. */
const TOLD = 0;
const SEEN = 1;
const ORDER = 2;

/** The memory of a line. */
export function createLine(): SharedArrayBuffer {
  return new SharedArrayBuffer((ORDER + PLACES) * 4);
}

/** Cells of a slot. `signal` comes first: it changes with each answer, and a guest waits for that. */
const CELL = { signal: 0, state: 1, run: 2, index: 3, length: 4, isBlocking: 5, isAtOnce: 6 } as const;
const HEAD_BYTES = 32;
/** Bytes that a slot holds. */
export const SLOT_BYTES = 4096;

/** What a slot is about. `later`: there is no answer yet. `wanted`: it is too long, and the pool waits for a room that holds it. */
export const SLOT = { idle: 0, asked: 1, later: 2, answered: 3, failed: 4, wanted: 5 } as const;

/** What a worker tells of a slot over the port: its memory, another room beside it, or that it is used no more. */
export interface BindingMessage {
  /** The number of the slot, above 0; they are given in order. */
  readonly binding: number;
  readonly what: 'slot' | 'request' | 'room' | 'forgotten';
  readonly memory?: SharedArrayBuffer;
}

/** The line, from either end. */
export class Line {
  readonly cells: Int32Array;

  constructor(shared: SharedArrayBuffer) {
    this.cells = new Int32Array(shared);
  }

  /** Worker: whether another slot can be told of. */
  get hasRoom(): boolean {
    return (Atomics.load(this.cells, TOLD) - Atomics.load(this.cells, SEEN)) >>> 0 < PLACES;
  }

  /** Worker: has the pool look at a slot. */
  tell(number: number): void {
    const told = Atomics.load(this.cells, TOLD);
    this.cells[ORDER + ((told >>> 0) % PLACES)] = number;
    Atomics.store(this.cells, TOLD, (told + 1) | 0);
    Atomics.notify(this.cells, TOLD);
  }

  /** Pool: how many were told of. */
  get told(): number {
    return Atomics.load(this.cells, TOLD);
  }

  /** Pool: the number of the slot that is to be looked at next; undefined where there is none. */
  get next(): number | undefined {
    const seen = Atomics.load(this.cells, SEEN);
    return seen === this.told ? undefined : this.cells[ORDER + ((seen >>> 0) % PLACES)];
  }

  /** Pool: that one has been looked at. */
  advance(): void {
    Atomics.add(this.cells, SEEN, 1);
  }

  /** Pool: wakes whoever waits for it here. */
  wake(): void {
    Atomics.notify(this.cells, TOLD);
  }
}

/** The memory of a slot, from either end. */
export class SlotMemory {
  readonly shared: SharedArrayBuffer;
  readonly cells: Int32Array;
  readonly bytes: Uint8Array;

  constructor(shared: SharedArrayBuffer = new SharedArrayBuffer(HEAD_BYTES + SLOT_BYTES)) {
    this.shared = shared;
    this.cells = new Int32Array(shared, 0, HEAD_BYTES / 4);
    this.bytes = new Uint8Array(shared, HEAD_BYTES, SLOT_BYTES);
  }

  get signal(): number {
    return Atomics.load(this.cells, CELL.signal);
  }

  /** One of SLOT. */
  get state(): number {
    return Atomics.load(this.cells, CELL.state);
  }

  get run(): number {
    return this.cells[CELL.run] as number;
  }

  get index(): number {
    return this.cells[CELL.index] as number;
  }

  /** Bytes of the request, or of the answer. */
  get length(): number {
    return this.cells[CELL.length] as number;
  }

  get isBlocking(): boolean {
    return this.cells[CELL.isBlocking] === 1;
  }

  /** Whether the binding answered before it returned. */
  get isAtOnce(): boolean {
    return this.cells[CELL.isAtOnce] === 1;
  }

  /** Worker: what is asked. */
  ask(run: number, index: number, length: number, isBlocking: boolean): void {
    this.cells[CELL.run] = run;
    this.cells[CELL.index] = index;
    this.cells[CELL.length] = length;
    this.cells[CELL.isBlocking] = isBlocking ? 1 : 0;
    Atomics.store(this.cells, CELL.state, SLOT.asked);
  }

  /** Pool: what it came to, told to who waits on the slot. */
  say(state: number, length: number, isAtOnce: boolean): void {
    this.cells[CELL.length] = length;
    this.cells[CELL.isAtOnce] = isAtOnce ? 1 : 0;
    Atomics.store(this.cells, CELL.state, state);
    Atomics.add(this.cells, CELL.signal, 1);
    Atomics.notify(this.cells, CELL.signal);
  }
}
