/** The face of Nebula: what createNebula returns and takes. Types only. */

import type { InitOptions, Strategy } from '../host/definition.ts';
import type { Capabilities } from '../host/capabilities.ts';
import type { ComponentKind } from '../host/component/prepare/prepared-component.ts';
import type { RequestHead } from '../host/component/channel/component-call.ts';
import type { NebulaError } from '../host/errors.ts';
import type { Limits } from '../host/limits.ts';
import type { Invocation, Outcome } from '../host/outcome.ts';
import type { ContainerNetwork } from '../pools/container/definition.ts';
import type { ComponentResponse } from './component/exchange.ts';
import type { RequestBody } from './component/reception.ts';
import type { RequestContext } from './triggers/http/handler.ts';
import type { MarkerStats, Markers } from './observe/markers.ts';
import type { DeployReport, ExecutorStats } from '../pools/executor.ts';
import type { Request, Response } from 'undici';

export interface NebulaOptions {
  /** `worker` (default): worker threads, deadlines enforced. `in-thread`: this thread, for trusted guests. */
  readonly executor?: 'worker' | 'in-thread';
  /** Worker threads that run guests; default: the machine's cores. */
  readonly threads?: number;
  /** Workers kept ready beyond `threads`, so that a deadline does not cost the next caller; default 1. */
  readonly spareThreads?: number;
  /** Directory in which deployed functions persist. Without it they live as long as the process. */
  readonly store?: string;
  /** Limits for functions whose manifest names none. */
  readonly limits?: Partial<Limits>;
  /** Bearer token of the management routes and metrics, where `fetch` is mounted; without it they are closed there. */
  readonly token?: string;
  /** Compare every micro-VM with its snapshot before each run. */
  readonly audit?: boolean;
  /** Memories alive at once; default: derived from the machine. */
  readonly memories?: number;
  /**
   * Runtimes that manifests may name; default `wasm` and `container`. Nothing confines a `process` but its deadline:
   * whoever may deploy one may do what this process may.
   */
  readonly runtimes?: readonly Runtime[];
  /** Socket of the container engine; default: DOCKER_HOST, or the usual one. */
  readonly dockerSocket?: string;
  /**
   * Told when an invocation starts and ends, as a GPIO pin that a power logger sees. A window lasts from right before the
   * executor is asked to the answer: with `in-thread` it is the run and what puts the call before it back, with `worker`,
   * containers and processes the queue and the way there and back too. Calls that overlap are one window. What fails in a
   * marker fails no call; `stats().markers` counts it.
   */
  readonly markers?: Markers;
}

/** What runs a function: a micro-VM, a container made of a native program, or that program as a child process. */
export type Runtime = 'wasm' | 'container' | 'process';

/** How native guests are started (pools/native/backend.ts). */
export interface ProcessOptions {
  /** `cold` (default): one for each call. `warm`: kept, and answers frames. */
  readonly mode?: 'cold' | 'warm';
  /** How long a kept one may wait for its next call, in milliseconds; 0 is without end; default 300,000. */
  readonly idleTimeoutMs?: number;
}

/** Memory, open files, concurrency and the rest are in `limits`. */
export interface ContainerOptions extends ProcessOptions {
  /** An image that the engine has; without it one is built of the program that `module` names. */
  readonly image?: string;
  /** Image to build upon; default `scratch`. */
  readonly base?: string;
  readonly network?: ContainerNetwork;
  /** Cores' worth of time; default 0, which is all. */
  readonly cpus?: number;
  /** Processes and threads in one container; default 64. */
  readonly pids?: number;
}

/** What a manifest (nebula.json) says; every field but the name may be left out. */
export interface AllowOptions {
  /** `trap`: functions it imports that Nebula does not have are linked to a trap; without it the module is refused. */
  readonly missingImports?: 'trap';
}

export interface Manifest {
  readonly name: string;
  /** The path of the module, or of the native program, relative to the manifest. */
  readonly module?: string;
  /** Default `wasm`. */
  readonly runtime?: Runtime;
  readonly container?: ContainerOptions;
  readonly process?: ProcessOptions;
  readonly description?: string;
  /** Export that handles an invocation. */
  readonly entry?: string;
  readonly limits?: Partial<Limits>;
  readonly capabilities?: Partial<Capabilities>;
  readonly init?: Partial<InitOptions>;
  readonly strategy?: Strategy | 'auto';
  /** What a module may lack. */
  readonly allow?: AllowOptions;
  /** Calls that one instance of a component answers; default 1, so that no call sees what another left behind. */
  readonly reuse?: number;
  /** A snapshot's path, relative to the manifest. */
  readonly snapshot?: string;
  readonly http?: {
    /** Content type of an answer to `POST /invoke/:name`; default `application/octet-stream`. */
    readonly contentType?: string;
    /** Whether the tail of stderr, the trap or the exit code is told to HTTP callers. */
    readonly showFailures?: boolean;
    /** Whether a CGI program is told the Authorization field of its requests, as HTTP_AUTHORIZATION; default false. */
    readonly authorization?: boolean;
  };
}

/** A module's bytes, its path, a manifest's path, or a folder that holds `nebula.json`. */
export type DeploySource = Uint8Array | string;

export interface DeployOptions extends Partial<Omit<Manifest, 'module' | 'snapshot'>> {
  readonly snapshot?: Uint8Array | string;
}

/** What a component is and exports. */
export interface ComponentRecord {
  readonly kind: ComponentKind;
  /** Interfaces with their versions, and functions of the world. */
  readonly exports: readonly string[];
}

/** A deployed function as `list` shows it. */
export interface FunctionRecord {
  readonly name: string;
  readonly version: number;
  /** SHA-256 of the module's binary, hex. */
  readonly digest: string;
  readonly sizeBytes: number;
  readonly deployedAt: string;
  readonly manifest: Manifest;
  /** The limits in force: the manifest's, and the defaults where it names none. */
  readonly limits: Limits;
  readonly report: DeployReport;
  /** What a component is and exports; absent for a core module. */
  readonly component?: ComponentRecord;
  /** Versions `rollback` can return to, newest first. */
  readonly previous: readonly number[];
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

export interface InvokeOptions extends Omit<Invocation, 'input' | 'passOn'> {
  readonly signal?: AbortSignal;
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
