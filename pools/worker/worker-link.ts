/** A worker's end of calls of bindings: what its guests ask, and how they wait for the answer. */

import { copyBytes, type BindingLink, type PendingCall, type Request } from '../../host/bindings/link.ts';
import { doubledBytes, Room } from './binding-room.ts';
import { type BindingMessage, Line, SLOT, SLOT_BYTES, SlotMemory } from './binding-slot.ts';

/** Slots of guests that wait at once. */
const MOST_SLOTS = 1000;
/** After so long, pages of rooms are given back that no call used meanwhile. */
const TRIM_MS = 5_000;

/** What a link needs of its worker. */
export interface WorkerLinkOptions {
  readonly line: SharedArrayBuffer;
  /** What its guest waits on with its thread: whoever stops that guest bumps it, and so do answers. */
  readonly signal: Int32Array;
  send(message: BindingMessage): void;
}

/** The calls of one worker's guests. */
export class WorkerLink implements BindingLink {
  readonly #line: Line;
  readonly #options: WorkerLinkOptions;
  readonly #free: Slot[] = [];
  #slots = 0;
  #numbers = 0;
  /** Functions that answered later when they were last called. */
  readonly #slow: Set<string> = new Set();
  #timer: NodeJS.Timeout | undefined = undefined;
  readonly #trim = (): void => {
    this.#timer = undefined;
    let isFilled = false;
    for (const { room } of this.#free) {
      room.trim();
      isFilled ||= room.isFilled;
    }
    if (isFilled) this.#trimLater();
  };

  constructor(options: WorkerLinkOptions) {
    this.#options = options;
    this.#line = new Line(options.line);
  }

  start(run: number, index: number, name: string, request: Request): PendingCall | undefined {
    if (!this.#line.hasRoom) return undefined;
    const slot = this.#free.pop() ?? this.#add();
    if (slot === undefined) return undefined;
    const { memory, pointer, length, isBlocking } = request;
    slot.begin(name);
    const isLong = length > SLOT_BYTES;
    const made = isLong ? slot.room.make(length) : undefined;
    copyBytes(memory, pointer, length, isLong ? slot.room.bytes : slot.memory.bytes);
    slot.memory.ask(run, index, length, isBlocking);
    if (made === undefined) this.#line.tell(slot.number);
    else this.#options.send({ binding: slot.number, what: 'request', memory: made });
    if (!this.#slow.has(name)) slot.pause();
    return slot;
  }

  #trimLater(): void {
    if (this.#timer === undefined) this.#timer = setTimeout(this.#trim, TRIM_MS).unref();
  }

  #add(): Slot | undefined {
    if (this.#slots >= MOST_SLOTS) return undefined;
    this.#slots++;
    const slot = new Slot(++this.#numbers, {
      signal: this.#options.signal,
      send: (message) => this.#options.send(message),
      taken: (taken, name) => {
        if (taken.memory.isAtOnce) this.#slow.delete(name);
        else this.#slow.add(name);
        this.#free.push(taken);
        if (taken.room.isFilled) this.#trimLater();
      },
      forgotten: (number) => {
        this.#slots--;
        this.#options.send({ binding: number, what: 'forgotten' });
      },
    });
    this.#options.send({ binding: slot.number, what: 'slot', memory: slot.memory.shared });
    return slot;
  }
}

interface SlotOptions {
  readonly signal: Int32Array;
  send(message: BindingMessage): void;
  taken(slot: Slot, name: string): void;
  forgotten(number: number): void;
}

/** One call after the other in the same memory. One that is forgotten is not used again: its answer may still come. */
class Slot implements PendingCall {
  readonly number: number;
  readonly memory: SlotMemory = new SlotMemory();
  /** Where a request or an answer is that does not fit. */
  readonly room: Room = new Room();
  readonly cells: Int32Array = this.memory.cells;
  readonly isOwn = true;
  seen = 0;
  readonly #options: SlotOptions;
  #name = '';
  #isRoomTold = false;

  constructor(number: number, options: SlotOptions) {
    this.number = number;
    this.#options = options;
  }

  begin(name: string): void {
    this.#name = name;
    this.#isRoomTold = false;
    this.seen = this.memory.signal;
  }

  isAnswered(): boolean {
    const { memory } = this;
    this.seen = memory.signal;
    const { state } = memory;
    if (state === SLOT.answered || state === SLOT.failed) return true;
    if (state === SLOT.wanted && !this.#isRoomTold) this.#giveRoom(memory.length);
    return false;
  }

  #giveRoom(length: number): void {
    this.#isRoomTold = true;
    const memory = this.room.make(length);
    if (memory !== undefined) this.#options.send({ binding: this.number, what: 'room', memory });
  }

  /**
   * Waits with the thread until the pool has run the binding, which may have answered by then: no guest is suspended for
   * what answers at once. Without a timeout, which would cost as much as all of the rest.
   */
  pause(): void {
    Atomics.wait(this.memory.cells, 0, this.seen);
  }

  get signal(): Int32Array {
    return this.#options.signal;
  }

  get isError(): boolean {
    return this.memory.state === SLOT.failed;
  }

  get length(): number {
    return this.memory.length;
  }

  take(kept: Uint8Array): Uint8Array {
    const { length } = this.memory;
    const isLong = length > SLOT_BYTES;
    // Whatever the pool wrote there without asking for it counts as used, too.
    if (isLong) this.room.make(length);
    const bytes = isLong ? this.room.bytes : this.memory.bytes;
    this.#options.taken(this, this.#name);
    const target = length <= kept.length ? kept : new Uint8Array(doubledBytes(length));
    copyBytes(bytes, 0, length, target);
    return target;
  }

  forget(): void {
    this.#options.forgotten(this.number);
  }
}
