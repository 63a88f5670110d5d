/**
 * How long a source takes to show a change of power, from the starts of many windows: where what it shows is still less than
 * what it shows later, it is behind. Refresh, mean and lag of a meter come to one number here. Pure functions.
 */

import { median, sorted } from '../../statistics/quantiles.ts';
import type { PowerIntegral } from './integral.ts';

interface Span {
  readonly startS: number;
  readonly endS: number;
  /** Length of one of the like calls in it, where there are many. */
  readonly callS?: number;
}

/** A window is looked at over a quarter of the usual length, in parts of a hundredth of it or of one sample. */
const LOOK = { share: 0.25, parts: 100 } as const;

/** Fewest windows, how far below the later power a part may be, and how many errors of it besides. */
const SETTLED = { windows: 4, share: 0.1, errors: 2, parts: 3 } as const;

/** What was seen at 90 % of a step is made up to all of it: right for a mean, short of a low-pass by a fifteenth. */
const TO_ALL = 1.15;

/** A source whose own interval explains what is seen is not slow. */
const OWN_INTERVALS = 2;

/** So many later calls are looked at for what power a call has at one place of it. */
const LATER_CALLS = 10;

/**
 * Mean power that a part of a window has later on, in W: at the same place of later calls, since calls may begin with little
 * power, over and over, which is not the source's doing; of calls shorter than a part, or unknown, that of the rest.
 */
function laterPowerW(integral: PowerIntegral, window: Span, fromS: number, partS: number, lookS: number): number {
  const { startS, endS, callS = 0 } = window;
  const meanW = (startS: number, endS: number): number => integral.over(startS, endS).energyJ / (endS - startS);
  const restS = startS + lookS;
  if (callS <= partS) return meanW(restS, endS);
  const first = Math.max(1, Math.ceil((restS - fromS) / callS));
  const last = Math.floor((endS - partS - fromS) / callS);
  if (last < first) return meanW(restS, endS);
  const stride = Math.max(1, Math.floor((last - first + 1) / LATER_CALLS));
  let sumW = 0;
  let calls = 0;
  for (let call = first; call <= last; call += stride, calls++) {
    sumW += meanW(fromS + call * callS, fromS + call * callS + partS);
  }
  return sumW / calls;
}

/** Rises of power at a start: what a part shows above what was before, and what the rest of the window does. */
interface Rises {
  readonly shownW: number[];
  readonly laterW: number[];
}

/** How much of the rise a part shows, by least squares over the windows, and its standard error. */
function shareShown({ shownW, laterW }: Rises): { share: number; error: number } {
  let products = 0;
  let squares = 0;
  for (const [at, later] of laterW.entries()) {
    products += (shownW[at] as number) * later;
    squares += later * later;
  }
  const share = products / squares;
  let residuals = 0;
  for (const [at, later] of laterW.entries()) {
    residuals += (((shownW[at] as number) - share * later) * later) ** 2;
  }
  return { share, error: Math.sqrt(residuals) / squares };
}

/**
 * Time after which a change of power is all in the values, in seconds: 0 where it is within two of the source's own
 * intervals, where the windows are too few or too short to tell, and for counters, whose steps look like it.
 */
export function shownResponseS(integral: PowerIntegral, windows: readonly Span[]): number {
  if (integral.trace.rule === 'counter' || windows.length < SETTLED.windows) return 0;
  const usualS = median(sorted(windows.map(({ startS, endS }) => endS - startS)));
  const partS = Math.max(integral.intervalS, usualS / LOOK.parts);
  const parts = Math.floor((LOOK.share * usualS) / partS);
  const meanW = (fromS: number, toS: number): number => integral.over(fromS, toS).energyJ / (toS - fromS);
  const long = windows.filter(({ startS, endS }) => endS - startS > 1.5 * parts * partS);
  if (parts < SETTLED.parts || long.length < SETTLED.windows) return 0;
  const rises = Array.from({ length: parts }, (): Rises => ({ shownW: [], laterW: [] }));
  for (const window of long) {
    const { startS } = window;
    const beforeW = meanW(startS - 2 * partS, startS);
    for (const [part, { shownW, laterW }] of rises.entries()) {
      const fromS = startS + part * partS;
      shownW.push(meanW(fromS, fromS + partS) - beforeW);
      laterW.push(laterPowerW(integral, window, fromS, partS, parts * partS) - beforeW);
    }
  }
  const isBehind = rises.map((rise, part) => {
    const { share, error } = shareShown(rise);
    // The source's own interval holds back so much of the first part.
    const own = part === 0 ? integral.intervalS / partS : 0;
    return 1 - share > own + Math.max(SETTLED.share, SETTLED.errors * error);
  });
  let settled = isBehind.findIndex((_, part) => !isBehind.slice(part, part + SETTLED.parts).includes(true));
  if (settled < 0) settled = parts;
  const responseS = settled * partS;
  return responseS <= OWN_INTERVALS * integral.intervalS ? 0 : TO_ALL * responseS + partS;
}
