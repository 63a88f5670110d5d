/** Names of what core modules import and export, as names that are made here: what links by them goes on linking by them. */

import { BinaryReader, BinaryWriter } from '../../../module/binary.ts';
import {
  EXTERNAL,
  isTypedReference,
  LIMITS,
  MODULE_PREAMBLE,
  PREAMBLE_BYTES,
  SECTION,
} from '../../../module/encoding.ts';

/** Bytes of a binary that another name takes the place of. */
export interface Renaming {
  readonly start: number;
  readonly end: number;
  readonly name: string;
}

/** One made name for each name of a component's core modules, the same wherever that is used: what was equal stays equal. */
export class CoreNames {
  readonly #made: Map<string, string> = new Map();

  /** Reads a name and answers what it becomes. */
  rename(reader: BinaryReader): Renaming {
    const start = reader.offset;
    const given = reader.name();
    let name = this.#made.get(given);
    if (name === undefined) {
      name = `n${this.#made.size}`;
      this.#made.set(given, name);
    }
    return { start, end: reader.offset, name };
  }
}

/** A stretch of a binary with some names replaced. */
export function withRenamings(
  bytes: Uint8Array,
  start: number,
  end: number,
  renamings: readonly Renaming[],
): BinaryWriter {
  const writer = new BinaryWriter();
  let copied = start;
  for (const renaming of renamings) {
    writer.bytes(bytes.subarray(copied, renaming.start)).name(renaming.name);
    copied = renaming.end;
  }
  return writer.bytes(bytes.subarray(copied, end));
}

/** Passes over sections, and leaves the custom ones out. Core specification, section 5.5.2; components have the same frames. */
export function rewriteSections(
  bytes: Uint8Array,
  start: number,
  end: number,
  rewrite: (id: number, start: number, end: number) => BinaryWriter,
): BinaryWriter {
  const reader = new BinaryReader(bytes, start, end);
  reader.skip(PREAMBLE_BYTES);
  const writer = new BinaryWriter().bytes(bytes.subarray(start, reader.offset));
  while (!reader.atEnd) {
    const at = reader.offset;
    const id = reader.u8();
    const sizeBytes = reader.u32();
    const from = reader.offset;
    if (from + sizeBytes > end) reader.fail(`section ${id} of ${sizeBytes} bytes is cut off`, at);
    if (id !== SECTION.custom) writer.u8(id).sized(rewrite(id, from, from + sizeBytes));
    reader.offset = from + sizeBytes;
  }
  return writer;
}

/**
 * A core module with made names and without custom sections.
 * @throws NebulaError MODULE_INVALID
 */
export function rewriteCoreModule(bytes: Uint8Array, start: number, end: number, names: CoreNames): BinaryWriter {
  const reader = new BinaryReader(bytes, start, end);
  for (const byte of MODULE_PREAMBLE) if (reader.u8() !== byte) reader.fail('this is no core module', start);
  return rewriteSections(bytes, start, end, (id, from, to) => {
    const content = new BinaryReader(bytes, from, to);
    const renamings: Renaming[] = [];
    if (id === SECTION.import) {
      times(content, () => {
        renamings.push(names.rename(content), names.rename(content));
        skipExternType(content);
      });
    } else if (id === SECTION.export) {
      times(content, () => {
        renamings.push(names.rename(content));
        content.skip(1);
        content.u32();
      });
    } else content.offset = to;
    if (!content.atEnd) content.fail(`section ${id} has bytes behind its end`);
    return withRenamings(bytes, from, to, renamings);
  });
}

/** Reads a count, then that many times. */
export function times(reader: BinaryReader, read: () => void): void {
  const count = reader.u32();
  for (let index = 0; index < count; index++) read();
}

/** Passes over what an import of a core module is. Core specification, section 5.5.5. */
export function skipExternType(reader: BinaryReader): void {
  const at = reader.offset;
  const kind = reader.u8();
  if (kind === EXTERNAL.function) reader.u32();
  else if (kind === EXTERNAL.table) {
    skipValueType(reader);
    skipLimits(reader);
  } else if (kind === EXTERNAL.memory) skipLimits(reader);
  else if (kind === EXTERNAL.global) {
    skipValueType(reader);
    reader.skip(1);
  } else if (kind === EXTERNAL.tag) {
    reader.skip(1);
    reader.u32();
  } else reader.fail(`an unknown external kind ${kind}`, at);
}

/** A value type of a core module; typed references carry a heap type. */
export function skipValueType(reader: BinaryReader): void {
  const type = reader.u8();
  if (isTypedReference(type)) reader.s33();
}

function skipLimits(reader: BinaryReader): void {
  const flags = reader.u8();
  // 64-bit memories have longer bounds, and page sizes of their own come after them.
  reader.skipLeb(10);
  if (flags & LIMITS.hasMaximum) reader.skipLeb(10);
  if (flags & LIMITS.hasPageSize) reader.u32();
}
