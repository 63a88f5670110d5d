/** Where everything of a module's binary is: its sections and what the rewriting needs of them. Core spec, section 5.5. */

import { BinaryReader } from './binary.ts';
import { refuseAbove, type CeilingName } from './ceilings.ts';
import { readConstantExpression, unsupported } from './constant-expression.ts';
import {
  EXTERNAL_KINDS,
  FUNCTION_FORM,
  INITIALISED_TABLE,
  isTypedReference,
  LIMITS,
  MAGIC,
  PREAMBLE_BYTES,
  SECTION,
  type ExternalKind,
} from './encoding.ts';

export interface SectionRange {
  readonly id: number;
  /** Name of a custom section. */
  readonly name: string | undefined;
  /** The content, without id and size. */
  readonly start: number;
  readonly end: number;
}

export interface FunctionType {
  readonly parameters: readonly number[];
  readonly results: readonly number[];
}

export interface ImportEntry {
  readonly module: string;
  readonly name: string;
  readonly kind: ExternalKind;
  /** Of a function: its type. */
  readonly type: FunctionType | undefined;
}

export interface ExportEntry {
  readonly name: string;
  readonly kind: ExternalKind;
  readonly index: number;
}

export interface LimitsEntry {
  readonly flags: number;
  readonly minimum: number;
  readonly maximum: number | undefined;
}

/** A table's or global's bytes in the binary, with what is read of them. */
export interface TableEntry extends LimitsEntry {
  readonly start: number;
  /** Where the limits begin: after the element type. */
  readonly limitsStart: number;
  readonly limitsEnd: number;
  readonly end: number;
}

export interface GlobalEntry {
  /** First byte of the value type. */
  readonly type: number;
  readonly mutable: boolean;
  readonly start: number;
  readonly end: number;
}

export interface ModuleLayout {
  readonly bytes: Uint8Array;
  readonly sections: readonly SectionRange[];
  readonly types: readonly FunctionType[];
  readonly imports: readonly ImportEntry[];
  /** Type index of every function, the imported ones first. */
  readonly functionTypes: readonly number[];
  readonly importedFunctions: number;
  readonly importedGlobals: number;
  readonly importedTables: number;
  readonly importedMemories: number;
  readonly tables: readonly TableEntry[];
  readonly memories: readonly LimitsEntry[];
  readonly globals: readonly GlobalEntry[];
  readonly exports: readonly ExportEntry[];
  /** Type index of every tag that the module defines; imported ones are refused later. */
  readonly tags: readonly number[];
  readonly start: number | undefined;
  /** Functions that initial values of globals and tables refer to. */
  readonly referenced: readonly number[];
  readonly dataSegments: number;
  readonly elementSegments: number;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] extends readonly (infer E)[] ? E[] : T[K] };

type Draft = Mutable<ModuleLayout>;

/**
 * Reads a binary's sections.
 * @throws NebulaError MODULE_INVALID, MODULE_UNSUPPORTED, MODULE_COMPLEX
 */
export function readLayout(bytes: Uint8Array): ModuleLayout {
  const reader = new BinaryReader(bytes);
  checkHeader(reader);
  const layout: Draft = {
    bytes,
    sections: [],
    types: [],
    imports: [],
    functionTypes: [],
    importedFunctions: 0,
    importedGlobals: 0,
    importedTables: 0,
    importedMemories: 0,
    tables: [],
    memories: [],
    globals: [],
    exports: [],
    tags: [],
    start: undefined,
    referenced: [],
    dataSegments: 0,
    elementSegments: 0,
  };
  while (!reader.atEnd) readSection(reader, layout);
  return layout;
}

function checkHeader(reader: BinaryReader): void {
  const { bytes } = reader;
  if (!MAGIC.every((byte, at) => bytes[at] === byte)) {
    const got = Array.from(bytes.subarray(0, 4), (byte) => byte.toString(16).padStart(2, '0')).join(' ') || 'nothing';
    reader.fail(`this is not WebAssembly: expected the magic bytes 00 61 73 6d, got ${got}`, 0);
  }
  if (bytes.length < PREAMBLE_BYTES) reader.fail('the module ends inside its header', bytes.length);
  const version = (bytes[4] as number) | ((bytes[5] as number) << 8);
  const layer = (bytes[6] as number) | ((bytes[7] as number) << 8);
  if (layer === 1) unsupported('the component model (this is a component, not a core module)');
  if (version !== 1 || layer !== 0) reader.fail(`an unknown binary version: expected 1, got ${version}`, 4);
  reader.offset = PREAMBLE_BYTES;
}

function readSection(reader: BinaryReader, layout: Draft): void {
  const at = reader.offset;
  const id = reader.u8();
  const size = reader.u32();
  const start = reader.offset;
  const end = start + size;
  if (end > reader.end) reader.fail(`section ${id} of ${size} bytes is cut off`, at);
  const content = new BinaryReader(reader.bytes, start, end);
  const name = id === SECTION.custom ? content.name() : undefined;
  layout.sections.push({ id, name, start, end });
  refuseAbove('sections', layout.sections.length);
  SECTION_READERS[id]?.(content, layout);
  reader.offset = end;
}

