/** The functions, globals and tables that the rewriting adds, as WebAssembly. */

import { NO_BYTES } from '../bytes.ts';
import { BinaryWriter } from './binary.ts';
import { EXTERNAL, TYPE, VOID_BLOCK } from './encoding.ts';
import type { FunctionType, ModuleLayout } from './layout.ts';
import { MISCELLANEOUS, OP, VECTOR } from './opcodes.ts';

/** Of a function from an i32 to an i32. */
export const I32_TO_I32: FunctionType = { parameters: [TYPE.i32], results: [TYPE.i32] };

const VOID: FunctionType = { parameters: [], results: [] };

/** How bits of a type that JavaScript would not keep exactly are read and written: lanes of an integer type. */
const BITS: Readonly<Record<number, { lane: number; lanes: number; read: number[][]; write: number[] }>> = {
  [TYPE.f32]: {
    lane: TYPE.i32,
    lanes: 1,
    read: [[OP.i32ReinterpretF32]],
    write: [OP.localGet, 0, OP.f32ReinterpretI32],
  },
  [TYPE.f64]: {
    lane: TYPE.i64,
    lanes: 1,
    read: [[OP.i64ReinterpretF64]],
    write: [OP.localGet, 0, OP.f64ReinterpretI64],
  },
  [TYPE.v128]: {
    lane: TYPE.i64,
    lanes: 2,
    read: [
      [OP.vector, VECTOR.i64x2Extract, 0],
      [OP.vector, VECTOR.i64x2Extract, 1],
    ],
    write: [OP.localGet, 0, OP.vector, VECTOR.i64x2Splat, OP.localGet, 1, OP.vector, VECTOR.i64x2Replace, 1],
  },
};

/** Whether a global of this type needs functions to be read and set exactly. */
export function needsBits(type: number): boolean {
  return type in BITS;
}

/** Gathers what is added behind the module's own types, functions, tables, globals and exports. */
export class Additions {
  readonly types: FunctionType[] = [];
  readonly functions: { type: number; body: BinaryWriter }[] = [];
  readonly globals: Uint8Array[] = [];
  readonly tables: Uint8Array[] = [];
  readonly exports: { name: string; kind: number; index: number }[] = [];
  readonly #layout: ModuleLayout;
  #typeIndices: Map<string, number> | undefined;

  constructor(layout: ModuleLayout) {
    this.#layout = layout;
  }

  /** Adds an i32 global that starts at 0 and answers its index. */
  flag(exportName?: string): number {
    return this.number(0, exportName);
  }

  /** Adds an i32 global of an initial value and answers its index. */
  number(initial: number, exportName?: string): number {
    const entry = new BinaryWriter().raw(TYPE.i32, 1, OP.i32Const).s32(initial).u8(OP.end);
    const index = this.#global(entry.toBytes());
    if (exportName !== undefined) this.export(exportName, EXTERNAL.global, index);
    return index;
  }

  /** Adds a second global of the same type and initial value. */
  shadowGlobal(index: number): number {
    const entry = this.#layout.globals[index - this.#layout.importedGlobals];
    return this.#global(entry === undefined ? NO_BYTES : this.#layout.bytes.subarray(entry.start, entry.end));
  }

  /** Adds a second table of the same type and size, without a maximum of its own. */
  shadowTable(index: number): number {
    const entry = this.#layout.tables[index - this.#layout.importedTables];
    if (entry === undefined) return index;
    const { bytes } = this.#layout;
    const writer = new BinaryWriter().bytes(bytes.subarray(entry.start, entry.limitsStart)).u8(0).u32(entry.minimum);
    this.tables.push(writer.bytes(bytes.subarray(entry.limitsEnd, entry.end)).toBytes());
    return this.#layout.importedTables + this.#layout.tables.length + this.tables.length - 1;
  }

  /** Adds a table of so many functions, which whoever makes the instance puts there, and answers its index. */
  functionTable(size: number, exportName: string): number {
    this.tables.push(new BinaryWriter().raw(TYPE.funcref, 1).u32(size).u32(size).toBytes());
    const index = this.#layout.importedTables + this.#layout.tables.length + this.tables.length - 1;
    this.export(exportName, EXTERNAL.table, index);
    return index;
  }

  /** Index that the next added function gets. */
  get nextFunction(): number {
    return this.#layout.functionTypes.length + this.functions.length;
  }

  export(name: string, kind: number, index: number): void {
    this.exports.push({ name, kind, index });
  }

  /** Adds a function and answers its index; `code` is its instructions without the last `end`. */
  function(type: FunctionType, locals: readonly number[], code: BinaryWriter, exportName?: string): number {
    const body = new BinaryWriter().u32(locals.length);
    for (const local of locals) body.u32(1).u8(local);
    body.append(code).u8(OP.end);
    const index = this.nextFunction;
    this.functions.push({ type: this.typeIndex(type), body });
    if (exportName !== undefined) this.export(exportName, EXTERNAL.function, index);
    return index;
  }

  #global(entry: Uint8Array): number {
    this.globals.push(entry);
    return this.#layout.importedGlobals + this.#layout.globals.length + this.globals.length - 1;
  }

  /** Index of a type, added where the module has none such. */
  typeIndex(wanted: FunctionType): number {
    const { types } = this.#layout;
    if (this.#typeIndices === undefined) {
      const indices = new Map<string, number>();
      types.forEach((type, index) => {
        const key = keyOf(type);
        if (!indices.has(key)) indices.set(key, index);
      });
      this.#typeIndices = indices;
    }
    const key = keyOf(wanted);
    let index = this.#typeIndices.get(key);
    if (index === undefined) {
      index = types.length + this.types.push(wanted) - 1;
      this.#typeIndices.set(key, index);
    }
    return index;
  }
}

