import assert from 'node:assert/strict';
import { test } from 'node:test';
import { energyOfSteps } from '../../../bench/load/energy.ts';
import type { LoadStep } from '../../../bench/load/step.ts';
import { seededRandom } from '../../../statistics/random.ts';
import { sampleCurve } from '../../hardware/analysis/known-power.ts';

/** Idle at 3 W; from 20 s on 5 W, from 40 s on 9 W, from 60 s on idle again. */
const CURVE = [
  { fromS: 0, powerW: 3 },
  { fromS: 20, powerW: 5 },
  { fromS: 40, powerW: 9 },
  { fromS: 60, powerW: 3 },
];
const GUARDS = [
  { startS: 1, endS: 19 },
  { startS: 61, endS: 79 },
];

const stepOf = (startS: number, endS: number, answered: number): LoadStep =>
  ({
    target: 'wasm-restored',
    ratePerSecond: 0.7 * (answered / 20),
    answeredPerSecond: answered / 20,
    answered,
    startS,
    endS,
  }) as LoadStep;

const random = seededRandom(3);

for (const rule of ['instant', 'average', 'counter'] as const) {
  test(`energyOfSteps() has the power of each rate above idle, and the energy of a call, by ${rule} values`, () => {
    const noise = rule === 'counter' ? () => 0 : () => 0.1 * (random() - 0.5);
    const trace = sampleCurve(CURVE, { rule, intervalS: 0.1, untilS: 80, noise });
    const steps = [stepOf(20, 40, 200), stepOf(40, 60, 400)];
    const { idleW, synthetic, steps: told } = energyOfSteps({ trace, estimate: false, guards: GUARDS }, steps);
    assert.equal(synthetic, true);
    assert.ok(Math.abs(idleW - 3) < 0.01, String(idleW));
    const [slow, fast] = told;
    // 2 W for 20 s over 200 calls; 6 W over 400; and with 3 W of idle.
    for (const [step, watts, net, gross] of [
      [slow, 2, 0.2, 0.5],
      [fast, 6, 0.3, 0.45],
    ] as const) {
      assert.ok(Math.abs((step?.aboveIdleW?.value as number) - watts) < 0.02 * watts, JSON.stringify(step));
      assert.ok(Math.abs((step?.netJ?.value as number) - net) < 0.02 * net, JSON.stringify(step));
      assert.ok(Math.abs((step?.grossJ?.value as number) - gross) < 0.02 * gross, JSON.stringify(step));
      assert.ok((step?.netJ?.low as number) <= net && net <= (step?.netJ?.high as number), JSON.stringify(step));
      assert.deepEqual(step?.reasons, []);
    }
  });
}

test('energyOfSteps() tells no energy of a rate that samples keep step with, and that of another', () => {
  // 50 ms of 9 W for each of 10 requests a second, sampled when each begins: 9 W all the time is what is seen.
  const pulses = Array.from({ length: 200 }, (_, at) => [
    { fromS: 20 + at / 10, powerW: 9 },
    { fromS: 20.05 + at / 10, powerW: 3 },
  ]).flat();
  const trace = sampleCurve([{ fromS: 0, powerW: 3 }, ...pulses], {
    rule: 'instant',
    intervalS: 0.1,
    untilS: 80,
    noise: () => 0.1 * (random() - 0.5),
  });
  const steps = [{ ...stepOf(20, 40, 200), ratePerSecond: 10 }, stepOf(20, 40, 200)];
  const [locked, other] = energyOfSteps({ trace, estimate: false, guards: GUARDS }, steps).steps;
  assert.deepEqual([locked?.aboveIdleW, locked?.netJ, locked?.grossJ], [null, null, null]);
  assert.match(locked?.reasons[0] ?? '', /^samples each 0\.1 s keep step with requests each 0\.1 s$/);
  assert.notEqual(other?.netJ, null);
});

test('energyOfSteps() has no energy of a call where none was answered, and none of a step without samples', () => {
  const trace = sampleCurve(CURVE, { rule: 'average', intervalS: 0.1, untilS: 80, drop: (at) => at > 410 && at < 590 });
  const steps = [stepOf(20, 40, 0), stepOf(40, 60, 400)];
  const [none, lost] = energyOfSteps({ trace, estimate: true, guards: GUARDS }, steps).steps;
  assert.deepEqual([none?.netJ, none?.grossJ], [null, null]);
  assert.ok(Math.abs((none?.aboveIdleW?.value as number) - 2) < 0.05);
  assert.deepEqual([lost?.aboveIdleW, lost?.netJ], [null, null]);
  assert.match(lost?.reasons.join() ?? '', /no samples/);
});

test('energyOfSteps() refuses a recording without an idle stretch', () => {
  const trace = sampleCurve(CURVE, { rule: 'instant', intervalS: 0.1, untilS: 80 });
  assert.throws(() => energyOfSteps({ trace, estimate: false, guards: [] }, []), {
    code: 'ERR_NEBULA_HARDWARE_TRACE_INVALID',
  });
});
