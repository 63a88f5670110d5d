/** What instants of power did not see of the batches of a run: found over all batches of a cell, told of each. Pure. */

import { LOCKED, phaseLock, unexplainedW } from '../../hardware/analysis/aliasing.ts';
import {
  tooUncertain,
  widened,
  type Energy,
  type EnergyWindow,
  type Reason,
  type WindowEnergy,
} from '../../hardware/analysis/energy.ts';
import type { PowerIntegral } from '../../hardware/analysis/integral.ts';
import { mean } from '../../statistics/moments.ts';
import type { CallsWindow } from './windows.ts';

/** A batch as it was measured by its own samples. */
interface Batch {
  readonly record: CallsWindow;
  readonly window: EnergyWindow;
  readonly energy: WindowEnergy;
}

/**
 * Like batches may differ by so much of their power before it is taken for something that samples did not see, where samples
 * are further apart than a supply smooths: no load keeps a period so exactly but calls, whose period is known.
 */
const DIFFERS = { share: 0.05, slowerThanS: 0.02 } as const;

/** Values that are read more often than they are renewed are as far apart as they are renewed. */
const isSlowSource = ({ intervalS, refreshS }: PowerIntegral): boolean =>
  Math.max(intervalS, refreshS) > DIFFERS.slowerThanS;

/** Where the batches of one cell differ by so much of their power, those of another that agree may do so by chance. */
const DIFFERS_GREATLY = 0.2;

const cellOf = ({ record }: Batch): string => `${record.target} ${record.function} ${record.input}`;

/** The energies of the batches, in their order, less certain where instants cannot have seen all of the load. */
export function withUnseen(integral: PowerIntegral, batches: readonly Batch[]): WindowEnergy[] {
  if (integral.trace.rule !== 'instant') return batches.map(({ energy }) => energy);
  const cells = new Map<string, Batch[]>();
  for (const batch of batches) cells.set(cellOf(batch), [...(cells.get(cellOf(batch)) ?? []), batch]);
  const spreads = new Map([...cells].map(([cell, like]) => [cell, spreadOf(like)]));
  const greatW = [...spreads.values()].reduce((most, { meanW, unexplainedW: foundW }) => {
    return foundW > DIFFERS_GREATLY * Math.abs(meanW) ? Math.max(most, foundW) : most;
  }, 0);
  const found = batches.map((batch) => {
    const spread = spreads.get(cellOf(batch)) as Spread;
    const isSlow = isSlowSource(integral);
    const unexplained = isSlow ? Math.max(spread.unexplainedW, greatW) : spread.unexplainedW;
    return unseenIn(integral, batch, { ...spread, unexplainedW: unexplained });
  });
  return found.map((energy, at) => {
    const like = found.filter((_, other) => cellOf(batches[other] as Batch) === cellOf(batches[at] as Batch));
    const differing = like.filter(({ reasons }) =>
      reasons.some(({ code }) => code === 'differs' || code === 'uncertain'),
    );
    // One of them that is sure enough by chance is not told when most are not.
    if (!energy.resolvable || differing.length <= like.length / 2) return energy;
    const reasons = differing[0]?.reasons ?? [];
    return { ...energy, resolvable: false, reasons };
  });
}

interface Spread {
  readonly meanW: number;
  /** Mean square of what the batches themselves do not know, for each second of one, in J^2/s. */
  readonly ownJ2PerS: number;
  /** How they differ beyond that, in W. */
  readonly unexplainedW: number;
}

const squareOfOwn = (net: Energy): number => Math.max(0, net.uncertaintyJ ** 2 - net.sharedJ ** 2);

function spreadOf(like: readonly Batch[]): Spread {
  const told = like.flatMap(({ energy: { net, durationS }, record }) =>
    net === undefined || record.failed > 0
      ? []
      : [{ powerW: net.valueJ / durationS, ownJ2: squareOfOwn(net), durationS }],
  );
  const ownJ2PerS = mean(told.map(({ ownJ2, durationS }) => ownJ2 / durationS));
  const powers = told.map(({ powerW, ownJ2, durationS }) => ({
    powerW,
    ownW: Math.sqrt(Math.max(ownJ2, ownJ2PerS * durationS)) / durationS,
  }));
  return { meanW: mean(told.map(({ powerW }) => powerW)), ownJ2PerS, unexplainedW: unexplainedW(powers) };
}

/** What a batch is less certain by, in J: as its like are, one that saw a single phase by chance too, and as they differ. */
function unseenJ(integral: PowerIntegral, { energy }: Batch, spread: Spread, isLocked: boolean): number {
  const { net, durationS } = energy;
  if (net === undefined) return 0;
  const isSlow = isSlowSource(integral);
  const mayHide = (byJ: number): boolean =>
    isLocked || (isSlow && byJ > DIFFERS.share * Math.abs(spread.meanW) * durationS);
  const likeJ = Math.sqrt(spread.ownJ2PerS * durationS);
  const lackJ = mayHide(likeJ) ? Math.sqrt(Math.max(0, likeJ ** 2 - squareOfOwn(net))) : 0;
  const differsJ = spread.unexplainedW * durationS;
  return Math.hypot(lackJ, mayHide(differsJ) ? differsJ : 0);
}

function unseenIn(integral: PowerIntegral, batch: Batch, spread: Spread): WindowEnergy {
  const { record, window, energy } = batch;
  const { net, gross, durationS, reasons } = energy;
  const callS = durationS / record.calls;
  const isLocked = phaseLock(integral, window.startS, window.endS, callS) > LOCKED;
  const byJ = unseenJ(integral, batch, spread, isLocked);
  if (!isLocked && byJ === 0) return energy;
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
  if (uncertain.length > 0 && spread.unexplainedW > 0) {
    const percent = `${((100 * spread.unexplainedW) / Math.abs(spread.meanW)).toPrecision(3)} %`;
    found.push({
      code: 'differs',
      text: `like batches of this cell or another differ by ${percent} more than samples explain`,
    });
  }
  const all = [...found, ...uncertain];
  return { ...energy, net: widerNet, gross: widerGross, reasons: all, resolvable: all.length === 0 };
}
