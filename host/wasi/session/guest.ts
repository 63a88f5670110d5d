/** What a thread can run and put back: the instance of a core module (micro-vm/micro-vm.ts) or of a component. */

import type { ComponentEntry } from '../../component-entry.ts';
import type { CoreValue, ExportCall } from '../../export-call.ts';
import type { Ending, Usage } from '../../outcome.ts';
import type { Suspension } from '../../waiting/suspension.ts';
import type { SessionCall } from './session.ts';
import type { Terms } from './terms.ts';

/** What one invocation gives a guest. */
export interface GuestCall extends SessionCall {
  /** Of a core module: the export to call in place of its entry. */
  readonly export?: ExportCall | undefined;
  /** What a component is asked for besides. */
  readonly component?: ComponentEntry | undefined;
  /** Of a guest whose code counts units: when it is stopped, in place of `timeoutMs`. */
  readonly terms?: Terms | undefined;
}

/** One guest of a thread, of whichever kind. */
export interface Guest {
  /** Its memories, for whoever counts what the address space holds. */
  readonly memories: readonly WebAssembly.Memory[];
  /** Whether it has run since it was made. */
  readonly used: boolean;
  /** Whether another one, made while this one holds its place in the address space, is likely to be put back quicker. */
  readonly isMisplaced: boolean;
  /** Runs the function once. `timeoutMs` above 0 is enforced here, in this thread; 0 leaves the deadline to others. */
  run(call: GuestCall, timeoutMs: number): Ending;
  /** How it waits; absent of one that cannot be suspended, which is then only `run`. */
  readonly suspension?: Suspension | undefined;
  /**
   * The same as `run` of one that can be suspended. The guest has run to its end or to its first wait when this returns; how
   * it ends where it is dropped means nothing.
   */
  start?(call: GuestCall): Promise<Ending>;
  /** What an export of a core module answered that was called by its name. */
  readonly values?: readonly CoreValue[] | undefined;
  stdout(): Uint8Array;
  stderr(): Uint8Array;
  usage(): Usage;
  /** Makes it ready for another run. False when it cannot be: then it must be closed and another made. */
  restore(): boolean;
  /** Gives back what it holds of the machine. */
  close(): void;
}
