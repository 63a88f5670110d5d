/** What instants of power did not see of the batches of a run: found over all batches of a cell, told of each. Pure. */

import { phaseLock, unexplainedW } from '../../hardware/analysis/aliasing.ts';
import {
  tooUncertain,
  widened,
  type EnergyWindow,
  type Reason,
  type WindowEnergy,
} from '../../hardware/analysis/energy.ts';
import type { PowerIntegral } from '../../hardware/analysis/integral.ts';
import type { CallsWindow } from './windows.ts';

/** A batch as it was measured by its own samples. */
interface Batch {
  readonly record: CallsWindow;
  readonly window: EnergyWindow;
  readonly energy: WindowEnergy;
}

/** Samples that keep to one phase of the calls more than this see that phase, and not the call. */
const LOCKED = 0.5;

/**
 * Like batches may differ by so much of their power before it is taken for something that samples did not see, where samples
 * are further apart than a supply smooths: no load keeps a period so exactly but calls, whose period is known.
 */
const DIFFERS = { share: 0.05, slowerThanS: 0.02 } as const;

const cellOf = ({ record }: Batch): string => `${record.target} ${record.function} ${record.input}`;

/** The energies of the batches, in their order, less certain where instants cannot have seen all of the load. */
export function withUnseen(integral: PowerIntegral, batches: readonly Batch[]): WindowEnergy[] {
  if (integral.trace.rule !== 'instant') return batches.map(({ energy }) => energy);
  const cells = new Map<string, Batch[]>();
  for (const batch of batches) cells.set(cellOf(batch), [...(cells.get(cellOf(batch)) ?? []), batch]);
  const spreads = new Map([...cells].map(([cell, like]) => [cell, spreadOf(like)]));
  return batches.map((batch) => unseenIn(integral, batch, spreads.get(cellOf(batch)) as Spread));
}

interface Spread {
  /** Beyond what samples explain, in W. */
  readonly unexplainedW: number;
  /** The same as a share of the mean power. */
  readonly share: number;
  readonly meanW: number;
}

function spreadOf(like: readonly Batch[]): Spread {
  const powers = like.flatMap(({ energy: { net, durationS }, record }) => {
    if (net === undefined || record.failed > 0) return [];
    const ownJ = Math.sqrt(Math.max(0, net.uncertaintyJ ** 2 - net.sharedJ ** 2));
    return [{ powerW: net.valueJ / durationS, ownW: ownJ / durationS }];
  });
  const meanW = powers.reduce((sum, { powerW }) => sum + powerW, 0) / powers.length;
  const foundW = unexplainedW(powers);
  return { unexplainedW: foundW, share: foundW / Math.abs(meanW), meanW };
}

function unseenIn(integral: PowerIntegral, { record, window, energy }: Batch, spread: Spread): WindowEnergy {
  const { net, gross, durationS, reasons } = energy;
  const callS = durationS / record.calls;
  const isLocked = phaseLock(integral, window.startS, window.endS, callS) > LOCKED;
  const mayHide = isLocked || (spread.share > DIFFERS.share && integral.intervalS > DIFFERS.slowerThanS);
  const differs = spread.unexplainedW > 0 && mayHide;
  if (!isLocked && !differs) return energy;
  const byJ = differs ? spread.unexplainedW * durationS : 0;
  const found: Reason[] = reasons.filter(({ code }) => code !== 'uncertain');
  if (isLocked) {
    const text = `samples each ${integral.intervalS} s keep step with calls of ${Number(callS.toPrecision(4))} s`;
    found.push({ code: 'locked', text });
  }
  const widerNet = net === undefined ? undefined : widened(net, byJ);
  const widerGross = gross === undefined ? undefined : widened(gross, byJ);
  // Against what like batches have on average: one that shows much by chance is not more certain for it.
  const usual = widerNet === undefined ? widerGross : { ...widerNet, valueJ: spread.meanW * durationS };
  const uncertain = usual === undefined ? [] : tooUncertain(integral, usual).filter(({ code }) => code === 'uncertain');
  if (uncertain.length > 0 && differs) {
    const percent = `${(100 * spread.share).toPrecision(3)} %`;
    found.push({ code: 'differs', text: `like batches differ by ${percent} more than their samples explain` });
  }
  const all = [...found, ...uncertain];
  return { ...energy, net: widerNet, gross: widerGross, reasons: all, resolvable: all.length === 0 };
}
