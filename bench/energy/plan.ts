/** What an energy run measures: a comparison with idle guards and marked batches. Plain data, written into the run's folder. */

import { argumentError } from '../../host/errors.ts';
import { FULL_PLAN, planOf, type Plan } from '../compare/plan.ts';

/** A comparison's plan, and how long its guards and batches are, in s. */
export interface EnergyPlan extends Plan {
  /** Length of an idle guard in seconds: before the first block, between blocks, after the last one. */
  readonly guardS: number;
  /** What of a guard's ends is left out, in seconds: the machine needs a while to become idle. */
  readonly settleS: number;
  /** Pause between two batches, in seconds. */
  readonly pauseS: number;
  /**
   * Length that a batch should have, in seconds: its number of calls is set from how long calls take in the warm-up, and from
   * block to block it is one, a half, and one and a half of that.
   */
  readonly batchS: number;
  /** Calls that take at least this long in the warm-up are marked one by one, others as a batch; in seconds. */
  readonly callMarkS: number;
}

/** The whole energy run: about half an hour. */
export const ENERGY_PLAN: EnergyPlan = {
  ...FULL_PLAN,
  functions: ['noop', 'fibonacci-recursive', 'matmul', 'sha256'],
  inputs: ['small', 'large'],
  targets: ['wasm-restored', 'process', 'container-warm', 'container-cold'],
  only: {},
  blocks: 10,
  repeats: 2,
  guardS: 10,
  settleS: 1,
  pauseS: 0.5,
  batchS: 5,
  callMarkS: 0.02,
};

const SECONDS = { guardS: 0.5, settleS: 0, pauseS: 0, batchS: 0.1, callMarkS: 0 } as const;

const MOST_SECONDS = 3600;

/** Batches of three lengths give the energy of a call as a slope, free of what each batch costs once. */
const LENGTHS = [1, 0.5, 1.5] as const;

/** Length that a block's batches should have, in seconds. */
export function batchLengthS(plan: EnergyPlan, block: number): number {
  return plan.batchS * (LENGTHS[block % LENGTHS.length] as number);
}

/**
 * A plan out of the default one and what is given in place of it.
 * @throws TypeError or RangeError that names the field
 */
export function energyPlanOf(given: Readonly<Record<string, unknown>>, base: EnergyPlan = ENERGY_PLAN): EnergyPlan {
  const own: Record<string, number> = {};
  const others: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(given)) {
    if (!Object.hasOwn(SECONDS, key)) {
      others[key] = value;
      continue;
    }
    const least = SECONDS[key as keyof typeof SECONDS];
    if (typeof value !== 'number' || !(value >= least && value <= MOST_SECONDS)) {
      throw argumentError(key, `seconds from ${least} to ${MOST_SECONDS}`, value);
    }
    own[key] = value;
  }
  const { guardS, settleS, pauseS, batchS, callMarkS, ...comparison } = base;
  const plan = { ...planOf(comparison, others), guardS, settleS, pauseS, batchS, callMarkS, ...own };
  if (plan.guardS <= 2 * plan.settleS) {
    throw argumentError('guardS', `more than twice settleS (${plan.settleS})`, plan.guardS);
  }
  return plan;
}

/** Whether a plan of a folder is one of an energy run. */
export function isEnergyPlan(plan: Plan): plan is EnergyPlan {
  return Object.keys(SECONDS).every((key) => Object.hasOwn(plan, key));
}
