/** Codes of a component's binary. Source: component model, design/mvp/Binary.md. */

/** Sections by their ids; custom sections have 0, as in a core module. */
export const COMPONENT_SECTION = {
  coreModule: 1,
  coreInstance: 2,
  coreType: 3,
  component: 4,
  instance: 5,
  alias: 6,
  type: 7,
  canon: 8,
  import: 10,
  export: 11,
} as const;

/** What a type begins with. Primitive types are one byte, from `firstPrimitive` to `lastPrimitive`, or `errorContext`. */
export const TYPE_FORM = {
  resource: 0x3f,
  func: 0x40,
  component: 0x41,
  instance: 0x42,
  asyncFunc: 0x43,
  map: 0x63,
  errorContext: 0x64,
  future: 0x65,
  stream: 0x66,
  fixedList: 0x67,
  borrow: 0x68,
  own: 0x69,
  result: 0x6a,
  option: 0x6b,
  enum: 0x6d,
  flags: 0x6e,
  tuple: 0x6f,
  list: 0x70,
  variant: 0x71,
  record: 0x72,
  firstPrimitive: 0x73,
  lastPrimitive: 0x7f,
} as const;

/** What the type of a core module begins with; those of core functions begin as in a core module. */
export const CORE_MODULE_FORM = 0x50;

/** As deep as components may hold components, and types other types: what nests deeper is nobody's program. */
export const MOST_NESTED = 100;
