/** A module that exports what it imports: a table takes functions of WebAssembly alone, and this makes one of JavaScript's. */

import { BinaryWriter } from './binary.ts';
import { EXTERNAL, FUNCTION_FORM, MODULE_PREAMBLE, SECTION, TYPE } from './encoding.ts';

/** Name of the import, in a module without a name, and of the export. */
export const PASSED = 'passed';

/** Of a function from such parameters to an i32. */
export function passingModule(parameters: readonly number[]): Uint8Array<ArrayBuffer> {
  const type = [1, FUNCTION_FORM, parameters.length, ...parameters, 1, TYPE.i32];
  const module = new BinaryWriter().raw(...MODULE_PREAMBLE, SECTION.type, type.length, ...type);
  module.u8(SECTION.import).sized(new BinaryWriter().u32(1).name('').name(PASSED).raw(EXTERNAL.function, 0));
  module.u8(SECTION.export).sized(new BinaryWriter().u32(1).name(PASSED).raw(EXTERNAL.function, 0));
  return module.toBytes();
}
