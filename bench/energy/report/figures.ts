/** The figures of an energy run. */

import type { Figure } from '../../compare/report/drawing.ts';
import type { EnergyAnalysis } from '../analysis.ts';
import type { MeasuredRun } from '../joules.ts';
import { drawDecomposition } from './decomposition-figure.ts';
import { drawEnergies } from './energy-figure.ts';
import { stampFigure, stampsOf } from './stamp.ts';
import { drawTrace } from './trace-figure.ts';
import { drawWindows } from './window-figure.ts';

/** The figures that the data give, each stamped with what is against it. */
export function drawEnergyFigures(analysis: EnergyAnalysis, run: MeasuredRun | undefined): Figure[] {
  if (analysis.state !== 'measured' || run === undefined) return [];
  const stamps = stampsOf(analysis);
  return [drawTrace(run), drawDecomposition(analysis), drawEnergies(analysis), drawWindows(run)]
    .filter((figure) => figure !== undefined)
    .map((figure) => stampFigure(figure, stamps));
}
