/** Reads the definitions of a component that types depend on, and refuses what is asynchronous. */

import { NebulaError } from '../../../errors.ts';
import { BinaryReader } from '../../../module/binary.ts';
import { PREAMBLE_BYTES } from '../../../module/encoding.ts';
import { COMPONENT_SECTION } from './binary-codes.ts';
import { readAlias, readExternName, readExternType, readReference, requireDepth, vector } from './parts.ts';
import { refuseAsync } from './asynchrony.ts';
import type { Definition, Named, Reference } from './syntax.ts';
import { readType } from './type-reader.ts';

/**
 * The definitions of a component's binary in their order.
 * @throws NebulaError MODULE_INVALID; MODULE_UNSUPPORTED for whatever is of WASI 0.3
 */
export function readDefinitions(bytes: Uint8Array): readonly Definition[] {
  return readComponent(new BinaryReader(bytes), 0);
}

function readComponent(reader: BinaryReader, depth: number): readonly Definition[] {
  requireDepth(reader, depth);
  reader.skip(PREAMBLE_BYTES);
  const found: Definition[] = [];
  while (!reader.atEnd) {
    const id = reader.u8();
    const sizeBytes = reader.u32();
    const end = reader.offset + sizeBytes;
    const content = new BinaryReader(reader.bytes, reader.offset, end);
    reader.skip(sizeBytes);
    if (id === COMPONENT_SECTION.component) {
      found.push({ kind: 'component', definitions: readComponent(content, depth + 1) });
    } else {
      const read = READERS.get(id);
      if (read !== undefined) vector(content, () => read(content, found, depth));
    }
  }
  return found;
}

type Read = (reader: BinaryReader, found: Definition[], depth: number) => void;

const READERS: ReadonlyMap<number, Read> = new Map<number, Read>([
  [COMPONENT_SECTION.instance, (reader, found) => found.push(readInstance(reader))],
  [COMPONENT_SECTION.alias, (reader, found) => readAlias(reader, found)],
  [COMPONENT_SECTION.type, (reader, found, depth) => found.push({ kind: 'type', type: readType(reader, depth) })],
  [COMPONENT_SECTION.canon, readCanon],
  [
    COMPONENT_SECTION.import,
    (reader, found) => found.push({ kind: 'import', name: readExternName(reader), type: readExternType(reader) }),
  ],
  [COMPONENT_SECTION.export, (reader, found) => found.push(readExport(reader))],
]);

function readInstance(reader: BinaryReader): Definition {
  const kind = reader.u8();
  const named = (name: () => string) => (): Named<Reference> => [name(), readReference(reader)];
  if (kind === 0) {
    const component = reader.u32();
    return {
      kind: 'instantiate',
      component,
      given: vector(
        reader,
        named(() => reader.name()),
      ),
    };
  }
  if (kind !== 1) reader.fail(`an unknown instance ${kind}`, reader.offset - 1);
  return {
    kind: 'bundle',
    exports: vector(
      reader,
      named(() => readExternName(reader)),
    ),
  };
}

const CANON = { lift: 0, lower: 1, resourceRep: 4 } as const;
const OPTION = { latin1: 2, memory: 3, postReturn: 5, async: 6 } as const;

function readCanon(reader: BinaryReader, found: Definition[]): void {
  const operation = reader.u8();
  if (operation > CANON.resourceRep) refuseAsync('a built-in function');
  if (operation > CANON.lower) {
    reader.u32();
    return;
  }
  reader.skip(1);
  reader.u32();
  vector(reader, () => readOption(reader));
  if (operation === CANON.lift) found.push({ kind: 'lift', type: reader.u32() });
}

function readOption(reader: BinaryReader): void {
  const option = reader.u8();
  if (option === OPTION.latin1) throw new NebulaError('MODULE_UNSUPPORTED', { feature: 'strings in latin1+utf16' });
  if (option >= OPTION.async) refuseAsync('an asynchronous function');
  if (option >= OPTION.memory) reader.u32();
}

function readExport(reader: BinaryReader): Definition {
  const name = readExternName(reader);
  const reference = readReference(reader);
  const isAscribed = reader.u8() === 1;
  return { kind: 'export', name, reference, type: isAscribed ? readExternType(reader) : undefined };
}
