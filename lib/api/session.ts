/** A session of a function as callers inside the process have it. Types only. */

import type { Outcome } from '../../host/outcome.ts';
import type { CallOutcome } from '../component/call.ts';
import type { InvokeOptions } from '../schema/invoke-options.ts';
import type { AnyCalls, Calls, Input } from './exports.ts';

/** What a session is opened with. */
export interface SessionOptions {
  /** Milliseconds without a call after which it ends; default and most is the function's `limits.sessionIdleMs`. */
  readonly idleMs?: number;
}

/**
 * Calls of one caller in one instance of a function, made one after the other: each finds the state that the one before left,
 * its memory, descriptors and files in memory among it. It begins in the state that each call of the function begins in, and
 * nothing of it reaches another caller.
 *
 * A call that does not return ends it: a trap, an exit, a deadline, an abort, a limit, a lost thread. So do its idle time, `close`
 * and the end of its Nebula. It stays with the version it was opened on.
 */
export interface FunctionSession<Exported extends Calls<Exported> = AnyCalls> {
  /** Calls an exported function. @throws NebulaError SESSION_ENDED; what `FunctionHandle.call` throws */
  call<Path extends keyof Exported & string>(
    path: Path,
    ...values: Readonly<Parameters<Exported[Path]>>
  ): Promise<ReturnType<Exported[Path]>>;
  /** The same, with all of the Outcome. @throws NebulaError SESSION_ENDED; what `FunctionHandle.invoke` throws */
  invoke<Path extends keyof Exported & string>(
    path: Path,
    ...values: Readonly<Parameters<Exported[Path]>>
  ): Promise<CallOutcome<ReturnType<Exported[Path]>>>;
  /**
   * Has a reactor's handler take an input, as `Nebula.invoke` does.
   * @throws NebulaError SESSION_ENDED, ENTRY_MISMATCH for what is no reactor, INPUT_TOO_LARGE; what `Nebula.invoke` throws
   */
  handle(input?: Input): Promise<Outcome>;
  /** The same session, whose calls are given options besides; those of this one that are not named stay. */
  with(options: InvokeOptions): FunctionSession<Exported>;
  /** How it ended, in words; undefined while it is open. */
  readonly ending: string | undefined;
  /** Ends it; a call under way is aborted. */
  close(): Promise<void>;
  /** `close()`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void>;
}
