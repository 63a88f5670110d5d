/** What must be seen before any number is read: that power was made up, or that a gate failed. */

import { COLUMN_PX, type Figure } from '../../compare/report/drawing.ts';
import { failuresOf, FORCE_HINT } from '../../../hardware/gate/gates.ts';
import type { EnergyAnalysis } from '../analysis.ts';

/** What is stamped across a figure and a section: made up, forced, not to be used. */
export interface Stamp {
  /** A word or two, for figures and tables. */
  readonly short: string;
  readonly text: string;
}

const RED = '#c4001d';
const LINE_PX = 15;

const sentence = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;

/** The stamps that a run has earned. */
export function stampsOf(energy: EnergyAnalysis): Stamp[] {
  const { gates } = energy;
  const stamps: Stamp[] = [];
  const made = energy.findings.find(({ code }) => code === 'synthetic')?.message;
  if (made !== undefined) stamps.push({ short: 'SYNTHETIC', text: sentence(made) });
  if (gates !== null && !gates.valid) {
    const text = `Not as it must be: ${failuresOf(gates)}. ${gates.forced ? 'Kept by --force' : FORCE_HINT}.`;
    stamps.push({ short: 'GATES FAILED', text });
  }
  if (energy.state === 'refused') stamps.push({ short: 'REFUSED', text: energy.reason });
  return stamps;
}

/** A figure with its stamps in it, so that it keeps them wherever it goes. */
export function stampFigure(figure: Figure, stamps: readonly Stamp[]): Figure {
  const [first] = stamps;
  if (first === undefined) return figure;
  const words = stamps.map(({ short }) => short).join(', ');
  const size = /^(<svg [^>]*?height=")([\d.]+)(mm" viewBox="0 )0 (\d+ )([\d.]+)/;
  const heightPx = Number(size.exec(figure.svg)?.[5] ?? 0);
  const across = COLUMN_PX / 2;
  const down = heightPx / 2;
  const mark =
    `<text x="4" y="-4" font-weight="bold" fill="${RED}">${words}</text>` +
    `<text x="${across}" y="${down}" text-anchor="middle" font-weight="bold" font-size="34" fill="${RED}" fill-opacity="0.16" ` +
    `transform="rotate(-18 ${across} ${down})" pointer-events="none">${first.short}</text>`;
  // A line of its own above the figure.
  const taller = figure.svg.replace(size, (_, start: string, mm: string, view: string, width: string) => {
    const newMm = (Number(mm) * (heightPx + LINE_PX)) / heightPx;
    return `${start}${newMm.toFixed(1)}${view}-${LINE_PX} ${width}${heightPx + LINE_PX}`;
  });
  return { ...figure, svg: taller.replace(/<\/svg>$/, `${mark}</svg>`) };
}
