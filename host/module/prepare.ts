/** A module read, checked and rewritten once at deploy, with what the rest of the house needs to know of it. */

import { createHash } from 'node:crypto';
import { NebulaError } from '../errors.ts';
import type { Limits } from '../limits.ts';
import { prepareApart } from '../preparation/children.ts';
import type { StepListener } from '../preparation/task.ts';
import { compile } from './compile.ts';
import { inspectModule, type ModuleOptions, type ModuleInfo } from './inspect.ts';
import { instrument } from './instrument.ts';
import { readLayout } from './layout.ts';
import { scanValid } from './scan.ts';
import { WASM_PAGE_BYTES } from '../wasm-page.ts';

/** A module that may run: compiled once, shared by all threads. */
export interface PreparedModule {
  readonly compiled: WebAssembly.Module;
  /** SHA-256 of the original binary, in hex. */
  readonly digest: string;
  readonly info: ModuleInfo;
  /** Time to read, rewrite and compile, in nanoseconds. */
  readonly compileNs: number;
}

/** A module read, checked and rewritten, before it is compiled. Plain data. */
export interface RewrittenModule {
  readonly bytes: Uint8Array;
  /** SHA-256 of the original binary, in hex. */
  readonly digest: string;
  readonly info: ModuleInfo;
}

/**
 * Checks and rewrites a module. V8 validates the original, so that the rewriting starts from a valid module and a refusal
 * names the byte of the file that its author has.
 * @throws NebulaError MODULE_INVALID, MODULE_COMPLEX, MODULE_UNSUPPORTED, UNKNOWN_IMPORT, NO_ENTRY, *_MINIMUM
 */
export function rewriteModule(
  bytes: Uint8Array,
  limits: Limits,
  options: ModuleOptions & { readonly tell?: StepListener } = {},
): RewrittenModule {
  const { tell = () => undefined, ...given } = options;
  tell('reading');
  const layout = readLayout(bytes);
  tell('scanning');
  const scan = scanValid(layout);
  const info = inspectModule(layout, scan, limits, given);
  tell('rewriting');
  const memoryPages = info.memory?.limitPages ?? Math.floor(limits.memoryBytes / WASM_PAGE_BYTES);
  const caps = { memoryPages, tableElements: limits.tableElements, isShared: false };
  const rewritten = instrument(layout, scan, caps);
  return { bytes: rewritten, digest: createHash('sha256').update(bytes).digest('hex'), info };
}

/**
 * Checks, rewrites and compiles a module in a preparing process.
 * @throws NebulaError MODULE_TOO_LARGE, DEPLOY_TIMEOUT, DEPLOY_MEMORY, PREPARER_LOST; what `rewriteModule` refuses
 */
export async function prepareModule(
  bytes: Uint8Array,
  limits: Limits,
  options: ModuleOptions = {},
): Promise<PreparedModule> {
  if (bytes.length > limits.moduleBytes) {
    throw new NebulaError('MODULE_TOO_LARGE', {
      name: 'unnamed',
      sizeBytes: bytes.length,
      limitBytes: limits.moduleBytes,
      option: 'limits.moduleBytes',
    });
  }
  const startedMs = performance.now();
  const rewritten = await prepareApart({ kind: 'module', bytes, limits, options }, limits);
  const compiled = await compile(rewritten.bytes);
  const compileNs = Math.round((performance.now() - startedMs) * 1e6);
  return { compiled, digest: rewritten.digest, info: rewritten.info, compileNs };
}
