/** What definitions and types of a component's binary have in common. Source: component model, design/mvp/Binary.md. */

import type { BinaryReader } from '../../../module/binary.ts';
import { MOST_NESTED } from './binary-codes.ts';
import type { Definition, ExternType, Reference, Sort } from './syntax.ts';

/** @throws NebulaError MODULE_INVALID for what nests too deeply */
export function requireDepth(reader: BinaryReader, depth: number): void {
  if (depth > MOST_NESTED) reader.fail(`components or types nest deeper than ${MOST_NESTED} levels`);
}

/** Reads a vector; each element takes a byte at least, so that no count makes work of its own. */
export function vector<T>(reader: BinaryReader, read: () => T): T[] {
  const count = reader.u32();
  if (count > reader.end - reader.offset) reader.fail(`a vector of ${count} is cut off`);
  const found: T[] = [];
  for (let at = 0; at < count; at++) found.push(read());
  return found;
}

const SORTS: readonly Sort[] = ['core', 'func', 'value', 'type', 'component', 'instance'];

function readSort(reader: BinaryReader): Sort {
  const code = reader.u8();
  if (code === 0) reader.skip(1);
  return SORTS[code] ?? reader.fail(`an unknown sort ${code}`, reader.offset - 1);
}

/** A sort and an index. @throws NebulaError MODULE_INVALID */
export function readReference(reader: BinaryReader): Reference {
  return { sort: readSort(reader), index: reader.u32() };
}

/** An alias, added to what was found if it is of a component's own. @throws NebulaError MODULE_INVALID */
export function readAlias(reader: BinaryReader, found: Definition[]): void {
  const sort = readSort(reader);
  const target = reader.u8();
  const first = reader.u32();
  if (target === 0) found.push({ kind: 'alias', sort, instance: first, name: reader.name() });
  // Of a core instance: nothing of the component's own.
  else if (target === 1) reader.name();
  else if (target === 2) found.push({ kind: 'outer', sort, scopes: first, index: reader.u32() });
  else reader.fail(`an unknown target ${target} of an alias`, reader.offset - 1);
}

/** Before the name is a byte for its kind, of which none says anything about types. */
export function readExternName(reader: BinaryReader): string {
  const kind = reader.u8();
  if (kind > 1) reader.fail(`an unknown kind ${kind} of name`, reader.offset - 1);
  return reader.name();
}

const EXTERNS: readonly Exclude<Sort, 'type'>[] = ['core', 'func', 'value', 'value', 'component', 'instance'];
const TYPE_BOUND = 3;

/** What an import or export is declared to be. @throws NebulaError MODULE_INVALID */
export function readExternType(reader: BinaryReader): ExternType {
  const code = reader.u8();
  if (code === 0) reader.skip(1);
  else if (code === TYPE_BOUND) {
    const isResource = reader.u8() === 1;
    return { sort: 'type', index: isResource ? undefined : reader.u32() };
  }
  const sort = EXTERNS[code] ?? reader.fail(`an unknown kind ${code} of import or export`, reader.offset - 1);
  if (sort === 'value') reader.fail('values as imports or exports are not supported', reader.offset - 1);
  return { sort, index: reader.u32() };
}
