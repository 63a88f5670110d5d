/** CO2e of a million calls as a table of the report. */

import { carbon, carbonInterval } from './quantities.ts';
import type { Table } from '../../compare/report/tables.ts';
import { scaled } from '../bounded.ts';
import type { CallCarbon, CarbonFactors } from '../carbon.ts';

const CALLS = 1e6;

/** What a reader must know of the table. */
export function carbonText({ gridGPerKwh, embodiedGPerHour }: CarbonFactors): string {
  const embodied =
    embodiedGPerHour === 0
      ? 'without an embodied share'
      : `and ${embodiedGPerHour} g for each hour of the machine's life, embodied`;
  return `By ISO/IEC 21031 (SCI = E x I + M, a call as its unit), for a grid of ${gridGPerKwh} g CO2e/kWh, which was given, ${embodied}. Of a million calls one after the other, each with the machine to itself, idle power included. In no ratio.`;
}

/** CO2e of a million calls on each cell. */
export function carbonTable(cells: readonly CallCarbon[]): Table {
  return {
    head: ['function', 'input', 'target', 'energy x grid', 'embodied', 'SCI', '95 % interval'],
    lines: cells.map(({ function: name, input, target, operationalG, embodiedG, sciG }) => [
      name,
      input,
      target,
      carbon(operationalG.value * CALLS),
      carbon(embodiedG * CALLS),
      carbon(sciG.value * CALLS),
      carbonInterval(scaled(sciG, CALLS)),
    ]),
  };
}
