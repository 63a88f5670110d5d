/** A module made ready to run: what preparing it leaves behind, for every thread. */

import type { ModuleInfo } from './inspect.ts';

/** A module that may run: compiled once, shared by all threads. */
export interface PreparedModule {
  readonly compiled: WebAssembly.Module;
  /** SHA-256 of the original binary, in hex. */
  readonly digest: string;
  readonly info: ModuleInfo;
  /** Time to read, rewrite and compile, in nanoseconds. */
  readonly compileNs: number;
}
