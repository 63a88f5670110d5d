/** Energies of marks without a run around them, for a terminal. */

import type { MeasuredMarks } from '../marks.ts';
import { energy as energyText, seconds } from './quantities.ts';

const SHOWN = 40;

/** For a terminal: how the clocks were tied, then a line for each window. */
export function marksTable({ tied, source, synthetic, windows }: MeasuredMarks): string[] {
  const fit = tied.alignment?.fit;
  const clock =
    fit === undefined
      ? (tied.how ?? "on the host's clock")
      : `${tied.line}: drift ${fit.driftPpm.toFixed(1)} ppm, residual ${seconds(fit.residualSdS)} (at most ${seconds(fit.residualMaxS)})`;
  const lines = windows.slice(0, SHOWN).map(({ id, calls, state, durationS, gross, resolvable, reasons }) => {
    const value =
      gross === null
        ? 'no energy'
        : `${energyText(gross.valueJ)} [${energyText(gross.lowJ)}, ${energyText(gross.highJ)}]`;
    return `${id}  ${calls} calls  ${state}  ${seconds(durationS)}  ${value}${resolvable ? '' : `  (${reasons.map(({ text }) => text).join('; ')})`}`;
  });
  return [
    ...(synthetic ? ['SYNTHETIC: power or marks were made up'] : []),
    `${windows.length} windows, ${source}, ${clock}; energies with the idle power in them`,
    ...lines,
    ...(windows.length > SHOWN ? [`and ${windows.length - SHOWN} more (--json FILE has all)`] : []),
    ...(tied.incomplete.length > 0 ? [`without an end: ${tied.incomplete.join(', ')}`] : []),
  ];
}
