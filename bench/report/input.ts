/** What a report is written from. */

import type { RunEnvironment } from '../compare/environment.ts';
import type { Plan } from '../compare/plan.ts';
import type { Row } from '../compare/rows.ts';
import type { ConcludedAnalysis } from '../energy/conclusion.ts';
import type { MeasuredRun } from '../energy/joules.ts';
import type { ThesisRow } from '../thesis/comparison.ts';

/** A run with its rows and what they came to. */
export interface ReportInput {
  readonly plan: Plan;
  readonly environment: RunEnvironment;
  readonly rows: readonly Row[];
  readonly analysis: ConcludedAnalysis;
  /** The windows of an energy run, for its figures. */
  readonly energy?: MeasuredRun | undefined;
  /** Of a run that repeats the thesis. */
  readonly thesis?: readonly ThesisRow[] | undefined;
}