const SECTION_READERS: Readonly<Record<number, (reader: BinaryReader, layout: Draft) => void>> = {
  [SECTION.type]: readTypes,
  [SECTION.import]: readImports,
  [SECTION.function]: (reader, layout) => times(reader, 'functions', () => layout.functionTypes.push(reader.u32())),
  [SECTION.table]: (reader, layout) => times(reader, 'tables', () => layout.tables.push(readTable(reader, layout))),
  [SECTION.memory]: (reader, layout) => times(reader, 'memories', () => layout.memories.push(readMemory(reader))),
  [SECTION.global]: (reader, layout) => times(reader, 'globals', () => layout.globals.push(readGlobal(reader, layout))),
  [SECTION.export]: (reader, layout) => times(reader, 'exports', () => layout.exports.push(readExport(reader))),
  [SECTION.start]: (reader, layout) => {
    layout.start = reader.u32();
  },
  [SECTION.element]: (reader, layout) => {
    layout.elementSegments = reader.u32();
    refuseAbove('elementSegments', layout.elementSegments);
  },
  [SECTION.data]: (reader, layout) => {
    layout.dataSegments = reader.u32();
    refuseAbove('dataSegments', layout.dataSegments);
  },
  [SECTION.tag]: (reader, layout) =>
    times(reader, 'tags', () => {
      reader.u8();
      layout.tags.push(reader.u32());
    }),
};

/** Reads a vector whose count is refused before anything is made of it. */
function times(reader: BinaryReader, of: CeilingName, read: () => void): void {
  const count = reader.u32();
  refuseAbove(of, count);
  for (let index = 0; index < count; index++) read();
}

function readTypes(reader: BinaryReader, layout: Draft): void {
  let values = 0;
  times(reader, 'types', () => {
    if (reader.u8() !== FUNCTION_FORM) unsupported('garbage-collected types');
    const type = { parameters: readValueTypes(reader), results: readValueTypes(reader) };
    values += type.parameters.length + type.results.length;
    refuseAbove('typeValues', values);
    layout.types.push(type);
  });
}

function readValueTypes(reader: BinaryReader): number[] {
  const types: number[] = [];
  times(reader, 'values', () => types.push(readValueType(reader)));
  return types;
}

/** Reads a value type and answers its first byte; typed references carry a heap type after it. */
function readValueType(reader: BinaryReader): number {
  const type = reader.u8();
  if (isTypedReference(type)) reader.s33();
  return type;
}

function readImports(reader: BinaryReader, layout: Draft): void {
  times(reader, 'imports', () => {
    const module = reader.name();
    const name = reader.name();
    const kind = readKind(reader);
    let type: FunctionType | undefined;
    if (kind === 'function') {
      const index = reader.u32();
      type = layout.types[index];
      layout.functionTypes.push(index);
      layout.importedFunctions++;
    } else if (kind === 'table') {
      readTable(reader, layout);
      layout.importedTables++;
    } else if (kind === 'memory') {
      readMemory(reader);
      layout.importedMemories++;
    } else if (kind === 'global') {
      readValueType(reader);
      reader.u8();
      layout.importedGlobals++;
    } else {
      reader.u8();
      reader.u32();
    }
    layout.imports.push({ module, name, kind, type });
  });
}

function readKind(reader: BinaryReader): ExternalKind {
  const code = reader.u8();
  return EXTERNAL_KINDS[code] ?? reader.fail(`an unknown external kind ${code}`, reader.offset - 1);
}

function readLimits(reader: BinaryReader): LimitsEntry {
  const flags = reader.u8();
  if (flags & LIMITS.is64) unsupported('memory64');
  if (flags & LIMITS.isShared) unsupported('threads (a shared memory)');
  const minimum = reader.u32();
  return { flags, minimum, maximum: flags & LIMITS.hasMaximum ? reader.u32() : undefined };
}

function readMemory(reader: BinaryReader): LimitsEntry {
  return readLimits(reader);
}

function readTable(reader: BinaryReader, layout: Draft): TableEntry {
  const start = reader.offset;
  const initialised = reader.bytes[reader.offset] === INITIALISED_TABLE;
  if (initialised) reader.skip(2);
  readValueType(reader);
  const limitsStart = reader.offset;
  const limits = readLimits(reader);
  const limitsEnd = reader.offset;
  if (initialised) readConstantExpression(reader, (index) => layout.referenced.push(index));
  return { ...limits, start, limitsStart, limitsEnd, end: reader.offset };
}

function readGlobal(reader: BinaryReader, layout: Draft): GlobalEntry {
  const start = reader.offset;
  const type = readValueType(reader);
  const mutable = reader.u8() === 1;
  readConstantExpression(reader, (index) => layout.referenced.push(index));
  return { type, mutable, start, end: reader.offset };
}

function readExport(reader: BinaryReader): ExportEntry {
  return { name: reader.name(), kind: readKind(reader), index: reader.u32() };
}
