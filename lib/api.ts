/** The face of Nebula: what createNebula returns and takes. Types only. */

import type { NebulaError } from '../host/errors.ts';
import type { RequestHead } from '../host/http-message.ts';
import type { Outcome } from '../host/outcome.ts';
import type { ComponentResponse } from './component/target.ts';
import type { RequestBody } from './component/reception.ts';
import type { RequestContext } from './triggers/http/handler.ts';
import type { MarkerStats } from './observe/markers.ts';
import type { ExecutorStats } from '../pools/executor.ts';
import type { FunctionRecord } from './schema/function-record.ts';
import type { InvokeOptions } from './schema/invoke-options.ts';
import type { Manifest } from './schema/manifest.ts';
import type { Request, Response } from 'undici';

export type { ComponentRecord, FunctionRecord } from './schema/function-record.ts';
export type { InvokeOptions } from './schema/invoke-options.ts';
export type { AllowOptions, Manifest } from './schema/manifest.ts';
export type { NebulaOptions } from './schema/nebula-options.ts';
export type { ContainerOptions, ProcessOptions, Runtime } from './schema/runtime.ts';

/** A module's bytes, its path, a manifest's path, or a folder that holds `nebula.json`. */
export type DeploySource = Uint8Array | string;

export interface DeployOptions extends Partial<Omit<Manifest, 'module' | 'snapshot'>> {
  readonly snapshot?: Uint8Array | string;
}

export interface LatencySummary {
  readonly count: number;
  readonly p50Us: number;
  readonly p90Us: number;
  readonly p99Us: number;
  readonly maxUs: number;
  readonly meanUs: number;
}

export interface FunctionStats {
  readonly name: string;
  /** Invocations by how they ended; `failed` are those Nebula could not carry out. */
  readonly outcomes: Readonly<Record<Outcome['kind'] | 'failed', number>>;
  /** Per phase, and `total`. */
  readonly latency: Readonly<Record<string, LatencySummary>>;
}

/** A function of the store that could not be brought back; deploy, roll back or undeploy it. */
export interface UnavailableFunction {
  readonly name: string;
  readonly error: NebulaError;
}

export interface NebulaStats {
  readonly functions: readonly FunctionStats[];
  /** Absent means none. */
  readonly unavailable?: readonly UnavailableFunction[];
  readonly executor: ExecutorStats;
  /** Present when there are markers. */
  readonly markers?: MarkerStats;
}

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

/** Text is UTF-8. */
export type Input = Uint8Array | string;

export interface Nebula {
  /**
   * Deploys a function, or a new version of one: atomically, and calls in flight finish on the old version.
   * @throws NebulaError MODULE_*, UNKNOWN_IMPORT, NO_ENTRY, *_MINIMUM, INIT_*, SNAPSHOT_*, MANIFEST_INVALID, STORE_FAILED
   */
  deploy(source: DeploySource, options?: DeployOptions): Promise<FunctionRecord>;
  /**
   * Runs a function once, in a fresh state. What the guest does is in the Outcome.
   * @throws NebulaError FUNCTION_NOT_FOUND, INPUT_TOO_LARGE, QUEUE_FULL, CLOSED, WORKER_LOST, ADDRESS_SPACE
   */
  invoke(name: string, input?: Input, options?: InvokeOptions): Promise<Outcome>;
  /** The stdout of an `ok` outcome; any other is thrown as a NebulaError (DEADLINE, GUEST_*, CLIENT_CLOSED). */
  invokeOrThrow(name: string, input?: Input, options?: InvokeOptions): Promise<Uint8Array>;
  /** @throws NebulaError FUNCTION_NOT_FOUND, STORE_FAILED */
  undeploy(name: string): Promise<void>;
  /** Returns to the version before. @throws NebulaError FUNCTION_NOT_FOUND, NO_PREVIOUS_VERSION, STORE_FAILED */
  rollback(name: string): Promise<FunctionRecord>;
  list(): readonly FunctionRecord[];
  /** @throws NebulaError FUNCTION_NOT_FOUND */
  get(name: string): FunctionRecord;
  stats(): NebulaStats;
  /** A function by name; it is looked up anew for each use. */
  fn<Exported extends Calls<Exported> = AnyCalls>(name: string): FunctionHandle<Exported>;
  /**
   * The whole HTTP face without a server: the routes of docs and /openapi.json. Those that manage functions need the `token`
   * of `createNebula`, and refuse everybody where there is none: who may reach the mount is not known here.
   */
  fetch(request: Request, context?: RequestContext): Promise<Response>;
  /** Lets calls in flight finish (default 10 s), then stops. Leaves no handle open. */
  close(options?: { drainMs?: number }): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}
