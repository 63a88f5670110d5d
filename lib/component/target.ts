/** A deployed component as this room sends requests and calls to it, and what it answers to a request. */

import type { HeaderList, ResponseHead } from '../../host/http-message.ts';
import type { Limits } from '../../host/limits.ts';
import type { Invocation, Outcome } from '../../host/outcome.ts';
import type { ClientWatch } from './client-watch.ts';

/** A function to send requests to. */
export interface Target {
  readonly name: string;
  readonly limits: Limits;
  /** Whether its guests run in this thread, which then does nothing else. */
  readonly isInThread: boolean;
  readonly clients: ClientWatch;
  invoke(invocation: Invocation, signal: AbortSignal | undefined): Promise<Outcome>;
}

/** A body up to this is handed on in one piece where it is whole. */
export const WHOLE_BYTES = 65_536;

/** A response whose head is there, and whose body comes. */
export interface ComponentResponse extends ResponseHead {
  /** The whole body, where the guest has ended with it; `body` has it too. */
  readonly whole?: Uint8Array | undefined;
  /** Pieces as they come; throws when the guest ends before its body does. */
  readonly body: AsyncGenerator<Uint8Array, void, undefined>;
  /** Known when the body has been read to its end. */
  trailers(): HeaderList | undefined;
  /** Resolves once the guest has ended; rejects for what Nebula could not do. */
  readonly outcome: Promise<Outcome>;
  /** Told when the response is cut off while nobody reads it: what is left of it need not be waited for. */
  onCut?(listener: () => void): void;
}
