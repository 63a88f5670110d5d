/**
 * Walks the instructions of a function body: tells a visitor of those that change hidden state, and adds up what a compiler
 * has to do for it. Core spec, section 5.4.
 */

import { NebulaError } from '../errors.ts';
import type { BinaryReader } from './binary.ts';
import { IS_NOTABLE, NOTABLE_BY_MISCELLANEOUS, NOTABLE_BY_OPCODE, type Notable } from './notable.ts';
import { EFFECTS, KIND, KINDS, MISCELLANEOUS, MISCELLANEOUS_EFFECTS, OP, VECTOR, VECTOR_EFFECTS } from './opcodes.ts';

/** Told the instruction, where it starts and ends, and its first immediate. Of `simd` only the first in a body. */
export type InstructionVisitor = (instruction: Notable, start: number, end: number, immediate: number) => void;

/** Values that a type takes and gives. */
export interface Arity {
  readonly parameters: number;
  readonly results: number;
}

/** What the walk needs to know of the module to follow the operand stack. */
export interface Arities {
  /** By type index. */
  readonly types: readonly Arity[];
  /** Type index by function index. */
  readonly functions: readonly number[];
  /** Type index by tag index. */
  readonly tags: readonly number[];
}

/** What a compiler has to do for a body besides reading its instructions. */
export interface Complexity {
  /**
   * Values to be merged where control flow begins, ends or branches: locals and operands at each such instruction. V8's
   * first tier copies the state of all of them there.
   */
  merges: number;
  loops: number;
  calls: number;
  /** Entries of br_table. */
  tableEntries: number;
  /** Blocks open at once. */
  depth: number;
  /** Operands on the stack at once; an upper bound in code that cannot be reached. */
  operands: number;
}

/** Instructions behind the prefix 0xfc that name a second segment, memory or table. */
const HAS_TWO_INDICES: ReadonlySet<number> = new Set([
  MISCELLANEOUS.memoryInit,
  MISCELLANEOUS.memoryCopy,
  MISCELLANEOUS.tableInit,
  MISCELLANEOUS.tableCopy,
]);

/** Values above which passing them at a call or a block is counted as so many merges. */
const WIDE = 16;
const WIDE_MERGES = 64;

/** Walks bodies of one module, one after the other. */
export class InstructionWalker {
  readonly #arities: Arities;
  readonly #visit: InstructionVisitor;
  /** Of each open block: operands below it, and what its type takes and gives. */
  #bases = new Int32Array(256);
  #parameters = new Int32Array(256);
  #results = new Int32Array(256);
  #depth = 0;
  #height = 0;
  #values = 0;
  #complexity: Complexity = newComplexity();

  constructor(arities: Arities, visit: InstructionVisitor) {
    this.#arities = arities;
    this.#visit = visit;
  }

  /** Walks a body's instructions up to the reader's end; `locals` counts parameters too. */
  walk(reader: BinaryReader, locals: number, results: number): Complexity {
    const complexity = newComplexity();
    this.#complexity = complexity;
    this.#values = locals;
    this.#depth = 0;
    this.#height = 0;
    this.#open(0, results);
    let sawVector = false;
    let operands = 0;
    while (reader.offset < reader.end) {
      const start = reader.offset;
      const opcode = reader.u8();
      const kind = KINDS[opcode] as number;
      if (kind === KIND.plain) {
        this.#height += EFFECTS[opcode] as number;
      } else if (kind === KIND.misc) {
        this.#miscellaneous(reader, start);
      } else if (kind === KIND.vector) {
        this.#vector(reader, start);
        if (!sawVector) this.#visit('simd', start, reader.offset, 0);
        sawVector = true;
      } else {
        const immediate = this.#step(reader, kind, opcode, start);
        if (IS_NOTABLE[opcode] === 1)
          this.#visit(NOTABLE_BY_OPCODE[opcode] as Notable, start, reader.offset, immediate);
      }
      if (this.#height > operands) operands = this.#height;
    }
    complexity.operands = operands;
    return complexity;
  }

  #step(reader: BinaryReader, kind: number, opcode: number, start: number): number {
    this.#height += EFFECTS[opcode] as number;
    switch (kind) {
      case KIND.index:
        return reader.u32();
      case KIND.memory:
        skipMemoryArgument(reader);
        return 0;
      case KIND.i32:
        reader.skipLeb(5);
        return 0;
      case KIND.i64:
        reader.skipLeb(10);
        return 0;
      case KIND.four:
        reader.skip(4);
        return 0;
      case KIND.eight:
        reader.skip(8);
        return 0;
      case KIND.heapType:
        return reader.s33();
      case KIND.types:
        for (let left = reader.u32(); left > 0; left--) reader.s33();
        return 0;
      case KIND.control:
        return this.#control(reader, opcode);
      case KIND.call:
        return this.#call(reader, opcode);
      default:
        return refuse(reader, opcode, start);
    }
  }

