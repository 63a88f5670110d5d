/** A module read, checked and rewritten once at deploy, with what the rest of the house needs to know of it. */

/** A module that may run: compiled once, shared by all threads. */
export interface PreparedModule {
  readonly compiled: WebAssembly.Module;
  /** SHA-256 of the original binary, in hex. */
  readonly digest: string;
}
