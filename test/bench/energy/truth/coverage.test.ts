/**
 * Intervals against a truth that is made apart from the analysis: few runs of each scenario here, 200 of each by
 * measure-coverage.js (docs/results/energy-intervals).
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../../../../statistics/random.ts';
import { coverageOf, type Count } from './coverage.ts';
import { curveOf, type Piece } from './load.ts';
import { SCENARIOS } from './scenarios.ts';

const RUNS = 4;
const BAR = 0.93;

/** Windows of a run share idle levels and loads: counted as a quarter of their number. */
const TOGETHER = 4;

function requireHeld({ told, hold }: Count, what: string, together = 1): void {
  if (told === 0) return;
  const least = BAR - 3 * Math.sqrt((BAR * (1 - BAR) * together) / told);
  assert.ok(
    hold / told >= least,
    `${what}: ${hold} of ${told} hold the truth, at least ${(100 * least).toFixed(1)} % must`,
  );
}

test('curveOf() has the energy that many thin slices of its power come to', () => {
  const random = seededRandom(3);
  const pieces = Array.from({ length: 4 }, (_, at): Piece => {
    const wave = { amplitudeW: 1.5, periodS: 0.05 + random(), duty: 0.3 };
    return {
      fromS: 2 * at + 0.3,
      toS: 2 * at + 1.9,
      powerW: 1 + at,
      wave: { ...wave, shape: at % 2 === 0 ? 'sine' : 'square' },
    };
  });
  const knots = [0, 1.5, 4, 9].map((timeS) => ({ timeS, powerW: 2 + random() }));
  const curve = curveOf(knots, pieces);
  for (const [fromS, toS] of [
    [0.1, 8.5],
    [0.9, 1.1],
    [3.21, 6.77],
  ] as const) {
    const slices = 200_000;
    const widthS = (toS - fromS) / slices;
    let sumJ = 0;
    for (let slice = 0; slice < slices; slice++) sumJ += widthS * curve.powerW(fromS + (slice + 0.5) * widthS);
    assert.ok(Math.abs(curve.energyJ(toS) - curve.energyJ(fromS) - sumJ) < 1e-3);
  }
});

const told = { cells: { told: 0, hold: 0 }, ratios: { told: 0, hold: 0 } };

for (const scenario of SCENARIOS) {
  test(`analyseEnergy() holds the truth or refuses: ${scenario.name}`, (t) => {
    const { windows, resolved, cells, ratios, refusedRuns } = coverageOf(scenario, RUNS);
    t.diagnostic(
      `windows ${windows.hold}/${windows.told}, cells ${cells.hold}/${cells.told}, ratios ${ratios.hold}/${ratios.told}`,
    );
    requireHeld(windows, 'windows', TOGETHER);
    requireHeld(resolved, 'resolved windows', TOGETHER);
    if (scenario.mustTell) assert.deepEqual([refusedRuns, cells.refused, ratios.refused], [0, 0, 0]);
    for (const [kind, count] of [
      ['cells', cells],
      ['ratios', ratios],
    ] as const) {
      told[kind].told += count.told;
      told[kind].hold += count.hold;
    }
  });
}

test('analyseEnergy() holds the energies and the ratios of cells over all scenarios', () => {
  const shares = { refused: 0, halfWidth: 0, error: 0 };
  requireHeld({ ...told.cells, ...shares }, 'cells');
  requireHeld({ ...told.ratios, ...shares }, 'ratios');
});