  /** Whatever begins, ends or leaves a block. */
  #control(reader: BinaryReader, opcode: number): number {
    const complexity = this.#complexity;
    complexity.merges += this.#values + this.#height;
    switch (opcode) {
      case OP.loop:
        complexity.loops++;
        return this.#block(reader);
      case OP.block:
      case OP.if:
      case OP.try:
        return this.#block(reader);
      case OP.tryTable:
        this.#block(reader);
        for (let left = reader.u32(); left > 0; left--) {
          if (reader.u8() < 2) reader.u32();
          reader.u32();
        }
        return 0;
      case OP.else:
        this.#height = this.#base() + (this.#parameters[this.#depth - 1] as number);
        return 0;
      case OP.catch:
        this.#height = this.#base() + this.#arityOf(this.#arities.tags[reader.u32()]).parameters;
        return 0;
      case OP.catchAll:
        this.#height = this.#base();
        return 0;
      case OP.end:
        this.#close();
        return 0;
      case OP.delegate:
        reader.u32();
        this.#close();
        return 0;
      case OP.brIf:
      case OP.brOnNull:
      case OP.brOnNonNull:
        return reader.u32();
      case OP.brTable: {
        const count = reader.u32();
        complexity.tableEntries += count;
        for (let left = count + 1; left > 0; left--) reader.u32();
        break;
      }
      case OP.throw:
      case OP.rethrow:
      case OP.br:
        reader.u32();
        break;
      default:
    }
    // What follows cannot be reached: its operands are of any number.
    this.#height = this.#base();
    return 0;
  }

  #call(reader: BinaryReader, opcode: number): number {
    const index = reader.u32();
    const isDirect = opcode === OP.call || opcode === OP.returnCall;
    const arity = this.#arityOf(isDirect ? this.#arities.functions[index] : index);
    const immediate = opcode === OP.callIndirect || opcode === OP.returnCallIndirect ? reader.u32() : index;
    this.#complexity.calls++;
    this.#pass(arity);
    this.#height += arity.results - arity.parameters;
    if (opcode === OP.returnCall || opcode === OP.returnCallIndirect || opcode === OP.returnCallRef)
      this.#height = this.#base();
    return immediate;
  }

  #block(reader: BinaryReader): number {
    const type = reader.s33();
    if (type >= 0) {
      const arity = this.#arityOf(type);
      this.#pass(arity);
      this.#open(arity.parameters, arity.results);
    } else {
      if (type === -28 || type === -29) reader.s33();
      this.#open(0, type === -64 ? 0 : 1);
    }
    return type;
  }

  #pass({ parameters, results }: Arity): void {
    const values = parameters + results;
    if (values > WIDE) this.#complexity.merges += values * WIDE_MERGES;
  }

  #open(parameters: number, results: number): void {
    const at = this.#depth++;
    if (at === this.#bases.length) {
      this.#bases = doubled(this.#bases);
      this.#parameters = doubled(this.#parameters);
      this.#results = doubled(this.#results);
    }
    this.#bases[at] = this.#height - parameters;
    this.#parameters[at] = parameters;
    this.#results[at] = results;
    if (this.#depth > this.#complexity.depth) this.#complexity.depth = this.#depth;
  }

  #close(): void {
    if (this.#depth === 0) return;
    this.#height = this.#base() + (this.#results[this.#depth - 1] as number);
    this.#depth--;
  }

  #base(): number {
    return this.#depth === 0 ? 0 : (this.#bases[this.#depth - 1] as number);
  }

  #arityOf(type: number | undefined): Arity {
    return (type === undefined ? undefined : this.#arities.types[type]) ?? NOTHING;
  }

  #miscellaneous(reader: BinaryReader, start: number): void {
    const opcode = reader.u32();
    if (opcode < MISCELLANEOUS.memoryInit) return;
    const first =
      opcode <= MISCELLANEOUS.tableFill ? reader.u32() : reader.fail(`an unknown instruction 0xfc ${opcode}`, start);
    if (HAS_TWO_INDICES.has(opcode)) reader.u32();
    this.#height += MISCELLANEOUS_EFFECTS[opcode] as number;
    const notable = NOTABLE_BY_MISCELLANEOUS[opcode];
    if (notable !== undefined) this.#visit(notable, start, reader.offset, first);
  }

  #vector(reader: BinaryReader, start: number): void {
    const opcode = reader.u32();
    if (opcode <= 11 || opcode === 0x5c || opcode === 0x5d) skipMemoryArgument(reader);
    else if (opcode === VECTOR.const || opcode === VECTOR.shuffle) reader.skip(16);
    else if (opcode >= 0x15 && opcode <= 0x22) reader.skip(1);
    else if (opcode >= 0x54 && opcode <= 0x5b) {
      skipMemoryArgument(reader);
      reader.skip(1);
    } else if (opcode > 0x113) reader.fail(`an unknown vector instruction ${opcode}`, start);
    this.#height += VECTOR_EFFECTS[opcode] as number;
  }
}

const NOTHING: Arity = { parameters: 0, results: 0 };

function newComplexity(): Complexity {
  return { merges: 0, loops: 0, calls: 0, tableEntries: 0, depth: 0, operands: 0 };
}

function doubled(array: Int32Array): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(array.length * 2);
  larger.set(array);
  return larger;
}

function refuse(reader: BinaryReader, opcode: number, start: number): never {
  if (opcode === OP.threads) throw new NebulaError('MODULE_UNSUPPORTED', { feature: 'threads (atomic instructions)' });
  if (opcode === OP.garbageCollection)
    throw new NebulaError('MODULE_UNSUPPORTED', { feature: 'garbage-collected types' });
  return reader.fail(`an unknown instruction 0x${opcode.toString(16)}`, start);
}

/** Alignment, then a memory's index if bit 6 says so, then the offset. */
function skipMemoryArgument(reader: BinaryReader): void {
  if (reader.u32() & 0x40) reader.u32();
  reader.skipLeb(10);
}
