/**
 * Where the pool leaves requests for a worker: shared memory, one record for each of the worker's slots, and their order. A
 * worker that is awake finds them by itself; one that sleeps is called over the port, which costs more than most guests do.
 */

import { NO_BYTES } from '../../host/bytes.ts';
import { SLOTS } from './messages.ts';

/** Input that a record holds, with the head of a request before it; more travels over the port. */
export const INPUT_BYTES = 2048;

/** Requests in order that the worker has not looked at, those that were taken back among them. */
const PLACES = 512;

/** Words of the head: requests left and looked at so far, and whether the worker is awake or has been called. */
const LEFT = 0;
const SEEN = 1;
const AWAKE = 2;
/** Behind them, for each place: slot, ticket, and whether the request itself travels over the port. */
const ORDER = 3;
const ORDER_WORDS = 3;
const HEAD_WORDS = ORDER + PLACES * ORDER_WORDS;
/** The records begin at a multiple of eight. */
const HEAD_BYTES = Math.ceil((HEAD_WORDS * 4) / 8) * 8;

/** Fields of a record: number of the function, time of the call, bytes of input, bytes of a head, number of its channel. */
const FIELDS = 5;
const FIELDS_BYTES = SLOTS * FIELDS * 8;
const SIZE_BYTES = HEAD_BYTES + FIELDS_BYTES + SLOTS * INPUT_BYTES;

/** What every call has: when it was called, and its input. */
export interface CallRecord {
  readonly calledNs: number;
  readonly input: Uint8Array;
}

/** A request for a component: its head as text, and the number of the channel that its answer goes over. */
export interface HandlerRecord {
  readonly head: string;
  readonly channelNumber: number;
}

/** Either end of a box. A slot must not be used again before its request was answered or taken back. */
export class RequestBox {
  readonly buffer: SharedArrayBuffer;
  readonly #head: Int32Array;
  readonly #fields: Float64Array;
  readonly #input: Buffer;
  /** Requests left or looked at so far at this end, modulo 2^32. */
  #count = 0;

  /** What `next` found. */
  slot = 0;
  ticket = 0;
  isPosted = false;

  constructor(buffer: SharedArrayBuffer = new SharedArrayBuffer(SIZE_BYTES)) {
    this.buffer = buffer;
    this.#head = new Int32Array(buffer, 0, HEAD_WORDS);
    this.#fields = new Float64Array(buffer, HEAD_BYTES, SLOTS * FIELDS);
    this.#input = Buffer.from(buffer, HEAD_BYTES + FIELDS_BYTES);
  }

  /**
   * Pool: whether a request can be left behind others. One place more is kept for a worker that has none to run, which is
   * not asked: its last answer says that it has looked at all places before.
   */
  get hasRoom(): boolean {
    return (this.#count - Atomics.load(this.#head, SEEN)) >>> 0 < PLACES - 1;
  }

  /** Pool: leaves a request; `input` has INPUT_BYTES at most, together with the head of `handler` in UTF-8. */
  leave(
    slot: number,
    ticket: number,
    functionNumber: number,
    { calledNs, input }: CallRecord,
    handler?: HandlerRecord,
  ): void {
    const from = slot * INPUT_BYTES;
    const headBytes = handler === undefined ? 0 : this.#input.write(handler.head, from, INPUT_BYTES, 'utf8');
    const at = slot * FIELDS;
    this.#fields[at] = functionNumber;
    this.#fields[at + 1] = calledNs;
    this.#fields[at + 2] = input.length;
    this.#fields[at + 3] = headBytes;
    this.#fields[at + 4] = handler?.channelNumber ?? 0;
    if (input.length > 0) this.#input.set(input, from + headBytes);
    this.#order(slot, ticket, 0);
  }

  /** Pool: keeps the place of a request that was posted. */
  leavePosted(slot: number, ticket: number): void {
    this.#order(slot, ticket, 1);
  }

  #order(slot: number, ticket: number, posted: number): void {
    const at = ORDER + (this.#count % PLACES) * ORDER_WORDS;
    this.#head[at] = slot;
    this.#head[at + 1] = ticket;
    this.#head[at + 2] = posted;
    this.#count = (this.#count + 1) >>> 0;
    // What was written before it is seen by whoever reads it.
    Atomics.store(this.#head, LEFT, this.#count | 0);
  }

  /** Pool: whether a worker sees what was left only when it is called. */
  get isAsleep(): boolean {
    return Atomics.load(this.#head, AWAKE) === 0;
  }

  /** Pool: whether the worker must be called, now that a request was left; it counts as called from then on. */
  mustCall(): boolean {
    return Atomics.exchange(this.#head, AWAKE, 1) === 0;
  }

  /** Worker: whether a request was left that it has not looked at. */
  get hasNext(): boolean {
    return Atomics.load(this.#head, LEFT) >>> 0 !== this.#count;
  }

  /** Worker: looks at the next request, whose slot and ticket are then here; false when there is none. */
  next(): boolean {
    if (!this.hasNext) return false;
    const at = ORDER + (this.#count % PLACES) * ORDER_WORDS;
    this.slot = this.#head[at] as number;
    this.ticket = this.#head[at + 1] as number;
    this.isPosted = this.#head[at + 2] === 1;
    this.#count = (this.#count + 1) >>> 0;
    Atomics.store(this.#head, SEEN, this.#count | 0);
    return true;
  }

  /** Worker: goes to sleep; false when a request came meanwhile that nobody will call it for. */
  sleep(): boolean {
    Atomics.store(this.#head, AWAKE, 0);
    return !this.hasNext || Atomics.exchange(this.#head, AWAKE, 1) === 1;
  }

  /** Worker: the record of a request that it has claimed. */
  functionNumber(slot: number): number {
    return this.#fields[slot * FIELDS] as number;
  }

  calledNs(slot: number): number {
    return this.#fields[slot * FIELDS + 1] as number;
  }

  /** Worker: the input, in a copy of its own. */
  input(slot: number): Uint8Array {
    const sizeBytes = this.#fields[slot * FIELDS + 2] as number;
    if (sizeBytes === 0) return NO_BYTES;
    const from = slot * INPUT_BYTES + (this.#fields[slot * FIELDS + 3] as number);
    // `slice` of a Buffer would be a view.
    return Uint8Array.prototype.slice.call(this.#input, from, from + sizeBytes);
  }

  /** Worker: the head of a request for a component, and its channel's number; undefined for other calls. */
  handler(slot: number): HandlerRecord | undefined {
    const headBytes = this.#fields[slot * FIELDS + 3] as number;
    if (headBytes === 0) return undefined;
    const head = this.#input.toString('utf8', slot * INPUT_BYTES, slot * INPUT_BYTES + headBytes);
    return { head, channelNumber: this.#fields[slot * FIELDS + 4] as number };
  }
}
