/** Decides whether a function's code is to count units: by its manifest, its limits and where its guests run. */

import type { BudgetReason, CountingWish } from '../../host/definition/budget.ts';
import { NebulaError } from '../../host/errors.ts';
import type { Limits } from '../../host/limits.ts';
import { hasCpuLimit } from '../../host/wasi/session/account.ts';
import type { Manifest } from '../schema/manifest.ts';

/** Limits that only hold where code counts units. */
export const COUNTED_LIMITS = ['units', 'cpuMs'] as const;

/** What speaks for it besides. */
export interface BudgetCircumstances {
  /** Whether its guests run in their caller's thread. */
  readonly isInThread: boolean;
  /** Whether a call of this version had to be stopped together with its thread. */
  readonly wasStopped: boolean;
}

/**
 * Why its code is to count units; `waits` where that is for its imports to say, undefined where it is not to.
 * @throws NebulaError MANIFEST_INVALID for limits that could not hold
 */
export function chooseBudget(
  { budget = 'auto', capabilities }: Pick<Manifest, 'budget' | 'capabilities'>,
  limits: Limits,
  { isInThread, wasStopped }: BudgetCircumstances,
): BudgetReason | undefined {
  const counted = COUNTED_LIMITS.find((name) => limits[name] > 0);
  if (limits.cpuMs > 0 && !hasCpuLimit())
    throw invalid('field "limits.cpuMs" must be 0 here: this machine does not tell the processor time of a thread');
  if (budget === true) return 'manifest';
  if (budget === false) {
    if (counted === undefined) return undefined;
    throw invalid(`field "budget" must not be false where limits.${counted} is set`);
  }
  if (counted !== undefined) return 'limit';
  if (wasStopped) return 'stopped';
  // Where bindings run on a guest's stack no other deadline may end it, and a call may bring one of its own.
  const hasDeadline = limits.timeoutMs > 0 || (capabilities?.bindings ?? []).length > 0;
  return isInThread && hasDeadline ? 'deadline' : 'waits';
}

/** How the code is prepared for that. */
export function wishOf(reason: BudgetReason | undefined): CountingWish {
  if (reason === undefined) return 'never';
  return reason === 'waits' ? 'if-it-waits' : 'always';
}

function invalid(detail: string): NebulaError {
  return new NebulaError('MANIFEST_INVALID', { detail });
}
