/** The experiment of the thesis as a plan: its four functions, inputs over the ranges it ran, and both of its ways. */

import { ENERGY_PLAN, type EnergyPlan } from '../energy/plan.ts';
import { FULL_PLAN, type Plan } from '../compare/plan.ts';

/** The thesis ran each of them from 0 on (benchmarking/src/utils/request.rs of brehen/nebula at ad9cf2f). */
const FUNCTIONS = ['exponential', 'factorial', 'fibonacci-recursive', 'prime-number'] as const;

/**
 * Seven or eight inputs of each over what the thesis averaged, and beyond: exponential to 708, factorial to 34 (its 128 bits
 * overflow from 35 on), fibonacci-recursive to 30 and prime-number to 1,500 (`medium`), with `large` left out of its averages.
 */
const INPUTS = [
  'zero',
  'first',
  'n-5',
  'n-6',
  'n-12',
  'n-15',
  'n-18',
  'n-24',
  'n-25',
  'n-30',
  'n-118',
  'n-236',
  'n-250',
  'n-354',
  'n-472',
  'n-500',
  'n-590',
  'n-750',
  'n-1000',
  'n-1250',
  'small',
  'medium',
  'large',
] as const;

/** Without a meter: 12 blocks took seven minutes on two cores. */
export const THESIS_PLAN: Plan = {
  ...FULL_PLAN,
  functions: FUNCTIONS,
  inputs: INPUTS,
  targets: ['wasm-restored', 'wasm-fresh', 'process', 'container-cold', 'docker-run'],
  only: {},
  blocks: 10,
  warmUps: 3,
  study: 'thesis',
};

/** Beside a meter. Batches take seconds, so that each function has its three sizes only. */
export const THESIS_ENERGY_PLAN: EnergyPlan = {
  ...ENERGY_PLAN,
  ...THESIS_PLAN,
  inputs: ['small', 'medium', 'large'],
};
