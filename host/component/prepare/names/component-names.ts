/**
 * Takes the names out of a component that its author was free in. jco writes names into the JavaScript that links the core
 * modules; whatever is not a name of the component model's own grammar must not get there as text. So core modules'
 * names become names that are made here, custom sections go, and a component's own names are held to the grammar.
 * Source: component model, design/mvp/Binary.md.
 */

import { BinaryReader, type BinaryWriter } from '../../../module/binary.ts';
import { MAGIC } from '../../../module/encoding.ts';
import { COMPONENT_SECTION } from '../types/binary-codes.ts';
import { CoreNames, type Renaming, rewriteCoreModule, rewriteSections, times, withRenamings } from './core-names.ts';
import { type NameReader, nameReader, readAlias, readSortIndex, refuseDepth } from './name-reader.ts';
import { readCoreType, readExternType, readType } from './type-names.ts';

/**
 * The component with made names for what core modules import and export, and without custom sections.
 * @throws NebulaError MODULE_INVALID, MODULE_UNSUPPORTED
 */
export function rewriteNames(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return rewriteComponent(bytes, 0, bytes.length, new CoreNames(), 0).toBytes();
}

function rewriteComponent(
  bytes: Uint8Array,
  start: number,
  end: number,
  names: CoreNames,
  depth: number,
): BinaryWriter {
  refuseDepth(depth, start);
  const reader = new BinaryReader(bytes, start, end);
  const preamble = [...MAGIC, 0x0d, 0x00, 0x01, 0x00];
  for (const byte of preamble) if (reader.u8() !== byte) reader.fail('this is no component of a known version', start);
  return rewriteSections(bytes, start, end, (id, from, to) => {
    if (id === COMPONENT_SECTION.coreModule) return rewriteCoreModule(bytes, from, to, names);
    if (id === COMPONENT_SECTION.component) return rewriteComponent(bytes, from, to, names, depth + 1);
    const content = new BinaryReader(bytes, from, to);
    const renamings: Renaming[] = [];
    readSection(id, nameReader(content, names, renamings), to);
    if (!content.atEnd) content.fail(`section ${id} has bytes behind its end`);
    return withRenamings(bytes, from, to, renamings);
  });
}

function readSection(id: number, names: NameReader, end: number): void {
  const { reader } = names;
  switch (id) {
    case COMPONENT_SECTION.coreInstance:
      return times(reader, () => readCoreInstance(names));
    case COMPONENT_SECTION.coreType:
      return times(reader, () => readCoreType(names));
    case COMPONENT_SECTION.instance:
      return times(reader, () => readInstance(names));
    case COMPONENT_SECTION.alias:
      return times(reader, () => readAlias(names));
    case COMPONENT_SECTION.type:
      return times(reader, () => readType(names));
    case COMPONENT_SECTION.canon:
      // Operations, indices and options: no names.
      reader.offset = end;
      return;
    case COMPONENT_SECTION.import:
      return times(reader, () => {
        names.externDeclared();
        readExternType(names);
      });
    case COMPONENT_SECTION.export:
      return times(reader, () => readExport(names));
    default:
      return reader.fail(`section ${id} of a component is not supported`, reader.offset);
  }
}

function readCoreInstance(names: NameReader): void {
  const { reader } = names;
  const kind = reader.u8();
  if (kind === 0) {
    reader.u32();
    times(reader, () => {
      names.core();
      reader.skip(1);
      reader.u32();
    });
  } else if (kind === 1) {
    times(reader, () => {
      names.core();
      reader.skip(1);
      reader.u32();
    });
  } else reader.fail(`an unknown core instance ${kind}`, reader.offset - 1);
}

function readInstance(names: NameReader): void {
  const { reader } = names;
  const kind = reader.u8();
  if (kind === 0) {
    reader.u32();
    times(reader, () => {
      names.extern();
      readSortIndex(reader);
    });
  } else if (kind === 1) {
    times(reader, () => {
      names.externDeclared();
      readSortIndex(reader);
    });
  } else reader.fail(`an unknown instance ${kind}`, reader.offset - 1);
}

function readExport(names: NameReader): void {
  names.externDeclared();
  readSortIndex(names.reader);
  const flag = names.reader.u8();
  if (flag === 1) readExternType(names);
  else if (flag !== 0) names.reader.fail(`an unknown ascription ${flag}`, names.reader.offset - 1);
}
