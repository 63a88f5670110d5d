/** Writes a rewritten module section by section; what does not change is copied in whole runs. */

import { NO_BYTES } from '../bytes.ts';
import type { Additions } from './additions.ts';
import { BinaryWriter } from './binary.ts';
import { BodyRewriter } from './bodies.ts';
import { FUNCTION_FORM, LIMITS, PREAMBLE_BYTES, SECTION } from './encoding.ts';
import type { LimitsEntry, ModuleLayout } from './layout.ts';
import type { Growth } from './growth.ts';
import type { Rewriting } from './rewriting.ts';

/** Core spec, section 5.5.2: the order of sections. */
const ORDER = [
  SECTION.type,
  SECTION.import,
  SECTION.function,
  SECTION.table,
  SECTION.memory,
  SECTION.tag,
  SECTION.global,
  SECTION.export,
  SECTION.element,
  SECTION.dataCount,
  SECTION.code,
  SECTION.data,
] as const;

export function writeModule(rewriting: Rewriting): Uint8Array<ArrayBuffer> {
  const { layout, meter } = rewriting;
  const module = new BinaryWriter().bytes(layout.bytes.subarray(0, PREAMBLE_BYTES));
  for (const id of ORDER) {
    const content = sectionContent(id, rewriting);
    // Compilers read hints before the code that they are for.
    if (id === SECTION.code && meter !== undefined) module.u8(SECTION.custom).sized(meter.branchHints());
    if (content !== undefined) module.u8(id).sized(content);
  }
  for (const section of layout.sections) {
    if (section.name !== 'name') continue;
    module
      .u8(SECTION.custom)
      .u32(section.end - section.start)
      .bytes(layout.bytes.subarray(section.start, section.end));
  }
  return module.toBytes();
}

function sectionContent(id: number, rewriting: Rewriting): BinaryWriter | undefined {
  const { layout, additions, growth } = rewriting;
  const original = layout.sections.find((section) => section.id === id);
  switch (id) {
    case SECTION.type:
      return extended(layout, original, additions.types.length, (writer) => {
        for (const type of additions.types) {
          writer
            .u8(FUNCTION_FORM)
            .u32(type.parameters.length)
            .raw(...type.parameters);
          writer.u32(type.results.length).raw(...type.results);
        }
      });
    case SECTION.function:
      return extended(layout, original, additions.functions.length, (writer) => {
        for (const added of additions.functions) writer.u32(added.type);
      });
    case SECTION.table:
      return tables(layout, additions, growth.tables);
    case SECTION.memory:
      return memories(layout, growth.memories);
    case SECTION.global:
      return extended(layout, original, additions.globals.length, (writer) => {
        for (const global of additions.globals) writer.bytes(global);
      });
    case SECTION.export:
      return extended(layout, original, additions.exports.length, (writer) => {
        for (const added of additions.exports) writer.name(added.name).u8(added.kind).u32(added.index);
      });
    case SECTION.code:
      return code(rewriting);
    default:
      return original === undefined
        ? undefined
        : new BinaryWriter().bytes(layout.bytes.subarray(original.start, original.end));
  }
}

/** A vector section with entries added behind its own. */
function extended(
  layout: ModuleLayout,
  original: { start: number; end: number } | undefined,
  addedCount: number,
  write: (writer: BinaryWriter) => void,
): BinaryWriter | undefined {
  const { count, rest } = vectorOf(layout.bytes, original);
  if (count + addedCount === 0) return undefined;
  const writer = new BinaryWriter().u32(count + addedCount).bytes(rest);
  write(writer);
  return writer;
}

function vectorOf(
  bytes: Uint8Array,
  range: { start: number; end: number } | undefined,
): { count: number; rest: Uint8Array } {
  if (range === undefined) return { count: 0, rest: NO_BYTES };
  let count = 0;
  let shift = 0;
  let offset = range.start;
  for (;;) {
    const byte = bytes[offset++] as number;
    count += (byte & 0x7f) * 2 ** shift;
    shift += 7;
    if (byte < 0x80) return { count, rest: bytes.subarray(offset, range.end) };
  }
}

function writeLimits(writer: BinaryWriter, entry: LimitsEntry, cap: number): void {
  writer
    .u8(entry.flags | LIMITS.hasMaximum)
    .u32(entry.minimum)
    .u32(Math.min(entry.maximum ?? cap, cap));
}

function memories(layout: ModuleLayout, { maxima }: Growth): BinaryWriter | undefined {
  if (layout.memories.length === 0) return undefined;
  const writer = new BinaryWriter().u32(layout.memories.length);
  layout.memories.forEach((memory, at) => writeLimits(writer, memory, maxima[at] as number));
  return writer;
}

function tables(layout: ModuleLayout, additions: Additions, { maxima }: Growth): BinaryWriter | undefined {
  if (layout.tables.length + additions.tables.length === 0) return undefined;
  const writer = new BinaryWriter().u32(layout.tables.length + additions.tables.length);
  layout.tables.forEach((table, at) => {
    writer.bytes(layout.bytes.subarray(table.start, table.limitsStart));
    writeLimits(writer, table, maxima[at] as number);
    writer.bytes(layout.bytes.subarray(table.limitsEnd, table.end));
  });
  for (const added of additions.tables) writer.bytes(added);
  return writer;
}

function code(rewriting: Rewriting): BinaryWriter {
  const { layout, scan, additions } = rewriting;
  const original = layout.sections.find((section) => section.id === SECTION.code);
  const { count, rest } = vectorOf(layout.bytes, original);
  const writer = new BinaryWriter().u32(count + additions.functions.length);
  if (original !== undefined) {
    const rewriter = new BodyRewriter(rewriting);
    let copied = original.end - rest.length;
    for (const body of scan.bodies) {
      writer.run(layout.bytes, copied, body.start).sized(rewriter.rewrite(body));
      copied = body.end;
    }
    writer.run(layout.bytes, copied, original.end);
  }
  for (const added of additions.functions) writer.sized(added.body);
  return writer;
}