function keyOf({ parameters, results }: FunctionType): string {
  return `${String(parameters)}>${String(results)}`;
}

/**
 * A function that does nothing, for the sake of the check for interrupts at its beginning. V8's first tier checks at a
 * loop's end only every 1.8 MB of executed code (--wasm-tiering-budget): at 14,000 rounds of a bulk instruction a deadline
 * would come minutes late. The call inside, never made, keeps the optimising tier from leaving the check out of a leaf.
 */
export function addCheck(additions: Additions): number {
  const code = new BinaryWriter()
    .raw(OP.i32Const, 0, OP.if, VOID_BLOCK, OP.call)
    .u32(additions.nextFunction)
    .u8(OP.end);
  return additions.function(VOID, [], code);
}

/** Instructions that set a flag to 1. */
export function setFlag(index: number): BinaryWriter {
  return new BinaryWriter().raw(OP.i32Const, 1, OP.globalSet).u32(index);
}

function clearFlag(index: number): BinaryWriter {
  return new BinaryWriter().raw(OP.i32Const, 0, OP.globalSet).u32(index);
}

type GlobalPairs = readonly (readonly [from: number, to: number])[];

function copyGlobals(pairs: GlobalPairs): BinaryWriter {
  const code = new BinaryWriter();
  for (const [from, to] of pairs) code.u8(OP.globalGet).u32(from).u8(OP.globalSet).u32(to);
  return code;
}

/** A function that copies each global of `from` to the one of `to`, and clears flags. */
export function addGlobalCapture(
  additions: Additions,
  pairs: GlobalPairs,
  flags: readonly number[],
  name: string,
): void {
  const code = copyGlobals(pairs);
  for (const flag of flags) code.append(clearFlag(flag));
  additions.function(VOID, [], code, name);
}

/** What a restore tells of the state that it found: two flags, and whether a memory's size was another than the one kept. */
export interface Told {
  readonly bits: readonly [number, number];
  readonly size: readonly [number, number] | undefined;
}

/** The same, back; answers what it tells as bits 0, 1 and 2, so that a restore is one call: reading a global costs more. */
export function addGlobalRestore(
  additions: Additions,
  pairs: GlobalPairs,
  cleared: number,
  { bits, size }: Told,
  name: string,
): void {
  const code = new BinaryWriter().u8(OP.globalGet).u32(bits[0]);
  code.u8(OP.globalGet).u32(bits[1]).raw(OP.i32Const, 1, OP.i32Shl, OP.i32Or);
  if (size !== undefined) {
    code.u8(OP.globalGet).u32(size[0]).u8(OP.globalGet).u32(size[1]);
    code.raw(OP.i32Ne, OP.i32Const, 2, OP.i32Shl, OP.i32Or);
  }
  code.append(copyGlobals(pairs)).append(clearFlag(cleared));
  additions.function({ parameters: [], results: [TYPE.i32] }, [], code, name);
}

/** A function that copies each whole table of `from` over that of `to`, which grows to the same size first. */
export function addTableCopy(
  additions: Additions,
  pairs: readonly (readonly [from: number, to: number, type: number])[],
  flags: readonly number[],
  exportName: string,
): void {
  const code = new BinaryWriter();
  for (const [from, to, type] of pairs) {
    code.raw(OP.refNull, type).append(tableSize(from)).append(tableSize(to)).u8(OP.i32Sub);
    code.raw(OP.miscellaneous, MISCELLANEOUS.tableGrow).u32(to).u8(OP.drop);
    code.raw(OP.i32Const, 0, OP.i32Const, 0).append(tableSize(from));
    code.raw(OP.miscellaneous, MISCELLANEOUS.tableCopy).u32(to).u32(from);
  }
  for (const flag of flags) code.append(clearFlag(flag));
  additions.function(VOID, [], code, exportName);
}

/** Instructions that leave the size of a table. */
export function tableSize(table: number): BinaryWriter {
  return new BinaryWriter().raw(OP.miscellaneous, MISCELLANEOUS.tableSize).u32(table);
}

/** Functions that read and write a global's bits: `<name>:get0`, `<name>:get1`, `<name>:set`. */
export function addBitAccess(additions: Additions, type: number, index: number, name: string): void {
  const bits = BITS[type];
  if (bits === undefined) return;
  bits.read.forEach((read, lane) => {
    const code = new BinaryWriter()
      .u8(OP.globalGet)
      .u32(index)
      .raw(...read);
    additions.function({ parameters: [], results: [bits.lane] }, [], code, `${name}:get${lane}`);
  });
  const parameters = Array.from({ length: bits.lanes }, () => bits.lane);
  const code = new BinaryWriter()
    .raw(...bits.write)
    .u8(OP.globalSet)
    .u32(index);
  additions.function({ parameters, results: [] }, [], code, `${name}:set`);
}

/** A function that drops a segment. */
export function addDrop(additions: Additions, kind: 'data' | 'element', segment: number, exportName: string): void {
  const code = new BinaryWriter()
    .raw(OP.miscellaneous, kind === 'data' ? MISCELLANEOUS.dataDrop : MISCELLANEOUS.elemDrop)
    .u32(segment);
  additions.function(VOID, [], code, exportName);
}
