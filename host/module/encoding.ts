/** The numbers by which binaries of WebAssembly say what follows, but for instructions (opcodes.ts). Core spec, sections 5.3 and 5.5. */

/** The first bytes of every binary, module or component. */
export const MAGIC = [0x00, 0x61, 0x73, 0x6d] as const;
/** What a core module begins with: the magic bytes and its version, 1. */
export const MODULE_PREAMBLE: readonly number[] = [...MAGIC, 0x01, 0x00, 0x00, 0x00];
/** The preamble of modules and components alike: magic bytes, version and layer. */
export const PREAMBLE_BYTES = 8;

export const SECTION = {
  custom: 0,
  type: 1,
  import: 2,
  function: 3,
  table: 4,
  memory: 5,
  global: 6,
  export: 7,
  start: 8,
  element: 9,
  code: 10,
  data: 11,
  dataCount: 12,
  tag: 13,
} as const;

/** What can be imported and exported, in the order of their numbers. */
export const EXTERNAL_KINDS = ['function', 'table', 'memory', 'global', 'tag'] as const;

export type ExternalKind = (typeof EXTERNAL_KINDS)[number];

/** The number of each kind. */
export const EXTERNAL: Readonly<Record<ExternalKind, number>> = { function: 0, table: 1, memory: 2, global: 3, tag: 4 };

/** Value types. */
export const TYPE = { i32: 0x7f, i64: 0x7e, f32: 0x7d, f64: 0x7c, v128: 0x7b, funcref: 0x70, externref: 0x6f } as const;

/** Begins a function type. */
export const FUNCTION_FORM = 0x60;
/** Begins a table whose elements have an initial value. */
export const INITIALISED_TABLE = 0x40;

/** Bits of the flags of limits. */
export const LIMITS = { hasMaximum: 0x01, isShared: 0x02, is64: 0x04, hasPageSize: 0x08 } as const;

/** -1 as a signed LEB128. */
export const MINUS_ONE = 0x7f;
/** The type of a block that takes and leaves nothing. */
export const VOID_BLOCK = 0x40;

const REFERENCE_NULLABLE = 0x63;
const REFERENCE = 0x64;

/** Whether a value type's first byte is followed by a heap type. */
export function isTypedReference(type: number): boolean {
  return type === REFERENCE_NULLABLE || type === REFERENCE;
}
