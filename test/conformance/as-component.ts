/** Preview 1 tests as components: made with the adapter of functions/components, and what is known of where that falls short. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf } from '../../host/errors.ts';

// Compiled to dist/test/conformance.
const FUNCTIONS = join(import.meta.dirname, '..', '..', '..', 'functions');
const ADAPTER = join(FUNCTIONS, 'components', 'adapter', 'wasi_snapshot_preview1.command.wasm');

export interface WasmTools {
  readonly componentNew: (
    bytes: Uint8Array,
    adapters: readonly (readonly [string, Uint8Array])[],
  ) => Promise<Uint8Array>;
}

/** The tool that makes components; undefined where the optional package is not installed. */
export async function loadWasmTools(): Promise<WasmTools | undefined> {
  const name = '@bytecodealliance/jco-transpile/wasm-tools';
  try {
    return (await import(name)) as WasmTools;
  } catch {
    return undefined;
  }
}

/**
 * The component that the adapter makes of a preview 1 command.
 * @throws Error where it makes none
 */
export async function toComponent(tools: WasmTools, module: Uint8Array): Promise<Uint8Array> {
  try {
    const adapter = new Uint8Array(readFileSync(ADAPTER));
    return await tools.componentNew(module, [['wasi_snapshot_preview1', adapter]]);
  } catch (error) {
    const payload = (error as { payload?: unknown }).payload;
    throw new Error(`no component: ${typeof payload === 'string' ? payload : messageOf(error)}`, { cause: error });
  }
}

/** A failure as a component, of a module that passes, and why it is not the host's. */
export interface KnownReason {
  /** A function of preview 1 that the module imports. */
  readonly imports?: RegExp;
  /** What all of the failures look like. */
  readonly failure?: RegExp;
  readonly reason: string;
}

export const KNOWN_REASONS: readonly KnownReason[] = [
  {
    failure: /^expected exit code (?:[2-9]|[1-9]\d+), got exit code 1(?:;|$)/,
    reason: 'wasi:cli/exit tells only whether an exit code was 0',
  },
  {
    failure: /^no component: .*(?:wasi_unstable|wasi_)/s,
    reason: 'the adapter knows no module of imports but wasi_snapshot_preview1',
  },
  {
    failure: /^no component: .*memory/s,
    reason: 'the adapter needs the memory that a module exports',
  },
  { failure: /^no component: /, reason: 'wasm-tools makes no component of the module' },
  { imports: /^fd_allocate$/, reason: 'wasi:filesystem cannot allocate: the adapter answers ENOTSUP' },
  { imports: /^fd_fdstat_set_rights$/, reason: 'wasi:filesystem has no rights: the adapter answers ENOTSUP' },
  { imports: /^(proc_raise|sock_\w+)$/, reason: 'the adapter has no signals and no sockets' },
];

/** Why a module that passes fails as a component; undefined when nobody knows. */
export function explain(module: Uint8Array, failures: readonly string[]): string | undefined {
  const imported = importsOf(module);
  return KNOWN_REASONS.find(
    ({ imports, failure }) =>
      (imports === undefined || imported.some((name) => imports.test(name))) &&
      (failure === undefined || failures.every((text) => failure.test(text))),
  )?.reason;
}

function importsOf(module: Uint8Array): string[] {
  try {
    return WebAssembly.Module.imports(new WebAssembly.Module(new Uint8Array(module))).map(({ name }) => name);
  } catch {
    return [];
  }
}
