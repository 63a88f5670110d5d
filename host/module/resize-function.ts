/** Hands a module whose memory has a size of its own the function that opens and closes its pages. */

import { I32_TO_I32 } from './additions.ts';
import { PASSED, passingModule } from './passing-module.ts';

/** What opens the pages that a guest grows into: gets the pages it then has, answers 1 or 0. */
export type Resize = (pages: number) => number;

let compiled: WebAssembly.Module | undefined;

/** The function as WebAssembly's, for one instance. */
export function asResizeFunction(resize: Resize): Resize {
  compiled ??= new WebAssembly.Module(passingModule(I32_TO_I32.parameters));
  return new WebAssembly.Instance(compiled, { '': { [PASSED]: resize } }).exports[PASSED] as Resize;
}
