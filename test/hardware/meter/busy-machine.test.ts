/** A sensor that is polled on a machine that works: late just while the work goes on. Whether intervals hold the known energy. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { measureBaseline } from '../../../hardware/analysis/baseline.ts';
import { measureWindow } from '../../../hardware/analysis/energy.ts';
import { PowerIntegral } from '../../../hardware/analysis/integral.ts';
import type { PowerTrace } from '../../../hardware/analysis/trace.ts';
import { polledGapS } from '../../../hardware/meter/power-source.ts';
import { normalFrom } from '../../../statistics/normal.ts';
import { seededRandom, type Random } from '../../../statistics/random.ts';

const IDLE_W = 2;
const INTERVAL_S = 0.01;

/** A load of random powers, each for about `changesS`, and what polls that come `lateS` late now and then see of it. */
function polled(
  random: Random,
  changesS: number,
  lateS: number,
): { trace: PowerTrace; startS: number; endS: number; netJ: number } {
  const startS = 6 + random();
  const endS = startS + 3 + 2 * random();
  const after = (meanS: number): number => -Math.log(1 - random()) * meanS;
  const powers: { fromS: number; powerW: number }[] = [{ fromS: 0, powerW: IDLE_W }];
  for (let timeS = startS; timeS < endS; timeS += after(changesS))
    powers.push({ fromS: timeS, powerW: 3 + 3 * random() });
  powers.push({ fromS: endS, powerW: IDLE_W });
  const netJ = powers.reduce((sum, { fromS, powerW }, index) => {
    return sum + (powerW - IDLE_W) * ((powers[index + 1]?.fromS ?? fromS) - fromS);
  }, 0);
  const times: number[] = [];
  const values: number[] = [];
  let at = 0;
  for (let timeS = 0; timeS < 18; ) {
    while (at + 1 < powers.length && (powers[at + 1] as { fromS: number }).fromS <= timeS) at++;
    times.push(timeS);
    values.push((powers[at] as { powerW: number }).powerW + 0.02 * normalFrom(random));
    const isBusy = timeS >= startS && timeS < endS;
    timeS += INTERVAL_S + 0.002 * random() + (isBusy && random() < 0.3 ? after(lateS) : 0);
  }
  const known = { source: 'sensor', rule: 'instant', clock: 'host-monotonic', synthetic: true } as const;
  const arrays = { timeS: Float64Array.from(times), value: Float64Array.from(values), breaks: [] };
  const trace = { ...known, ...arrays, refreshS: INTERVAL_S, resolution: 0, gapS: polledGapS(INTERVAL_S) };
  return { trace, startS, endS, netJ };
}

for (const [changesS, lateS] of [
  [0.03, 0.02],
  [0.03, 0.06],
  [0.3, 0.06],
] as const) {
  test(`polledGapS() lets intervals hold a load that changes each ${changesS} s under polls ${lateS} s late, and refuses few`, () => {
    const random = seededRandom(11);
    let held = 0;
    let measured = 0;
    for (let run = 0; run < 150; run++) {
      const { trace, startS, endS, netJ } = polled(random, changesS, lateS);
      const integral = new PowerIntegral(trace);
      const baseline = measureBaseline(integral, [
        { startS: 0.2, endS: 5.8 },
        { startS: 12.5, endS: 17.5 },
      ]);
      const { net } = measureWindow(integral, { startS, endS }, baseline);
      if (net === undefined) continue;
      measured++;
      if (net.lowJ <= netJ && netJ <= net.highJ) held++;
    }
    assert.ok(measured >= 140, `${measured} of 150 measured`);
    // 93 % less two standard deviations of 150 draws.
    assert.ok(held >= 0.89 * measured, `${held} of ${measured} hold`);
  });
}
