/**
 * Where a worker leaves its answers for the pool: shared memory, one record for each of the worker's slots. An answer is
 * there for the pool to take from the moment its guest has ended, whatever the worker does next, and also when it is ended.
 * The pool is called over the port only when it was not called already: under load it takes many answers for one message.
 */

import { noOutput } from '../../host/bytes.ts';
import type { Outcome, Start, Usage } from '../../host/outcome.ts';
import { loadWasmPhases, storeWasmPhases, WASM_PHASES } from '../../host/phases.ts';
import { SLOTS } from './messages.ts';

/** Output that a record holds, stdout and stderr together; more travels over the port. */
export const OUTPUT_BYTES = 2048;

/** Words of the head: answers left so far, and whether the pool has been called and has not looked since. */
const LEFT = 0;
const CALLED = 1;
/** Behind them, the slots of the answers in the order they were left. */
const ORDER = 2;
const HEAD_BYTES = (ORDER + SLOTS) * 4;

/** Fields of a record: ticket, exit code, start, usage, bytes of output, units and processor time, and behind them the phases. */
const PHASES_AT = 10;
/** Stands for units and processor time that nobody counted. */
const UNCOUNTED = -1;
const FIELDS = PHASES_AT + WASM_PHASES.length;
const FIELDS_BYTES = SLOTS * FIELDS * 8;
const SIZE_BYTES = HEAD_BYTES + FIELDS_BYTES + SLOTS * OUTPUT_BYTES;

/** In place of an exit code: the guest is suspended, and its answer will travel over the port. */
const PARKED = -1;

const STARTS: readonly Start[] = ['cold', 'restored', 'ready'];

/** Told of each answer that was taken. */
export type OnOutcome = (ticket: number, outcome: Outcome) => void;

/** Told of each call whose guest is suspended: the number of its record, and how long it has had the thread. */
export type OnParked = (ticket: number, record: number, heldNs: number) => void;

const NOTHING = (): void => {};

/** Either end of a box. A slot must not be used again before its answer was taken. */
export class AnswerBox {
  readonly buffer: SharedArrayBuffer;
  readonly #head: Int32Array;
  readonly #fields: Float64Array;
  readonly #output: Uint8Array;
  /** Answers left or taken so far at this end, modulo 2^32. */
  #count = 0;

  constructor(buffer: SharedArrayBuffer = new SharedArrayBuffer(SIZE_BYTES)) {
    this.buffer = buffer;
    this.#head = new Int32Array(buffer, 0, ORDER + SLOTS);
    this.#fields = new Float64Array(buffer, HEAD_BYTES, SLOTS * FIELDS);
    this.#output = new Uint8Array(buffer, HEAD_BYTES + FIELDS_BYTES);
  }

  /** Worker: leaves an answer; false when it does not fit and must travel over the port. */
  leave(slot: number, ticket: number, outcome: Outcome): boolean {
    const { kind, stdout, stderr, phases, usage } = outcome;
    if ((kind !== 'ok' && kind !== 'exit') || outcome.values !== undefined) return false;
    if (stdout.length + stderr.length > OUTPUT_BYTES) return false;
    const fields = this.#fields;
    const at = slot * FIELDS;
    fields[at] = ticket;
    fields[at + 1] = kind === 'ok' ? 0 : outcome.exitCode;
    fields[at + 2] = STARTS.indexOf(outcome.start);
    fields[at + 3] = usage.memoryBytes;
    fields[at + 4] = usage.inputBytes;
    fields[at + 5] = usage.hostCalls;
    fields[at + 6] = stdout.length;
    fields[at + 7] = stderr.length;
    fields[at + 8] = usage.units ?? UNCOUNTED;
    fields[at + 9] = usage.cpuNs ?? UNCOUNTED;
    storeWasmPhases(fields, at + PHASES_AT, phases);
    if (stdout.length > 0) this.#output.set(stdout, slot * OUTPUT_BYTES);
    if (stderr.length > 0) this.#output.set(stderr, slot * OUTPUT_BYTES + stdout.length);
    this.#order(slot);
    return true;
  }

  /** Worker: says that a call's guest is suspended. Its slot is free from then on. */
  park(slot: number, ticket: number, record: number, heldNs: number): void {
    const at = slot * FIELDS;
    this.#fields[at] = ticket;
    this.#fields[at + 1] = PARKED;
    this.#fields[at + 2] = record;
    this.#fields[at + 3] = heldNs;
    this.#order(slot);
  }

  #order(slot: number): void {
    this.#head[ORDER + (this.#count % SLOTS)] = slot;
    this.#count = (this.#count + 1) >>> 0;
    // What was written before it is seen by whoever reads it.
    Atomics.store(this.#head, LEFT, this.#count | 0);
  }

  /** Worker: whether the pool must be called, now that an answer was left; it counts as called from then on. */
  mustCall(): boolean {
    return Atomics.exchange(this.#head, CALLED, 1) === 0;
  }

  /** Pool: takes all that was left, in its order. What is left from now on is called for again. */
  take(onOutcome: OnOutcome, onParked: OnParked = NOTHING): void {
    Atomics.store(this.#head, CALLED, 0);
    while (this.#count !== Atomics.load(this.#head, LEFT) >>> 0) {
      const slot = this.#head[ORDER + (this.#count % SLOTS)] as number;
      // Counted before it is told: whoever is told may take, too.
      this.#count = (this.#count + 1) >>> 0;
      const at = slot * FIELDS;
      const fields = this.#fields;
      if (fields[at + 1] !== PARKED) this.#tell(slot, onOutcome);
      else onParked(fields[at] as number, fields[at + 2] as number, fields[at + 3] as number);
    }
  }

  #tell(slot: number, onOutcome: OnOutcome): void {
    const fields = this.#fields;
    const at = slot * FIELDS;
    const exitCode = fields[at + 1] as number;
    const stdoutBytes = fields[at + 6] as number;
    const stderrBytes = fields[at + 7] as number;
    const from = slot * OUTPUT_BYTES;
    const stdout = stdoutBytes === 0 ? noOutput() : this.#output.slice(from, from + stdoutBytes);
    const stderr =
      stderrBytes === 0 ? noOutput() : this.#output.slice(from + stdoutBytes, from + stdoutBytes + stderrBytes);
    const start = STARTS[fields[at + 2] as number] as Start;
    const phases = loadWasmPhases(fields, at + PHASES_AT);
    const usage = this.#usage(at);
    const ticket = fields[at] as number;
    if (exitCode === 0) onOutcome(ticket, { kind: 'ok', stdout, stderr, start, phases, usage });
    else onOutcome(ticket, { kind: 'exit', exitCode, stdout, stderr, start, phases, usage });
  }

  #usage(at: number): Usage {
    const fields = this.#fields;
    const memoryBytes = fields[at + 3] as number;
    const inputBytes = fields[at + 4] as number;
    const hostCalls = fields[at + 5] as number;
    const units = fields[at + 8] as number;
    const cpuNs = fields[at + 9] as number;
    if (units === UNCOUNTED) return { memoryBytes, inputBytes, hostCalls };
    return { memoryBytes, inputBytes, hostCalls, units, ...(cpuNs === UNCOUNTED ? {} : { cpuNs }) };
  }
}
