/** What a client of a server takes. */

import type { DeployOptions } from '../schema/manifest.ts';
import type { Input } from '../api/exports.ts';

/** Where a server is, and how long and how often it is asked. */
export interface ClientOptions {
  /** Where the server is; a path is put before every route's. */
  readonly url: string | URL;
  /** Bearer token of the management routes. */
  readonly token?: string;
  /** Time an answer may take to begin, and then between its pieces; default 60,000. */
  readonly timeoutMs?: number;
  /** Connections at once; default 64. */
  readonly connections?: number;
  /** How often a call is sent at most; default 3. */
  readonly attempts?: number;
}

/** What every call takes. */
export interface CallOptions {
  /** Gives the call up when it aborts. */
  readonly signal?: AbortSignal;
}

/** A request to a function as a CGI program. */
export interface FetchOptions extends CallOptions {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Input;
}

/** What a deploy over HTTP may say. A path would name a file of the server's, so a snapshot goes as its bytes. */
export interface RemoteDeployOptions extends Omit<DeployOptions, 'name' | 'snapshot'> {
  /** What `nebula snapshot` wrote, at most 256 MiB. */
  readonly snapshot?: Uint8Array;
}
