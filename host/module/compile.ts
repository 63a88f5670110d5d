/** Has V8 validate and compile, and tells what it refuses as errors of ours. */

import { messageOf, NebulaError } from '../errors.ts';

/** @throws NebulaError MODULE_INVALID, with `name` before what V8 says */
export function validate(bytes: Uint8Array, name?: string): void {
  if (!WebAssembly.validate(bytes as Uint8Array<ArrayBuffer>)) compileEagerly(bytes, name);
}

/** Compiles in this thread: whole where Node was started with --no-wasm-lazy-compilation. @throws NebulaError MODULE_INVALID */
export function compileEagerly(bytes: Uint8Array, name?: string): WebAssembly.Module {
  try {
    return new WebAssembly.Module(bytes as Uint8Array<ArrayBuffer>);
  } catch (cause) {
    throw refusal(cause, name);
  }
}

/** Validates and compiles beside this thread, most of it at a function's first call. @throws NebulaError MODULE_INVALID */
export async function compile(bytes: Uint8Array, name?: string): Promise<WebAssembly.Module> {
  try {
    return await WebAssembly.compile(bytes as Uint8Array<ArrayBuffer>);
  } catch (cause) {
    throw refusal(cause, name);
  }
}

function refusal(cause: unknown, name: string | undefined): unknown {
  if (!(cause instanceof WebAssembly.CompileError)) return cause;
  const message = messageOf(cause);
  const at = /@\+(\d+)/.exec(message)?.[1];
  const offset = at === undefined ? 'unknown' : Number(at);
  const said = message.replace(/^WebAssembly\.\w+\(\): /, '').replace(/ @\+\d+$/, '');
  return new NebulaError(
    'MODULE_INVALID',
    { detail: name === undefined ? said : `${name}: ${said}`, offset },
    { cause },
  );
}
