/** A function that runs as a child process. */

import type { NativeDefinition } from '../native/backend.ts';

/**
 * Of its limits `timeoutMs`, `inputBytes`, `outputBytes`, `stderrBytes`, `queueLength` and `concurrency` hold. Nothing
 * else confines a child process: it may do what this one may. It is for guests that are trusted as this process is.
 */
export interface ProcessDefinition extends NativeDefinition {
  /** The program, an ELF file for this machine. */
  readonly binary: Uint8Array;
}
