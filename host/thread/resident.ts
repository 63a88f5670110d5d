/** A function that a thread has, and its micro-VM. */

import { mergeVariables } from '../capabilities/environment/variables.ts';
import type { FunctionDefinition } from '../definition/definition.ts';
import type { Strategy } from '../definition/strategies.ts';
import type { Invocation } from '../outcome.ts';
import type { SnapshotImage } from '../snapshot/image.ts';
import type { Guest, GuestCall } from '../wasi/session/guest.ts';
import type { RunRecord } from '../wasi/session/run-record.ts';
import type { Terms } from '../wasi/session/terms.ts';
import type { WaitingLane } from './waiting-lane.ts';

/** One function of a thread. */
export interface Resident {
  readonly definition: FunctionDefinition;
  readonly image: SnapshotImage;
  readonly strategy: Strategy;
  vm: Guest | undefined;
  /** Whether it was made before: of a session it is made once. */
  isMade: boolean;
  /** Whether the last run's changes are still in it. */
  isUsed: boolean;
  /** When it was used, in calls of the thread. */
  usedAt: number;
  /** Beside `vm`, for guests that may be suspended. */
  lane: WaitingLane | undefined;
}

/** Micro-VMs that can be dropped: none of a session, whose state is there and nowhere else. */
export function idleOf({ definition, vm, lane }: Resident): number {
  if (definition.keepsState === true) return 0;
  return (lane?.standby ?? 0) + (vm === undefined ? 0 : 1);
}

/** Its terms are set when the guest is about to run: a copy of the call for them would be a tenth of a quick one. */
export function callOf(
  resident: Resident,
  invocation: Invocation,
  record: RunRecord | undefined,
  run: number = 0,
): GuestCall & { terms: Terms | undefined } {
  const { capabilities } = resident.definition;
  return {
    input: invocation.input,
    arguments: invocation.arguments ?? capabilities.arguments,
    environment: mergeVariables(capabilities.environment, invocation.environment),
    passOn: invocation.passOn,
    streams: invocation.streams,
    export: invocation.export,
    component: invocation.component,
    record,
    run,
    terms: undefined,
  };
}
