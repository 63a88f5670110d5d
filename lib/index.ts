/** The package: a Nebula inside this process, a server for it, and a client of such a server. */

export { createNebula } from './nebula.ts';
export { startServer } from './triggers/http/server.ts';
export { NebulaClient } from './client/client.ts';
export { isNebulaError, NebulaError } from '../host/errors.ts';

export type {
  AllowOptions,
  ContainerOptions,
  DeployOptions,
  DeploySource,
  FunctionRecord,
  FunctionStats,
  Input,
  InvokeOptions,
  LatencySummary,
  Manifest,
  Nebula,
  NebulaOptions,
  NebulaStats,
  ProcessOptions,
  Runtime,
  UnavailableFunction,
} from './api.ts';
export type { NebulaServer, ServerOptions, ServerTimeouts } from './triggers/http/server.ts';
export type { RequestContext } from './triggers/http/handler.ts';
export type { CallOptions, ClientOptions, FetchOptions, RemoteDeployOptions } from './client/options.ts';
export type { RemoteEnding, RemoteOutcome } from './wire/outcome.ts';
export type { MarkerStats, Markers } from './observe/markers.ts';
export type { ContainerNetwork } from '../pools/container/definition.ts';
export type { ErrorCode, ErrorFields, ErrorName } from '../host/errors.ts';
export type { Capabilities } from '../host/capabilities/capabilities.ts';
export type { ClockCapability } from '../host/capabilities/clocks/schema.ts';
export type { HttpCapability } from '../host/capabilities/http/schema.ts';
export type { MachineMount, MemoryMount, Mount } from '../host/capabilities/mounts/schema.ts';
export type { RandomCapability } from '../host/capabilities/random/schema.ts';
export type { SocketCapability } from '../host/capabilities/sockets/schema.ts';
export type { Strategy } from '../host/definition.ts';
export type { InitOptions } from '../host/init-options.ts';
export type { LimitName, Limits } from '../host/limits.ts';
export type { Ending, Outcome, OutcomeKind, Start, TrapReason, Usage } from '../host/outcome.ts';
export type { PhaseName, Phases } from '../host/phases.ts';
export type { DeployReport, ExecutorStats } from '../pools/executor.ts';
export { ComponentError } from './component/call.ts';
export type { AnyCalls, Calls, ComponentRecord, FunctionHandle } from './api.ts';
