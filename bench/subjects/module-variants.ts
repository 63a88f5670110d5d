/** The same module as another binary: V8 shares compiled code between equal binaries, also between threads. */

import { Additions } from '../../host/module/additions.ts';
import { BinaryWriter } from '../../host/module/binary.ts';
import { readLayout } from '../../host/module/layout.ts';
import { scanCode } from '../../host/module/scan.ts';
import { writeModule } from '../../host/module/sections.ts';

const CUSTOM_SECTION = 0;
const MODULE_NAME = 0;
const FUNCTION_KIND = 0;
const MOST_PAGES = 65_536;
const MOST_ELEMENTS = 10_000_000;

let variants = 0;

/** The module with a name that no module compiled before has. The name section is the custom one that rewriting keeps. */
export function asNew(module: Uint8Array): Uint8Array<ArrayBuffer> {
  const name = new BinaryWriter().name(`${process.pid}-${variants++}`);
  const content = new BinaryWriter().name('name').u8(MODULE_NAME).sized(name);
  return new BinaryWriter().bytes(module).u8(CUSTOM_SECTION).sized(content).toBytes();
}

const PREFIX = 'bench:function';

/** The module with every function of its own exported, so that its tier can be asked for. */
export function withFunctionsExported(module: Uint8Array): Uint8Array<ArrayBuffer> {
  const layout = readLayout(module);
  const additions = new Additions(layout);
  for (let index = layout.importedFunctions; index < layout.functionTypes.length; index++) {
    additions.export(`${PREFIX}${index}`, FUNCTION_KIND, index);
  }
  // No body is rewritten, so none of the flags is used.
  const scan = { ...scanCode(layout), bodies: [] };
  const flags = {
    refused: -1,
    tablesChanged: -1,
    dropped: -1,
    segments: new Map<string, number>(),
    check: -1,
  };
  const growth = {
    memories: { maxima: layout.memories.map(() => MOST_PAGES), admission: undefined },
    tables: { maxima: layout.tables.map(() => MOST_ELEMENTS), admission: undefined },
    grow: new Map<number, number>(),
  };
  return writeModule({ layout, scan, additions, flags, growth });
}

/** Names under which `withFunctionsExported` exports. */
export function exportedFunctions(module: WebAssembly.Module): readonly string[] {
  return WebAssembly.Module.exports(module).flatMap(({ name }) => (name.startsWith(PREFIX) ? [name] : []));
}
