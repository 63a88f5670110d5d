/** The figures of a comparison. What is in a figure is in analysis.json or rows.ndjson too. */

import type { Analysis } from '../analysis.ts';
import type { Samples } from '../samples.ts';
import type { Figure } from './drawing.ts';
import { drawDistribution } from './distribution-figure.ts';
import { drawEngine } from './engine-figure.ts';
import { drawPercentiles } from './percentile-figure.ts';
import { drawPhases } from './phase-figure.ts';
import { drawRatios } from './ratio-figure.ts';
import { drawRunTimes } from './run-time-figure.ts';

/** Those that the data give: a run of one target has no ratio, one without containers no engine. */
export function drawFigures(analysis: Analysis, samples: Samples): Figure[] {
  const ends = [...new Set([samples.inputs[0], samples.inputs.at(-1)])].filter((each) => each !== undefined);
  return [
    drawRatios(analysis),
    ...ends.map((input) => drawDistribution(samples, input)),
    ...ends.map((input) => drawPhases(analysis, input)),
    drawRunTimes(analysis, samples),
    ...ends.map((input) => drawPercentiles(analysis, input)),
    drawEngine(analysis),
  ].filter((figure) => figure !== undefined);
}
