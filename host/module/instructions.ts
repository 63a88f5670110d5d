/**
 * Walks the instructions of a function body: tells a visitor of those that change hidden state, and adds up what a compiler
 * has to do for it. Core spec, section 5.4.
 */

import { NOTHING, type Arities, type Arity } from './arity.ts';
import type { BinaryReader } from './binary.ts';
import { newComplexity, type Complexity } from './complexity.ts';
import { unsupported } from './constant-expression.ts';
import { OpenBlocks } from './open-blocks.ts';
import { flagsOf, NOTABLE_BY_MISCELLANEOUS, NOTABLE_BY_OPCODE, NOTABLE_WITH_BUDGET, type Notable } from './notable.ts';
import { skipMemoryArgument, skipVectorImmediates } from './immediates.ts';
import type { UnitCounter } from './unit-counter.ts';
import { EFFECTS, KIND, KINDS, MISCELLANEOUS, MISCELLANEOUS_EFFECTS, OP, VECTOR_EFFECTS } from './opcodes.ts';

/**
 * Told the instruction, where it starts and ends, and its first immediate; of `return` the label of the function, of a branch that of
 * the innermost loop. Of `simd`
 * only the first in a body.
 */
export type InstructionVisitor = (instruction: Notable, start: number, end: number, immediate: number) => void;

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

/** Merges that a check of units adds: it begins and ends a block, in which a call spills all values. */
const CHECK_MERGES = 3;

/** Walks bodies of one module, one after the other. */
export class InstructionWalker {
  readonly #arities: Arities;
  readonly #visit: InstructionVisitor;
  readonly #notable: Readonly<Record<number, Notable>>;
  readonly #isNotable: Uint8Array;
  readonly #units: UnitCounter | undefined;
  readonly #blocks: OpenBlocks = new OpenBlocks();
  /** Instructions of the body so far. */
  #instructions = 0;
  #height = 0;
  #values = 0;
  #complexity: Complexity = newComplexity();

  /** @param units counts what each body costs, of a module with a budget */
  constructor(arities: Arities, visit: InstructionVisitor, units?: UnitCounter) {
    this.#arities = arities;
    this.#visit = visit;
    this.#notable = units === undefined ? NOTABLE_BY_OPCODE : NOTABLE_WITH_BUDGET;
    this.#isNotable = flagsOf(this.#notable);
    this.#units = units;
  }

  /** Instructions of the body walked last. */
  get instructions(): number {
    return this.#instructions;
  }

  /** Walks a body's instructions up to the reader's end; `locals` counts parameters too. */
  walk(reader: BinaryReader, locals: number, results: number): Complexity {
    const complexity = newComplexity();
    this.#complexity = complexity;
    this.#values = locals;
    this.#blocks.clear();
    this.#height = 0;
    this.#instructions = 0;
    this.#open(0, results);
    if (this.#units !== undefined) {
      this.#units.begin();
      complexity.merges += CHECK_MERGES * locals;
    }
    let sawVector = false;
    let operands = 0;
    while (reader.offset < reader.end) {
      const start = reader.offset;
      const opcode = reader.u8();
      this.#instructions++;
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
        if (this.#isNotable[opcode] === 1)
          this.#visit(this.#notable[opcode] as Notable, start, reader.offset, immediate);
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
        return this.#loop(reader);
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
        this.#height = this.#blocks.base() + this.#blocks.parameters();
        return 0;
      case OP.catch:
        this.#height = this.#blocks.base() + this.#arityOf(this.#arities.tags[reader.u32()]).parameters;
        return 0;
      case OP.catchAll:
        this.#height = this.#blocks.base();
        return 0;
      case OP.end:
        if (this.#close()) this.#visit('loop-end', reader.offset - 1, reader.offset, 0);
        return 0;
      case OP.delegate:
        reader.u32();
        this.#close();
        return 0;
      case OP.brIf:
      case OP.brOnNull:
      case OP.brOnNonNull:
        reader.u32();
        return this.#insideLoop();
      case OP.brTable: {
        const count = reader.u32();
        complexity.tableEntries += count;
        for (let left = count + 1; left > 0; left--) reader.u32();
        this.#height = this.#blocks.base();
        return this.#insideLoop();
      }
      case OP.br:
        reader.u32();
        this.#height = this.#blocks.base();
        return this.#insideLoop();
      case OP.throw:
      case OP.rethrow:
        reader.u32();
        break;
      case OP.unreachable:
        this.#units?.addUnreachable(this.#instructions);
        break;
      case OP.return:
        this.#height = this.#blocks.base();
        return this.#blocks.depth - 1;
      default:
    }
    // What follows cannot be reached: its operands are of any number.
    this.#height = this.#blocks.base();
    return 0;
  }

  #call(reader: BinaryReader, opcode: number): number {
    const index = reader.u32();
    const isDirect = opcode === OP.call || opcode === OP.returnCall;
    const arity = this.#arityOf(isDirect ? this.#arities.functions[index] : index);
    const immediate = opcode === OP.callIndirect || opcode === OP.returnCallIndirect ? reader.u32() : index;
    this.#complexity.calls++;
    this.#units?.addCall(this.#instructions, isDirect ? index : undefined);
    this.#pass(arity);
    this.#height += arity.results - arity.parameters;
    if (opcode === OP.returnCall || opcode === OP.returnCallIndirect || opcode === OP.returnCallRef)
      this.#height = this.#blocks.base();
    return immediate;
  }

  #loop(reader: BinaryReader): number {
    const type = this.#block(reader);
    if (this.#units !== undefined) {
      this.#units.openLoop(this.#instructions, this.#blocks.depth);
      this.#complexity.merges += CHECK_MERGES * (this.#values + this.#height);
    }
    return type;
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
    this.#blocks.open(this.#height, parameters, results);
    if (this.#blocks.depth > this.#complexity.depth) this.#complexity.depth = this.#blocks.depth;
  }

  /** Closes a block; true where it is a loop, of a module with a budget. */
  #close(): boolean {
    const isLoop = this.#units?.closeBlock(this.#instructions, this.#blocks.depth) ?? false;
    this.#height = this.#blocks.close(this.#height);
    return isLoop;
  }

  /** Blocks that are open inside the innermost loop, of a module with a budget: the label of the loop itself. */
  #insideLoop(): number {
    return this.#units === undefined ? 0 : this.#blocks.depth - this.#units.loopDepth;
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
    skipVectorImmediates(reader, opcode, start);
    this.#height += VECTOR_EFFECTS[opcode] as number;
  }
}

function refuse(reader: BinaryReader, opcode: number, start: number): never {
  if (opcode === OP.threads) unsupported('threads (atomic instructions)');
  if (opcode === OP.garbageCollection) unsupported('garbage-collected types');
  return reader.fail(`an unknown instruction 0x${opcode.toString(16)}`, start);
}
