/** What one invocation came to. Plain data: it crosses threads and sockets as it is. */

import type { PassOn } from './pass-on.ts';
import type { ComponentEntry } from './component-entry.ts';
import type { CoreValue, ExportCall } from './export-call.ts';
import type { LimitName } from './limits.ts';
import type { Phases } from './phases.ts';
import type { CallStreams } from './streams.ts';

/** How a guest ended. `ok` is exit code 0; everything else says why it is not. */
export type Ending =
  | { readonly kind: 'ok' }
  | { readonly kind: 'exit'; readonly exitCode: number }
  | { readonly kind: 'trap'; readonly reason: TrapReason; readonly message: string }
  | { readonly kind: 'timeout'; readonly timeoutMs: number }
  | { readonly kind: 'limit'; readonly limit: LimitName; readonly allowed: number }
  | { readonly kind: 'denied'; readonly capability: string }
  | { readonly kind: 'aborted' };

/** How a call ended. */
export type OutcomeKind = Ending['kind'];

/** The traps of the WebAssembly core specification, as V8 reports them, the stack's end, and a call of a missing import. */
export const TRAP_REASONS = [
  'unreachable',
  'memory-out-of-bounds',
  'table-out-of-bounds',
  'indirect-call-mismatch',
  'null-reference',
  'integer-divide-by-zero',
  'integer-overflow',
  'invalid-conversion',
  'stack-overflow',
  'uncaught-exception',
  'missing-import',
  'other',
] as const;

/** Why a guest trapped. */
export type TrapReason = (typeof TRAP_REASONS)[number];

/** What the invocation used. */
export interface Usage {
  /** Size of the guest's memory when it ended. */
  readonly memoryBytes: number;
  /** Bytes the guest read from its input. */
  readonly inputBytes: number;
  /** Calls from the guest into the host. */
  readonly hostCalls: number;
  /** Units that its code has counted, the same for the same call on every machine; of a module with a budget only. */
  readonly units?: number;
  /** Processor time of its thread, what it waited left out, in nanoseconds; only where `limits.cpuMs` holds. */
  readonly cpuNs?: number;
  /** Container executors only: how long the engine took, which is part of the phases. */
  readonly engine?: EngineUsage;
}

/** Times of a container engine, in nanoseconds. What a phase holds beyond them was spent on this side. */
export interface EngineUsage {
  /** From the last byte of each request to the first of its answer. */
  readonly requestNs: Readonly<Partial<Record<'create' | 'attach' | 'start' | 'wait' | 'remove', number>>>;
  /**
   * From the guest's start to its end as the engine stamped them, which is late by some milliseconds at the start; only
   * when the executor is asked to look, and absent for a guest that ended before its start was stamped.
   */
  readonly guestNs?: number;
}

/** How the invocation found its micro-VM: made for it, put back to its snapshot, or never used since. */
export type Start = 'cold' | 'restored' | 'ready';

/** What a call came to: how it ended, what the guest wrote, what it used, and nanoseconds by phase. */
export type Outcome = Ending & {
  readonly stdout: Uint8Array;
  readonly stderr: Uint8Array;
  readonly start: Start;
  readonly phases: Phases;
  readonly usage: Usage;
  /** What an exported function answered that was called by its name and returned. */
  readonly values?: readonly CoreValue[];
};

/** One call of a function. */
export interface Invocation {
  /** The guest's stdin. */
  readonly input: Uint8Array;
  /** Arguments in place of the manifest's. */
  readonly arguments?: readonly string[];
  /** Variables added to the manifest's. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Milliseconds from the call on, waiting included, for which the caller wants an answer; the limit holds besides. */
  readonly timeoutMs?: number;
  /** Who calls, as bindings are told; no guest is. */
  readonly caller?: string;
  /** What its caller calls it by, in the log; no guest sees it. */
  readonly requestId?: string;
  /** Where what the guest writes goes as it comes, in place of the outcome; the limits hold all the same. */
  readonly passOn?: PassOn;
  /** What of a core module's stdin and stdout travels while it runs; `input` is empty where stdin does. */
  readonly streams?: CallStreams;
  /** Export of a core module to call in place of its entry. */
  readonly export?: ExportCall;
  /** What a component is asked for, other than to run as a command. */
  readonly component?: ComponentEntry;
}

/** Usage of a guest that never ran. */
export const NO_USAGE: Usage = { memoryBytes: 0, inputBytes: 0, hostCalls: 0 };

/** An ending in words. */
export function describeEnding(ending: Ending): string {
  switch (ending.kind) {
    case 'ok':
      return 'exit code 0';
    case 'exit':
      return `exit code ${ending.exitCode}`;
    case 'trap':
      return `a trap (${ending.reason}): ${ending.message}`;
    case 'timeout':
      return `its deadline of ${ending.timeoutMs} ms`;
    case 'limit':
      return `its limit ${ending.limit} of ${ending.allowed}`;
    case 'denied':
      return `the use of ${ending.capability}, which its manifest does not grant`;
    case 'aborted':
      return 'an abort by the caller';
    default:
      return ending satisfies never;
  }
}
