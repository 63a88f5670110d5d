/** A Nebula as its process has it. Types only. */

/// <reference lib="esnext.disposable" preserve="true" />

import type { Outcome } from '../../host/outcome.ts';
import type { FunctionRecord } from '../schema/function-record.ts';
import type { RequestLike, WebResponse } from '../schema/globals.ts';
import type { InvokeOptions } from '../schema/invoke-options.ts';
import type { LogRecord } from '../schema/log-record.ts';
import type { DeployOptions } from '../schema/manifest.ts';
import type { LogQuery } from '../observe/log.ts';
import type { NebulaStats } from '../schema/stats.ts';
import type { AnyCalls, Calls, Input, InputStream } from './exports.ts';
import type { FunctionHandle } from './function-handle.ts';

/** A module's bytes, its path, a manifest's path, or a folder that holds `nebula.json`; a path may be a `file:` URL object. */
export type DeploySource = Uint8Array | string | URL;

/** What a framework knows of a request and the fetch API does not tell. */
export interface RequestContext {
  /** The client's address; without it guests see `0.0.0.0`. */
  readonly remoteAddress?: string;
  /**
   * Path and query as the client sent them, without the mount's prefix, such as `req.url` of node:http. Without it they are
   * those of the request's URL, which the URL standard has normalised: dot segments and backslashes are resolved there, and
   * characters such as `'`, `"` and `<` are percent-encoded.
   */
  readonly target?: string;
}

/** A call whose stdout comes while its guest runs. */
export interface StreamedInvocation {
  /**
   * What the guest writes; it waits where nobody reads. Iterating throws what ended the guest other than its return (DEADLINE,
   * GUEST_*, CLIENT_CLOSED, CLIENT_SLOW, what the input threw), and ends the guest where it is left early.
   */
  readonly stdout: AsyncGenerator<Uint8Array, void, undefined>;
  /** Resolves once the guest has ended; its stdout is empty. Rejects as `invoke`. */
  readonly outcome: Promise<Outcome>;
}

/** Functions deployed, invoked and forgotten in this process. */
export interface Nebula {
  /**
   * Deploys a function, or a new version of one: atomically, and calls in flight finish on the old version.
   * @throws NebulaError MODULE_*, UNKNOWN_IMPORT, NO_ENTRY, *_MINIMUM, INIT_*, SNAPSHOT_*, MANIFEST_INVALID, STORE_FAILED
   */
  deploy(source: DeploySource, options?: DeployOptions): Promise<FunctionRecord>;
  /**
   * Runs a function once, in a fresh state. What the guest does is in the Outcome. An input that is a stream is read while it
   * runs, as by `stream`.
   * @throws NebulaError FUNCTION_NOT_FOUND, INPUT_TOO_LARGE, QUEUE_FULL, CLOSED, WORKER_LOST, ADDRESS_SPACE
   */
  invoke(name: string, input?: Input | InputStream, options?: InvokeOptions): Promise<Outcome>;
  /**
   * Runs a function whose stdin is read and whose stdout is handed on while it runs, at the pace of whoever is slower. Of a
   * component, a native program and in the caller's own thread both are whole, under `inputBytes` and `outputBytes`.
   * @throws as `invoke`, before the guest begins; CLIENT_CLOSED for a signal that has aborted
   */
  stream(name: string, input?: Input | InputStream, options?: InvokeOptions): Promise<StreamedInvocation>;
  /** The stdout of an `ok` outcome; any other is thrown as a NebulaError (DEADLINE, GUEST_*, CLIENT_CLOSED). */
  invokeOrThrow(name: string, input?: Input, options?: InvokeOptions): Promise<Uint8Array>;
  /** Removes a function; calls in flight finish. @throws NebulaError FUNCTION_NOT_FOUND, STORE_FAILED */
  undeploy(name: string): Promise<void>;
  /** Returns to the version before. @throws NebulaError FUNCTION_NOT_FOUND, NO_PREVIOUS_VERSION, STORE_FAILED */
  rollback(name: string): Promise<FunctionRecord>;
  /** Every function, by name. */
  list(): readonly FunctionRecord[];
  /** One function. @throws NebulaError FUNCTION_NOT_FOUND */
  get(name: string): FunctionRecord;
  /**
   * The latest records of what happened to functions, oldest first: deploys, failures, and what guests wrote to stderr. Of each
   * function 250 lines of stderr are kept, and 250 others, at most 32,768 characters of each. @throws NebulaError FUNCTION_NOT_FOUND
   */
  logs(query?: LogQuery): readonly LogRecord[];
  /** The same, and then each record as it comes, until `signal` aborts or this Nebula closes. @throws NebulaError FUNCTION_NOT_FOUND */
  followLogs(query?: LogQuery & { readonly signal?: AbortSignal }): AsyncGenerator<LogRecord>;
  /** What its calls came to, and how its executor is. */
  stats(): NebulaStats;
  /**
   * A function by name; it is looked up anew for each use.
   * @typeParam Exported the exports that are called by name, as `nebula types` writes them
   */
  fn<Exported extends Calls<Exported> = AnyCalls>(name: string): FunctionHandle<Exported>;
  /**
   * The whole HTTP face without a server: the routes of docs and /openapi.json. Those that manage functions need the `token`
   * of `createNebula`, and refuse everybody where there is none: who may reach the mount is not known here.
   */
  fetch(request: RequestLike, context?: RequestContext): Promise<WebResponse>;
  /** Lets calls in flight finish (default 10 s), then stops. Leaves no handle open. */
  close(options?: { drainMs?: number }): Promise<void>;
  /** `close()`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void>;
}
