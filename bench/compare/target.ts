/** A way to run functions, as the comparison sees it. */

import type { ComparisonCase } from './cases.ts';
import type { Plan, TargetName } from './plan.ts';

/** What one call came to. */
export interface CallResult {
  /** `ok` or another kind of outcome. */
  readonly outcome: string;
  /** Why it is not `ok`. */
  readonly reason?: string;
  readonly stdout: Uint8Array;
  readonly stderr: Uint8Array;
  /** Nanoseconds by the executor's own phases, for those that happened; `engine.*` are the engine's share of them. */
  readonly phases?: Readonly<Record<string, number>>;
  /**
   * When the call began and had its answer, where the target knows better than its caller: it runs in a process of its
   * own. Then `teardownNs` lies behind the span, and within the call otherwise.
   */
  readonly span?: { readonly calledNs: bigint; readonly answeredNs: bigint };
  /** What clearing away took after the answer, in nanoseconds, where the call waited for it: the removal of a container. */
  readonly teardownNs?: number;
}

/** What deploying a function found out, for the environment of the run. */
export interface Deployed {
  readonly function: string;
  /** SHA-256 of what was deployed, hex. */
  readonly digest: string;
  readonly sizeBytes: number;
  /** The engine's id of the image that was built of it. */
  readonly imageId?: string;
  readonly detail?: string;
}

/** An opened target, with all functions of the plan deployed. */
export interface Target {
  readonly name: TargetName;
  /** Whether a call starts a container, so that few of them are all one can have. */
  readonly isCold: boolean;
  readonly deployed: readonly Deployed[];
  /** Why a function cannot run on it, or undefined. */
  refuses(functionName: string): string | undefined;
  /** One call, from the request to the whole answer. Rejects when there is no outcome at all. */
  call(test: ComparisonCase): Promise<CallResult>;
  /**
   * Settles when the target is as it was before the call, and resolves to the nanoseconds that whoever put it back spent on
   * that after the answer had left; undefined when that is not known. Left out where the call tells its `teardownNs`.
   */
  settled?(): Promise<number | undefined>;
  close(): Promise<void>;
}

/** Opens a target with all functions deployed. @throws Error that says what is missing, when it is not to be had here */
export type OpenTarget = (name: TargetName, plan: Plan, cases: readonly ComparisonCase[]) => Promise<Target>;

/** A target of the plan that is not to be had on this machine. */
export interface MissingTarget {
  readonly target: TargetName;
  readonly reason: string;
}
