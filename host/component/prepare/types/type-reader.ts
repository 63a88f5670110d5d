/** Reads a type of a component's binary. Source: component model, design/mvp/Binary.md, "Type Definitions". */

import type { BinaryReader } from '../../../module/binary.ts';
import { FUNCTION_FORM } from '../../../module/encoding.ts';
import { readAlias, readExternName, readExternType, requireDepth, vector } from './parts.ts';
import { refuseAsync } from './asynchrony.ts';
import { CORE_MODULE_FORM, TYPE_FORM } from './binary-codes.ts';
import type { Definition, FunctionType, TypeDefinition, ValueType } from './syntax.ts';

/** A value type is an index, or a primitive type as a negative number of one byte. */
function readValue(reader: BinaryReader): ValueType {
  const index = reader.s33();
  if (index >= 0) return { index };
  const primitive = index & 0x7f;
  if (primitive === TYPE_FORM.errorContext) refuseAsync('an error-context');
  if (primitive < TYPE_FORM.firstPrimitive) reader.fail(`an unknown type 0x${primitive.toString(16)}`);
  return { primitive };
}

function optional<T>(reader: BinaryReader, read: (from: BinaryReader) => T): T | undefined {
  return reader.u8() === 0 ? undefined : read(reader);
}

const OTHER: TypeDefinition = { form: 'other' };

/** One type, with all in it that entries depend on. @throws NebulaError MODULE_INVALID, MODULE_UNSUPPORTED */
export function readType(reader: BinaryReader, depth: number): TypeDefinition {
  requireDepth(reader, depth);
  const form = reader.u8();
  switch (form) {
    case TYPE_FORM.func:
      return readFunction(reader);
    case TYPE_FORM.own:
      return { form: 'own', index: reader.u32() };
    case TYPE_FORM.result:
      return { form: 'result', ok: optional(reader, readValue), error: optional(reader, readValue) };
    case TYPE_FORM.instance:
    case TYPE_FORM.component: {
      const definitions: Definition[] = [];
      vector(reader, () => readDeclaration(reader, definitions, depth + 1));
      return { form: form === TYPE_FORM.instance ? 'instance' : 'component', definitions };
    }
    case TYPE_FORM.resource:
      reader.skip(1);
      optional(reader, (from) => from.u32());
      return { form: 'resource' };
    case TYPE_FORM.asyncFunc:
      return refuseAsync('an asynchronous function');
    case TYPE_FORM.stream:
      return refuseAsync('a stream');
    case TYPE_FORM.future:
      return refuseAsync('a future');
    case TYPE_FORM.errorContext:
      return refuseAsync('an error-context');
    default:
      passValueType(reader, form);
      return OTHER;
  }
}

function readFunction(reader: BinaryReader): FunctionType {
  const parameters = vector(reader, () => {
    reader.name();
    return readValue(reader);
  });
  const hasResult = reader.u8() === 0;
  if (hasResult) return { form: 'func', parameters, result: readValue(reader) };
  if (reader.u8() !== 0) reader.fail('named results are not supported', reader.offset - 1);
  return { form: 'func', parameters, result: undefined };
}

/** Types of values that no entry has, of which only what is in them matters. */
function passValueType(reader: BinaryReader, form: number): void {
  switch (form) {
    case TYPE_FORM.record:
      vector(reader, () => [reader.name(), readValue(reader)]);
      return;
    case TYPE_FORM.variant:
      vector(reader, () => [reader.name(), optional(reader, readValue), optional(reader, (from) => from.u32())]);
      return;
    case TYPE_FORM.tuple:
      vector(reader, () => readValue(reader));
      return;
    case TYPE_FORM.flags:
    case TYPE_FORM.enum:
      vector(reader, () => reader.name());
      return;
    case TYPE_FORM.map:
      readValue(reader);
      readValue(reader);
      return;
    case TYPE_FORM.fixedList:
      readValue(reader);
      reader.u32();
      return;
    case TYPE_FORM.list:
    case TYPE_FORM.option:
      readValue(reader);
      return;
    case TYPE_FORM.borrow:
      reader.u32();
      return;
    default:
      if (form < TYPE_FORM.firstPrimitive || form > TYPE_FORM.lastPrimitive)
        reader.fail(`an unknown type 0x${form.toString(16)}`, reader.offset - 1);
  }
}

/** A declaration in the type of an instance or of a component. */
function readDeclaration(reader: BinaryReader, found: Definition[], depth: number): void {
  const kind = reader.u8();
  if (kind === 0) passCoreType(reader, depth);
  else if (kind === 1) found.push({ kind: 'type', type: readType(reader, depth) });
  else if (kind === 2) readAlias(reader, found);
  else if (kind === 3) found.push({ kind: 'import', name: readExternName(reader), type: readExternType(reader) });
  else if (kind === 4) found.push({ kind: 'declare', name: readExternName(reader), type: readExternType(reader) });
  else reader.fail(`an unknown declaration ${kind}`, reader.offset - 1);
}

/** A core type says nothing about the component's own; what is not of its old forms is not taken apart. */
function passCoreType(reader: BinaryReader, depth: number): void {
  requireDepth(reader, depth);
  const form = reader.u8();
  if (form === FUNCTION_FORM) {
    vector(reader, () => reader.skipLeb(5));
    vector(reader, () => reader.skipLeb(5));
  } else if (form === CORE_MODULE_FORM)
    reader.fail('types of core modules within types are not supported', reader.offset - 1);
  else reader.fail(`an unknown core type 0x${form.toString(16)}`, reader.offset - 1);
}
