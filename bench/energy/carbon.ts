/**
 * CO2e of a call, from its energy and what the grid emits for it. Pure. It is told beside energies and is in no ratio: what a grid
 * emits is given, not measured, and the same for all that run on it.
 *
 * Source: ISO/IEC 21031:2024 (Software Carbon Intensity): SCI = (E x I + M) per R, with one call as R.
 */

import { argumentError } from '../../host/errors.ts';
import type { CellName } from '../compare/samples.ts';
import { scaled, type Bounded } from './bounded.ts';
import type { EnergyCell } from './cells.ts';

/** What is given, and kept in the folder of the run. */
export interface CarbonFactors {
  /** I: what the grid emits, in g CO2e for each kWh. */
  readonly gridGPerKwh: number;
  /** M for each hour that the machine is there: its embodied g CO2e over the hours of its life. */
  readonly embodiedGPerHour: number;
}

/** CO2e of a call on one cell, in g. */
export interface CallCarbon extends CellName {
  /** E x I, with the energy of the idle machine: the call has the machine to itself. */
  readonly operationalG: Bounded;
  /** M: the share of the machine's life that the call took. */
  readonly embodiedG: number;
  readonly sciG: Bounded;
}

const J_PER_KWH = 3.6e6;
const S_PER_HOUR = 3600;
const MOST_G = 1e6;

/** Checks factors. @throws TypeError or RangeError with ERR_NEBULA_ARGUMENT */
export function carbonFactors(gridGPerKwh: number, embodiedGPerHour: number = 0): CarbonFactors {
  for (const [name, value] of [
    ['--grid', gridGPerKwh],
    ['--embodied', embodiedGPerHour],
  ] as const) {
    if (!(value >= 0 && value <= MOST_G)) throw argumentError(name, `a number of grams from 0 to ${MOST_G}`, value);
  }
  return { gridGPerKwh, embodiedGPerHour };
}

/** CO2e of the cells that have an energy and a duration. */
export function carbonOf(cells: readonly EnergyCell[], factors: CarbonFactors): CallCarbon[] {
  return cells.flatMap(({ target, function: name, input, grossJ, durationS }) => {
    if (grossJ === null || durationS === null) return [];
    const operationalG = scaled(grossJ, factors.gridGPerKwh / J_PER_KWH);
    const embodiedG = (durationS / S_PER_HOUR) * factors.embodiedGPerHour;
    const { value, low, high } = operationalG;
    const sciG = {
      value: value + embodiedG,
      low: low === null ? null : low + embodiedG,
      high: high === null ? null : high + embodiedG,
    };
    return [{ target, function: name, input, operationalG, embodiedG, sciG }];
  });
}
