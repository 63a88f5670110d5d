/**
 * A host function that a guest may be suspended in, as a core module imports it. To call one that is `Suspending` costs
 * twenty times what any other does, and is a trap where the host has called the guest back: so a plain one is called first,
 * and the other where that is not answered, with nothing of JavaScript's between it and the guest.
 */

import { BinaryWriter } from '../../module/binary.ts';
import { EXTERNAL, FUNCTION_FORM, MODULE_PREAMBLE, SECTION, TYPE, VOID_BLOCK } from '../../module/encoding.ts';
import { OP } from '../../module/opcodes.ts';
import { suspending } from '../../waiting/jspi.ts';

/** What such a function is made of. */
export interface SuspendableParts {
  /** Tries it. It has no results: what it answers is in the guest's memory. */
  readonly begin: (...values: unknown[]) => void;
  /** Whether it is to be tried again: 1, or 0. */
  readonly isUnanswered: () => number;
  /** Suspends the guest until it is answered. */
  readonly finish: () => Promise<unknown>;
}

const TYPES: Readonly<Record<string, number>> = { i: TYPE.i32, I: TYPE.i64 };
const NAMES = ['begin', 'isUnanswered', 'finish'] as const;

const compiled: Map<string, WebAssembly.Module> = new Map();

/** The function, of parameters of these types: a letter each, `i` for an i32 and `I` for an i64. */
export function suspendableImport(parameters: string, parts: SuspendableParts): WebAssembly.ImportValue {
  let module = compiled.get(parameters);
  if (module === undefined) {
    module = new WebAssembly.Module(moduleOf(parameters));
    compiled.set(parameters, module);
  }
  const imports = { ...parts, finish: suspending(parts.finish) } as WebAssembly.ModuleImports;
  return new WebAssembly.Instance(module, { '': imports }).exports['f'] as WebAssembly.ImportValue;
}

function moduleOf(parameters: string): Uint8Array<ArrayBuffer> {
  const values = Array.from(parameters, (letter) => TYPES[letter] as number);
  const types = new BinaryWriter()
    .u32(3)
    .raw(FUNCTION_FORM)
    .u32(values.length)
    .raw(...values, 0);
  types.raw(FUNCTION_FORM, 0, 1, TYPE.i32, FUNCTION_FORM, 0, 0);
  const imports = new BinaryWriter().u32(NAMES.length);
  NAMES.forEach((name, type) => imports.name('').name(name).raw(EXTERNAL.function, type));
  const body = new BinaryWriter().raw(0);
  values.forEach((_, index) => body.raw(OP.localGet, index));
  body.raw(OP.call, 0, OP.call, 1, OP.if, VOID_BLOCK, OP.call, 2, OP.end, OP.end);
  const module = new BinaryWriter()
    .raw(...MODULE_PREAMBLE)
    .u8(SECTION.type)
    .sized(types);
  module.u8(SECTION.import).sized(imports).raw(SECTION.function, 2, 1, 0);
  module.u8(SECTION.export).sized(new BinaryWriter().u32(1).name('f').raw(EXTERNAL.function, NAMES.length));
  return module.u8(SECTION.code).sized(new BinaryWriter().u32(1).sized(body)).toBytes();
}
