/** A deployed function's exports as callers inside the process have them. Types only. */

import type { RequestHead } from '../../host/http-message.ts';
import type { CallOutcome } from '../component/call.ts';
import type { RequestLike, WebResponse } from '../schema/globals.ts';
import type { ComponentResponse } from '../component/target.ts';
import type { RequestBody } from '../component/reception.ts';
import type { InvokeOptions } from '../schema/invoke-options.ts';
import type { AnyCalls, Calls } from './exports.ts';
import type { FunctionSession, SessionOptions } from './session.ts';

/** A deployed function's exports, called by their names, and a component's requests. */
export interface FunctionHandle<Exported extends Calls<Exported> = AnyCalls> {
  /**
   * Calls an exported function in a fresh state, and answers what that returns.
   *
   * Of a core module by its name, `add`: i32, f32 and f64 are numbers, i64 are bigints; integers are given signed or unsigned and
   * come back signed; several results are an array. Of a component by `ns:pkg/iface#name`, with a version or without, with values
   * as jco has them.
   * @throws NebulaError FUNCTION_NOT_FOUND, ENTRY_MISMATCH, DEADLINE, GUEST_*, CLIENT_CLOSED, INPUT_TOO_LARGE, QUEUE_FULL, CLOSED;
   * TypeError or RangeError for arguments of another number or type; ComponentError for the `err` of a result
   */
  call<Path extends keyof Exported & string>(
    path: Path,
    ...values: Readonly<Parameters<Exported[Path]>>
  ): Promise<ReturnType<Exported[Path]>>;
  /**
   * As `call`, and answers with all of the Outcome: how the guest ended, what it wrote and used, and the value.
   * @throws as `call`, but for how the guest ended and the `err` of a result, which the Outcome says
   */
  invoke<Path extends keyof Exported & string>(
    path: Path,
    ...values: Readonly<Parameters<Exported[Path]>>
  ): Promise<CallOutcome<ReturnType<Exported[Path]>>>;
  /**
   * The same function under options that all calls and requests of the handle are given: who may abort them, how long each may
   * take, variables and arguments. Those of this handle that are not named stay.
   * @throws TypeError or RangeError for options that do not fit
   */
  with(options: InvokeOptions): FunctionHandle<Exported>;
  /**
   * Opens a session: calls in one instance, which keeps its state between them. Dispose of it by `await using` or `close`.
   * @throws NebulaError FUNCTION_NOT_FOUND, SESSIONS_FULL, FUNCTION_PAUSED, ENTRY_MISMATCH for what is no Wasm, CLOSED;
   * RangeError or TypeError for options that do not fit
   */
  session(options?: SessionOptions): Promise<FunctionSession<Exported>>;
  /**
   * Has the component's `wasi:http/incoming-handler` answer a request; bodies are streamed both ways. It rejects before the
   * response's head, and a body whose guest does not finish it fails.
   * @throws NebulaError FUNCTION_NOT_FOUND, ENTRY_MISMATCH, DEADLINE, GUEST_*, CLIENT_CLOSED, INPUT_TOO_LARGE, QUEUE_FULL, CLOSED
   */
  fetch(request: RequestLike): Promise<WebResponse>;
  /**
   * `fetch` without the classes of the web; the guest may still run when it resolves.
   * @throws GuestEnded with the Outcome, in place of GUEST_* and DEADLINE
   */
  send(request: RequestHead, body: RequestBody, signal?: AbortSignal): Promise<ComponentResponse>;
}
