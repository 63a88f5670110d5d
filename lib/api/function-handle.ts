/** A deployed component as callers inside the process have it. Types only. */

import type { Request, Response } from 'undici';
import type { RequestHead } from '../../host/http-message.ts';
import type { ComponentResponse } from '../component/target.ts';
import type { RequestBody } from '../component/reception.ts';

/** Functions that a component exports, by the names `call` takes: what `nebula types` writes as `Calls`. */
export type Calls<Exported> = { readonly [Path in keyof Exported]: (...values: never[]) => unknown };

/** Any name, any values: what holds where nothing is known of the component. */
export type AnyCalls = Readonly<Record<string, (...values: unknown[]) => unknown>>;

/** A deployed component's requests and exported functions. */
export interface FunctionHandle<Exported extends Calls<Exported> = AnyCalls> {
  /**
   * Has the component's `wasi:http/incoming-handler` answer a request; bodies are streamed both ways. It rejects before the
   * response's head, and a body whose guest does not finish it fails.
   * @throws NebulaError FUNCTION_NOT_FOUND, ENTRY_MISMATCH, DEADLINE, GUEST_*, CLIENT_CLOSED, INPUT_TOO_LARGE, QUEUE_FULL, CLOSED
   */
  fetch(request: Request): Promise<Response>;
  /**
   * Calls an exported function, `ns:pkg/iface#name` with or without a version, with values as jco has them.
   * @throws ComponentError for the `err` of a result; TypeError for arguments of another type; NebulaError as `fetch`
   */
  call<Path extends keyof Exported & string>(
    path: Path,
    ...values: Readonly<Parameters<Exported[Path]>>
  ): Promise<ReturnType<Exported[Path]>>;
  /**
   * `fetch` without undici's classes; the guest may still run when it resolves.
   * @throws GuestEnded with the Outcome, in place of GUEST_* and DEADLINE
   */
  send(request: RequestHead, body: RequestBody, signal?: AbortSignal): Promise<ComponentResponse>;
}
