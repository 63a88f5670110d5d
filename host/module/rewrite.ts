/** Reads, checks and rewrites a module, once at deploy, with what the rest of the house needs to know of it. */

import { createHash } from 'node:crypto';
import type { Limits } from '../limits.ts';
import { inspectModule, type ModuleOptions, type ModuleInfo } from './inspect.ts';
import { instrument } from './instrument.ts';
import { readLayout } from './layout.ts';
import { scanValid } from './scan.ts';
import { mostPages } from './growth.ts';

/** Called before each step of preparing with its name, as it stands in an error: "compiling". */
export type StepListener = (step: string) => void;

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
  const scan = scanValid(layout, given);
  const info = inspectModule(layout, scan, limits, given);
  tell('rewriting');
  const caps = {
    memoryPages: mostPages(limits),
    tableElements: limits.tableElements,
    isShared: false,
    isSized: info.growsMemory,
  };
  const rewritten = instrument(layout, scan, caps);
  return { bytes: rewritten, digest: createHash('sha256').update(bytes).digest('hex'), info };
}
