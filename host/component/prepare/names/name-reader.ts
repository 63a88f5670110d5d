/** Reads the names in a component's binary, and notes what becomes of each. Source: component model, design/mvp/Binary.md. */

import { NebulaError } from '../../../errors.ts';
import type { BinaryReader } from '../../../module/binary.ts';
import { MOST_NESTED } from '../types/binary-codes.ts';
import type { CoreNames, Renaming } from './core-names.ts';
import { isExternName, isLabel, takenLabel } from './grammar.ts';

/** Reads names and notes what becomes of them. */
export interface NameReader {
  readonly reader: BinaryReader;
  /** A name of a core module's. */
  core(): void;
  /** A name of a parameter, field, case or flag. */
  label(): void;
  /** A name of an import or export. */
  extern(): void;
  /** The same, with the byte before it that says which kind of name it is. */
  externDeclared(): void;
  /** Runs `read` one level deeper. */
  nested(read: () => void): void;
}

/** Passes over a sort. @throws NebulaError MODULE_INVALID */
export function readSort(reader: BinaryReader): void {
  const sort = reader.u8();
  if (sort === 0) reader.skip(1);
  else if (sort > 5) reader.fail(`an unknown sort ${sort}`, reader.offset - 1);
}

/** Passes over a sort and an index. @throws NebulaError MODULE_INVALID */
export function readSortIndex(reader: BinaryReader): void {
  readSort(reader);
  reader.u32();
}

/** An alias of a section, or of a type's declarations. */
export function readAlias(names: NameReader): void {
  const { reader } = names;
  readSort(reader);
  const target = reader.u8();
  reader.u32();
  if (target === 0) names.extern();
  else if (target === 1) names.core();
  else if (target === 2) reader.u32();
  else reader.fail(`an unknown target ${target} of an alias`, reader.offset - 1);
}

/**
 * Reads the names of one section: those of core modules become names of `names`, noted in `renamings`; the component's
 * own are held to the grammar.
 */
export function nameReader(reader: BinaryReader, names: CoreNames, renamings: Renaming[]): NameReader {
  let depth = 0;
  const read = (isName: (text: string) => boolean, what: string): void => {
    const at = reader.offset;
    const text = reader.name();
    if (!isName(text)) reader.fail(`${what} ${shown(text)} is not of the component model's grammar`, at);
    const taken = takenLabel(text);
    if (taken !== undefined) {
      throw new NebulaError('MODULE_UNSUPPORTED', { feature: `the name "${taken}" (JavaScript has taken it)` });
    }
  };
  const extern = (): void => read(isExternName, 'the name of an import or export');
  return {
    reader,
    core: () => renamings.push(names.rename(reader)),
    label: () => read(isLabel, 'the label'),
    extern,
    externDeclared() {
      const kind = reader.u8();
      if (kind > 1) reader.fail(`an unknown kind ${kind} of name`, reader.offset - 1);
      extern();
    },
    nested(each) {
      refuseDepth(++depth, reader.offset);
      each();
      depth--;
    },
  };
}

/** @throws NebulaError MODULE_INVALID */
export function refuseDepth(depth: number, offset: number): void {
  if (depth <= MOST_NESTED) return;
  throw new NebulaError('MODULE_INVALID', {
    detail: `components or types nest deeper than ${MOST_NESTED} levels`,
    offset,
  });
}

const SHOWN_CHARACTERS = 60;

/** A text as a message can hold it, whatever is in it. */
function shown(text: string): string {
  const cut = text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}...` : text;
  return JSON.stringify(cut).replace(/[^\x20-\x7e]/g, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}
