/** The package: a Nebula inside this process, a server for it, and a client of such a server. */

import type { Nebula } from './api/nebula.ts';
import { createNebula as create } from './nebula.ts';
import type { NebulaOptions } from './schema/nebula-options.ts';

export { startServer } from './triggers/http/server.ts';
export { NebulaClient } from './client/client.ts';
export type { BindingContext } from '../host/bindings/context.ts';
export { rawBinding } from '../host/bindings/raw.ts';
export type { RawBinding, RawFunction, RawGuest, RawNumber } from '../host/bindings/raw.ts';
export { BindingError, isBindingError } from '../host/bindings/binding-error.ts';
export { isNebulaError, NebulaError } from '../host/errors.ts';

export type { AllowOptions, DeployOptions, Manifest } from './schema/manifest.ts';
export type { ContainerOptions, ProcessOptions, Runtime } from './schema/runtime.ts';
export type { HeadersLike, RequestLike, ResponseLike, WebResponse } from './schema/globals.ts';
export type { Input, InputStream } from './api/exports.ts';
export type { DeploySource, Nebula, StreamedInvocation } from './api/nebula.ts';
export type { FunctionRecord } from './schema/function-record.ts';
export type { FunctionStats, LatencySummary, NebulaStats, UnavailableFunction } from './schema/stats.ts';
export type { InvokeOptions } from './schema/invoke-options.ts';
export type { NebulaOptions } from './schema/nebula-options.ts';
export type { LogRecord } from './schema/log-record.ts';
export type { LogQuery } from './observe/log.ts';
export type { LogStats } from './schema/stats.ts';
export type { NebulaServer, ServerOptions, ServerTimeouts } from './triggers/http/server.ts';
export type { RequestContext } from './api/nebula.ts';
export type { CallOptions, ClientOptions, FetchOptions, RemoteDeployOptions } from './client/options.ts';
export type { RemoteEnding, RemoteOutcome } from './wire/outcome.ts';
export type { MarkerStats } from './schema/stats.ts';
export type { Markers } from './schema/nebula-options.ts';
export type {
  BindingAnswer,
  BindingFunction,
  Bindings,
  OnBindingError,
} from '../host/bindings/bindings.ts';
export type { ContainerNetwork } from '../pools/container/definition.ts';
export type { ErrorCode, ErrorFields, ErrorName } from '../host/errors.ts';
export type { Capabilities } from '../host/capabilities/capabilities.ts';
export type { ClockCapability } from '../host/capabilities/clocks/schema.ts';
export type { HttpCapability } from '../host/capabilities/http/schema.ts';
export type { MachineMount, MemoryMount, Mount } from '../host/capabilities/mounts/schema.ts';
export type { RandomCapability } from '../host/capabilities/random/schema.ts';
export type { SocketCapability } from '../host/capabilities/sockets/schema.ts';
export type { Strategy } from '../host/definition/strategies.ts';
export type { InitOptions } from '../host/init-options.ts';
export type { LimitName, Limits } from '../host/limits.ts';
export type { Ending, Outcome, OutcomeKind, Start, TrapReason, Usage } from '../host/outcome.ts';
export type { PhaseName, Phases } from '../host/phases.ts';
export type { DeployReport } from '../pools/deploy-report.ts';
export type { ExecutorStats } from '../pools/executor-stats.ts';
export { ComponentError, type CallOutcome } from './component/call.ts';
export type { AnyCalls, Calls } from './api/exports.ts';
export type { FunctionHandle } from './api/function-handle.ts';
export type { FunctionSession, SessionOptions } from './api/session.ts';
export type { ComponentRecord } from './schema/function-record.ts';

/**
 * Starts the executor and brings back what the store holds.
 * @example
 * await using nebula = await createNebula();
 * await nebula.deploy('functions/fibonacci');
 * const outcome = await nebula.invoke('fibonacci', '30');
 * @throws NebulaError STORE_FAILED; TypeError or RangeError for options that do not fit
 */
// Not passed on: the declaration of the one behind it leads to all that is inside.
export function createNebula(options?: NebulaOptions): Promise<Nebula> {
  return create(options);
}
