/** The pool's end of calls of bindings by one worker's guests. */

import { bump } from '../../host/component/channel/signal.ts';
import { NO_BYTES } from '../../host/bytes.ts';
import { releaseShared } from '../../host/linux/memory.ts';
import { monotonicNs } from '../../host/monotonic.ts';
import { FAILED } from '../../host/bindings/binding-error.ts';
import { copyBytes, encodeError } from '../../host/bindings/link.ts';
import type { BindingCaller } from '../bindings/bound-call.ts';
import type { BoundCalls } from '../bindings/bound-calls.ts';
import { type BindingMessage, createLine, Line, SLOT, SLOT_BYTES, SlotMemory } from './binding-slot.ts';
import { waitAsync } from '../../host/wait-async.ts';

/** How long a desk keeps the thread at the most, one binding beyond that left out. */
const TURN_NS = 5e5;

/** What a desk needs of its worker's unit. */
export interface DeskOptions {
  readonly calls: BoundCalls;
  /** What the worker's guest waits on with its thread. */
  readonly signal: Int32Array;
  /** The call of a function by its ticket; undefined when it is over. */
  find(ticket: number): BindingCaller | undefined;
}

/** A slot, the room beside it, and an answer that has none yet. */
interface Slot {
  readonly memory: SlotMemory;
  room: Uint8Array<SharedArrayBuffer> | undefined;
  answer: { readonly bytes: Uint8Array; readonly isError: boolean; readonly isAtOnce: boolean } | undefined;
}

/** Runs what the guests of one worker ask. */
export class BindingDesk {
  readonly shared: SharedArrayBuffer = createLine();
  readonly #line: Line = new Line(this.shared);
  readonly #options: DeskOptions;
  readonly #slots: Map<number, Slot> = new Map();
  /** The highest number that was heard of. */
  #highest = 0;
  #isClosed = false;

  constructor(options: DeskOptions) {
    this.#options = options;
    void this.#listen();
  }

  /** Takes what the worker says over its port. */
  hear({ binding, what, memory }: BindingMessage): void {
    if (this.#isClosed) return;
    if (what === 'slot' && memory !== undefined) {
      this.#highest = binding;
      this.#slots.set(binding, { memory: new SlotMemory(memory), room: undefined, answer: undefined });
      this.#look();
      return;
    }
    const slot = this.#slots.get(binding);
    if (slot === undefined) return;
    if (what === 'forgotten') {
      this.#slots.delete(binding);
      giveBack(slot);
    } else if (memory !== undefined) {
      slot.room = new Uint8Array(memory);
      if (what === 'request') this.#runSlot(slot);
      else this.#fill(slot);
    }
  }

  /** The worker asks nothing any more. */
  close(): void {
    this.#isClosed = true;
    for (const slot of this.#slots.values()) giveBack(slot);
    this.#slots.clear();
    this.#line.wake();
  }

  async #listen(): Promise<void> {
    let beganNs = monotonicNs();
    while (!this.#isClosed) {
      const { told } = this.#line;
      this.#look();
      const waited = waitAsync(this.#line.cells, 0, told);
      if (waited.async) await waited.value;
      else if (monotonicNs() - beganNs < TURN_NS) continue;
      // Guests that ask and ask would keep this thread from its timers.
      else await new Promise((resolve) => setImmediate(resolve));
      beganNs = monotonicNs();
    }
  }

  #look(): void {
    for (let number = this.#line.next; number !== undefined; number = this.#line.next) {
      // Its memory is still on its way over the port, and it is looked at again with that.
      if (this.#isClosed || number > this.#highest) return;
      this.#line.advance();
      const slot = this.#slots.get(number);
      if (slot?.memory.state === SLOT.asked) this.#runSlot(slot);
    }
  }

  #runSlot(slot: Slot): void {
    const { length, bytes } = slot.memory;
    const asked = length > SLOT_BYTES ? (slot.room ?? NO_BYTES) : bytes;
    this.#run(slot, asked.slice(0, length));
  }

  #run(slot: Slot, bytes: Uint8Array): void {
    const { memory } = slot;
    const { calls } = this.#options;
    const caller = this.#options.find(memory.run);
    // Whoever ended the call ends its guest, too.
    if (caller === undefined || caller.isSettled) {
      memory.say(SLOT.later, 0, false);
      return;
    }
    let hasAnswered = false;
    calls.start(caller, memory.index, bytes, (answer, isError, isAtOnce) => {
      hasAnswered = true;
      if (answer.length > SLOT_BYTES) {
        slot.answer = { bytes: answer, isError, isAtOnce };
        if (slot.room !== undefined && answer.length <= slot.room.length) this.#fill(slot);
        else this.#say(slot, SLOT.wanted, answer.length, isAtOnce);
        return;
      }
      copyBytes(answer, 0, answer.length, memory.bytes);
      this.#say(slot, isError ? SLOT.failed : SLOT.answered, answer.length, isAtOnce);
    });
    // Its slot may be about the next call by now where it has.
    if (!hasAnswered) memory.say(SLOT.later, 0, false);
  }

  #fill(slot: Slot): void {
    const { answer, room } = slot;
    slot.answer = undefined;
    if (answer === undefined) return;
    if (room === undefined || answer.bytes.length > room.length) {
      const error = encodeError(FAILED, 'the answer has no room');
      copyBytes(error, 0, error.length, slot.memory.bytes);
      this.#say(slot, SLOT.failed, error.length, answer.isAtOnce);
      return;
    }
    room.set(answer.bytes);
    this.#say(slot, answer.isError ? SLOT.failed : SLOT.answered, answer.bytes.length, answer.isAtOnce);
  }

  #say({ memory }: Slot, state: number, length: number, isAtOnce: boolean): void {
    memory.say(state, length, isAtOnce);
    if (memory.isBlocking) bump(this.#options.signal, 0);
  }
}

/** Nobody reads what is in its room any more. */
function giveBack({ room }: Slot): void {
  if (room !== undefined) releaseShared(room.buffer);
}
