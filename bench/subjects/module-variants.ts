/** The same module as another binary: V8 shares compiled code between equal binaries, also between threads. */

import { Additions } from '../../host/module/additions.ts';
import { BinaryReader, BinaryWriter } from '../../host/module/binary.ts';
import { EXTERNAL, SECTION } from '../../host/module/encoding.ts';
import { readLayout } from '../../host/module/layout.ts';
import { scanCode } from '../../host/module/scan.ts';
import { writeModule } from '../../host/module/sections.ts';
import { MOST_WASM_PAGES } from '../../host/wasm-page.ts';

const MODULE_NAME = 0;
const MOST_ELEMENTS = 10_000_000;

let variants = 0;

/** The module with a name that no module compiled before has. The name section is the custom one that rewriting keeps. */
export function asNew(module: Uint8Array): Uint8Array<ArrayBuffer> {
  const name = new BinaryWriter().name(`${process.pid}-${variants++}`);
  const content = new BinaryWriter().name('name').u8(MODULE_NAME).sized(name);
  return new BinaryWriter().bytes(module).u8(SECTION.custom).sized(content).toBytes();
}

/** The module with its functions so many times over that its code has at least `sizeBytes`. */
export function withCodeOf(module: Uint8Array, sizeBytes: number): Uint8Array<ArrayBuffer> {
  const { sections } = readLayout(module);
  const code = sections.find(({ id }) => id === SECTION.code);
  if (code === undefined) throw new Error('the module has no code');
  const copies = Math.ceil(sizeBytes / (code.end - code.start));
  const writer = new BinaryWriter().bytes(module.subarray(0, 8));
  for (const { id, start, end } of sections) {
    if (id === SECTION.custom) continue;
    const content = new BinaryWriter();
    if (id === SECTION.function || id === SECTION.code) {
      const reader = new BinaryReader(module, start, end);
      content.u32(reader.u32() * copies);
      for (let left = copies; left > 0; left--) content.run(module, reader.offset, end);
    } else content.run(module, start, end);
    writer.u8(id).sized(content);
  }
  return writer.toBytes();
}

const PREFIX = 'bench:function';

/** The module with every function of its own exported, so that its tier can be asked for. */
export function withFunctionsExported(module: Uint8Array): Uint8Array<ArrayBuffer> {
  const layout = readLayout(module);
  const additions = new Additions(layout);
  for (let index = layout.importedFunctions; index < layout.functionTypes.length; index++) {
    additions.export(`${PREFIX}${index}`, EXTERNAL.function, index);
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
    memories: { maxima: layout.memories.map(() => MOST_WASM_PAGES), admission: undefined },
    tables: { maxima: layout.tables.map(() => MOST_ELEMENTS), admission: undefined },
    grow: new Map<number, number>(),
  };
  return writeModule({ layout, scan, additions, flags, growth, size: undefined, meter: undefined });
}

/** Names under which `withFunctionsExported` exports. */
export function exportedFunctions(module: WebAssembly.Module): readonly string[] {
  return WebAssembly.Module.exports(module).flatMap(({ name }) => (name.startsWith(PREFIX) ? [name] : []));
}
