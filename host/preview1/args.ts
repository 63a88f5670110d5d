/** The `args` and `environ` groups' shared form, and `args_get`, `args_sizes_get`. */

import { ERRNO } from '../wasi/errno.ts';
import type { HostFunctions } from './abi.ts';
import type { Context } from './context.ts';
import type { StringList } from './string-list.ts';

/** `args_get`, `args_sizes_get`: the program's name and the arguments. Source: WASI preview1, docs.md#args_get. */
export function createArgsFunctions(context: Context): HostFunctions {
  return {
    args_get: (argv: number, buffer: number): number => {
      context.enter();
      return writeStrings(context, context.argv, argv >>> 0, buffer >>> 0);
    },
    args_sizes_get: (count: number, size: number): number => {
      context.enter();
      return writeSizes(context, context.argv, count >>> 0, size >>> 0);
    },
  };
}

/** Writes an array of u32 pointers and the strings they point to. */
export function writeStrings(context: Context, list: StringList, pointers: number, buffer: number): number {
  const memory = context.memory;
  const { bytes, offsets } = list;
  if (!memory.holds(pointers, offsets.length * 4) || !memory.holds(buffer, bytes.length)) return ERRNO.fault;
  for (let i = 0; i < offsets.length; i++) {
    memory.view.setUint32(pointers + i * 4, buffer + (offsets[i] as number), true);
  }
  memory.bytes.set(bytes, buffer);
  return ERRNO.success;
}

/** Writes how many strings there are, and their bytes with a NUL each. */
export function writeSizes(context: Context, list: StringList, count: number, size: number): number {
  const memory = context.memory;
  if (!memory.holds(count, 4) || !memory.holds(size, 4)) return ERRNO.fault;
  memory.view.setUint32(count, list.offsets.length, true);
  memory.view.setUint32(size, list.bytes.length, true);
  return ERRNO.success;
}
