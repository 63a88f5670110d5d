/** What a sweep of loads came to: load.json. */

import type { Density } from './density.ts';
import type { LoadEnergy } from './energy.ts';
import type { Knee } from './knee.ts';
import type { LoadStep, LoadTarget } from './step.ts';

/** The steps of one target, in the order in which they were tried. */
export interface Sweep {
  readonly target: LoadTarget;
  readonly knee: Knee;
  readonly steps: readonly LoadStep[];
}

/** All targets of one function. */
export interface LoadResult {
  readonly function: string;
  /** When a rate counted as sustained, in words. */
  readonly criterion: string;
  readonly sweeps: readonly Sweep[];
  readonly densities: readonly Density[];
  /** Where power was recorded beside it. */
  readonly energy?: LoadEnergy;
  /** What could not be measured, and why. */
  readonly missing: readonly string[];
  /** Why the run ended before all was measured, or null. */
  readonly stopped: string | null;
}
