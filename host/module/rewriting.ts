/** What the writers of a rewritten module work from. */

import type { Additions } from './additions.ts';
import type { GrowthPlan } from './growth.ts';
import type { ModuleLayout } from './layout.ts';
import type { MemorySize } from './memory-size.ts';
import type { Meter } from './meter.ts';
import type { CodeScan } from './scan.ts';

/** Indices of what rewritten code refers to. */
export interface Flags {
  readonly refused: number;
  readonly tablesChanged: number;
  readonly dropped: number;
  readonly segments: ReadonlyMap<string, number>;
  /** The function called after each bulk or growing instruction and before each tail call, or -1. */
  readonly check: number;
}

export interface Rewriting {
  readonly layout: ModuleLayout;
  readonly scan: CodeScan;
  readonly additions: Additions;
  readonly flags: Flags;
  readonly growth: GrowthPlan;
  /** Where the memory has a size of its own. */
  readonly size: MemorySize | undefined;
  /** What has the code count units; of a module with a budget. */
  readonly meter: Meter | undefined;
}
