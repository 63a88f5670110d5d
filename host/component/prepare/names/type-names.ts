/** Passes over the types of a component, for the names in them. Source: component model, design/mvp/Binary.md, "Type Definitions". */

import type { BinaryReader } from '../../../module/binary.ts';
import { FUNCTION_FORM } from '../../../module/encoding.ts';
import { CORE_MODULE_FORM, TYPE_FORM } from '../types/binary-codes.ts';
import { skipExternType, skipValueType, times } from './core-names.ts';
import { type NameReader, readAlias } from './name-reader.ts';

const VALUE_TYPE_BYTES = 5;

/** A type of a core module, or of a function in one. */
export function readCoreType(names: NameReader): void {
  const { reader } = names;
  const form = reader.u8();
  if (form === FUNCTION_FORM) {
    times(reader, () => skipValueType(reader));
    times(reader, () => skipValueType(reader));
  } else if (form === CORE_MODULE_FORM) {
    names.nested(() => times(reader, () => readModuleDeclaration(names)));
  } else reader.fail(`an unknown core type 0x${form.toString(16)}`, reader.offset - 1);
}

function readModuleDeclaration(names: NameReader): void {
  const { reader } = names;
  const kind = reader.u8();
  if (kind === 0) {
    names.core();
    names.core();
    skipExternType(reader);
  } else if (kind === 1) readCoreType(names);
  else if (kind === 2) {
    reader.skip(2);
    reader.u32();
    reader.u32();
  } else if (kind === 3) {
    names.core();
    skipExternType(reader);
  } else reader.fail(`an unknown declaration ${kind} of a core module's type`, reader.offset - 1);
}

/** What an import or export is. */
export function readExternType({ reader }: NameReader): void {
  const kind = reader.u8();
  if (kind === 0) reader.skip(1);
  else if (kind === 2) reader.fail('values as imports or exports are not supported', reader.offset - 1);
  else if (kind > 5) reader.fail(`an unknown kind ${kind} of import or export`, reader.offset - 1);
  // Of a type it says whether it equals another or is a resource.
  if (kind === 3 && reader.u8() === 1) return;
  reader.u32();
}

type TypeReader = (names: NameReader) => void;

const valueType = ({ reader }: NameReader): void => reader.skipLeb(VALUE_TYPE_BYTES);

const optional =
  (read: TypeReader): TypeReader =>
  (names) => {
    if (names.reader.u8() !== 0) read(names);
  };

const many =
  (read: TypeReader): TypeReader =>
  (names) =>
    times(names.reader, () => read(names));

const field: TypeReader = (names) => {
  names.label();
  valueType(names);
};

const index: TypeReader = ({ reader }) => void reader.u32();
const label: TypeReader = (names) => names.label();

function inOrder(...readers: readonly TypeReader[]): TypeReader {
  return (names) => {
    for (const read of readers) read(names);
  };
}

const FUNCTION: TypeReader = inOrder(many(field), ({ reader }) => {
  if (reader.u8() === 0) reader.skipLeb(VALUE_TYPE_BYTES);
  else if (reader.u8() !== 0) reader.fail('named results are not supported', reader.offset - 1);
});

const nested =
  (read: TypeReader): TypeReader =>
  (names) =>
    names.nested(() => read(names));

const FORMS: ReadonlyMap<number, TypeReader> = new Map<number, TypeReader>([
  [TYPE_FORM.record, many(field)],
  [TYPE_FORM.variant, many(inOrder(label, optional(valueType), optional(index)))],
  [TYPE_FORM.list, valueType],
  [TYPE_FORM.tuple, many(valueType)],
  [TYPE_FORM.flags, many(label)],
  [TYPE_FORM.enum, many(label)],
  [TYPE_FORM.option, valueType],
  [TYPE_FORM.result, inOrder(optional(valueType), optional(valueType))],
  [TYPE_FORM.own, index],
  [TYPE_FORM.borrow, index],
  [TYPE_FORM.fixedList, inOrder(valueType, index)],
  [TYPE_FORM.stream, optional(valueType)],
  [TYPE_FORM.future, optional(valueType)],
  [TYPE_FORM.map, inOrder(valueType, valueType)],
  [TYPE_FORM.func, FUNCTION],
  [TYPE_FORM.asyncFunc, FUNCTION],
  [TYPE_FORM.component, nested(many(readDeclaration))],
  [TYPE_FORM.instance, nested(many(readDeclaration))],
  [TYPE_FORM.resource, inOrder(({ reader }) => reader.skip(1), optional(index))],
]);

/** The primitive types: bool to string, and error contexts. */
function isPrimitive(form: number): boolean {
  return (form >= TYPE_FORM.firstPrimitive && form <= TYPE_FORM.lastPrimitive) || form === TYPE_FORM.errorContext;
}

/** A type of the component model's. */
export function readType(names: NameReader): void {
  const { reader } = names;
  const form = reader.u8();
  if (isPrimitive(form)) return;
  const read = FORMS.get(form);
  if (read === undefined) refuse(reader, form);
  else read(names);
}

function refuse(reader: BinaryReader, form: number): never {
  return reader.fail(`an unknown type 0x${form.toString(16)}`, reader.offset - 1);
}

/** A declaration in the type of an instance or of a component. */
function readDeclaration(names: NameReader): void {
  const { reader } = names;
  const kind = reader.u8();
  if (kind === 0) readCoreType(names);
  else if (kind === 1) readType(names);
  else if (kind === 2) readAlias(names);
  else if (kind === 3 || kind === 4) {
    names.externDeclared();
    readExternType(names);
  } else reader.fail(`an unknown declaration ${kind}`, reader.offset - 1);
}
