/** What the pool and its workers say to each other. Plain data; errors travel as failures, for a thread loses their class. */

import type { FunctionDefinition, Strategy } from '../../host/definition.ts';
import type { Deployment } from '../../host/deployment.ts';
import type { Failure } from '../../host/errors.ts';
import type { Invocation, Outcome } from '../../host/outcome.ts';
import type { SnapshotImage } from '../../host/snapshot/image.ts';

/** A function for a worker that does not have it yet. */
export interface Installation {
  readonly definition: FunctionDefinition;
  readonly image: SnapshotImage;
  readonly strategy: Strategy;
}

export type Request =
  | {
      readonly op: 'invoke';
      readonly id: string;
      readonly invocation: Invocation;
      /** When the caller called, on the clock of `monotonicNs`. */
      readonly calledNs: number;
      readonly install: Installation | undefined;
    }
  | { readonly op: 'deploy'; readonly definition: FunctionDefinition }
  | { readonly op: 'remove'; readonly id: string }
  /** Drops micro-VMs that were not used of late, so that another thread finds room. */
  | { readonly op: 'evict' }
  | { readonly op: 'start' };

/** Something that went wrong in the worker: one of our failures, or a fault described in words. */
export interface Refusal {
  readonly failure: Failure | undefined;
  readonly detail: string;
}

export type Answer =
  | { readonly ok: true; readonly outcome: Outcome }
  | { readonly ok: true; readonly deployment: Deployment }
  | { readonly ok: true }
  | ({ readonly ok: false } & Refusal);

/** Given to every worker as it starts. */
export interface WorkerSetup {
  /** One Int32: the memories alive in the process. */
  readonly memories: SharedArrayBuffer;
  readonly memoriesLimit: number;
}
