/** A module read, checked and rewritten once at deploy, with what the rest of the house needs to know of it. */

import { createHash } from 'node:crypto';
import { messageOf, NebulaError } from '../errors.ts';
import type { Limits } from '../limits.ts';
import { inspectModule, type ModuleOptions, PAGE_BYTES, type ModuleInfo } from './inspect.ts';
import { instrument } from './instrument.ts';
import { readLayout } from './layout.ts';
import { scanCode } from './scan.ts';

/** A module that may run: compiled once, shared by all threads. */
export interface PreparedModule {
  readonly compiled: WebAssembly.Module;
  /** SHA-256 of the original binary, in hex. */
  readonly digest: string;
  readonly info: ModuleInfo;
  /** Time to read, rewrite and compile, in nanoseconds. */
  readonly compileNs: number;
}

/**
 * Checks, rewrites and compiles a module. V8 validates the original first, so that the rewriting starts from a valid
 * module and a refusal names the byte of the file that its author has.
 * @throws NebulaError MODULE_TOO_LARGE, MODULE_INVALID, MODULE_UNSUPPORTED, UNKNOWN_IMPORT, NO_ENTRY, *_MINIMUM
 */
export async function prepareModule(
  bytes: Uint8Array,
  limits: Limits,
  options: ModuleOptions = {},
): Promise<PreparedModule> {
  if (bytes.length > limits.moduleBytes) {
    throw new NebulaError('MODULE_TOO_LARGE', { sizeBytes: bytes.length, limitBytes: limits.moduleBytes });
  }
  const startedMs = performance.now();
  const layout = readLayout(bytes);
  await compile(bytes);
  const scan = scanCode(layout);
  const info = inspectModule(layout, scan, limits, options);
  const memoryPages = info.memory?.limitPages ?? Math.floor(limits.memoryBytes / PAGE_BYTES);
  const caps = { memoryPages, tableElements: limits.tableElements, isShared: false };
  const compiled = await compile(instrument(layout, scan, caps));
  const digest = createHash('sha256').update(bytes).digest('hex');
  return { compiled, digest, info, compileNs: Math.round((performance.now() - startedMs) * 1e6) };
}

async function compile(bytes: Uint8Array): Promise<WebAssembly.Module> {
  try {
    return await WebAssembly.compile(bytes as Uint8Array<ArrayBuffer>);
  } catch (cause) {
    const message = messageOf(cause);
    const offset = /@\+(\d+)/.exec(message)?.[1] ?? 'unknown';
    const detail = message.replace(/^WebAssembly\.compile\(\): /, '').replace(/ @\+\d+$/, '');
    throw new NebulaError('MODULE_INVALID', { detail, offset }, { cause });
  }
}
