/** How large the result of a call is as it travels, and whether it can travel at all. */

import { types } from 'node:util';

/** Of a number, a boolean or a small string's header. */
const SCALAR_BYTES = 10;

/** Of a list, a record, or another value that holds some. */
const HOLDER_BYTES = 12;

/** Deeper than any type may nest (prepare/types/binary-codes.ts). */
const DEPTH = 200;

/** Thrown for a value that has no meaning outside of its instance, or nests deeper than types do. */
export class Untransferable extends Error {}

/**
 * Bytes of a lifted value: strings and lists of numbers by their content, a few for each other value, for records also
 * the names of their fields. Stops counting above `limitBytes`.
 * @throws Untransferable for a resource and whatever else has behaviour, or holds itself
 */
export function sizeOf(value: unknown, limitBytes: number, depth = 0): number {
  if (depth > DEPTH) throw new Untransferable('it nests too deep');
  switch (typeof value) {
    case 'string':
      return SCALAR_BYTES + Buffer.byteLength(value);
    case 'number':
    case 'boolean':
    case 'bigint':
    case 'undefined':
      return SCALAR_BYTES;
    case 'object':
      return value === null ? SCALAR_BYTES : sizeOfObject(value, limitBytes, depth + 1);
    case 'function':
    case 'symbol':
    default:
      throw new Untransferable('there is a function among them');
  }
}

function sizeOfObject(value: object, limitBytes: number, depth: number): number {
  if (ArrayBuffer.isView(value)) return HOLDER_BYTES + value.byteLength;
  let sizeBytes = HOLDER_BYTES;
  if (Array.isArray(value)) {
    for (const each of value as readonly unknown[]) {
      sizeBytes += sizeOf(each, limitBytes - sizeBytes, depth);
      if (sizeBytes > limitBytes) return sizeBytes;
    }
    return sizeBytes;
  }
  if (types.isMap(value)) return sizeOfObject([...value].flat(), limitBytes, depth);
  if (!isPlain(value)) throw new Untransferable('there is an object with a class among them');
  for (const [name, each] of Object.entries(value)) {
    sizeBytes += SCALAR_BYTES + name.length + sizeOf(each, limitBytes - sizeBytes, depth);
    if (sizeBytes > limitBytes) return sizeBytes;
  }
  return sizeBytes;
}

/** Made by an object literal, in whatever context: resources have a class of their own between them and `Object`. */
function isPlain(value: object): boolean {
  const prototype = Object.getPrototypeOf(value) as object | null;
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}
