import assert from 'node:assert/strict';
import { test } from 'node:test';
import { asProbed, followedBy, paceOf, parseProbe, type Probe } from '../../../bench/energy/pace.ts';
import { energyPlanOf } from '../../../bench/energy/plan.ts';
import type { PowerTrace } from '../../../hardware/analysis/trace.ts';

const PLAN = energyPlanOf({ batchS: 5, guardS: 10, settleS: 1, pauseS: 0.5 });
const PROBE: Probe = { source: 'a meter', durationS: 30, refreshS: 1, stalenessS: 1.2, stepW: 1 };

test('followedBy() leaves a plan as it is where the source is fast, or where nothing is known of it', () => {
  for (const pace of [{}, { refreshS: undefined }, { refreshS: 0.01, lagS: 0.01 }]) {
    assert.deepEqual(followedBy(PLAN, 'a meter', pace), { plan: PLAN, lengthened: {} });
  }
});

test('followedBy() lengthens batches, guards and pauses to ten values and five responses of the shortest batch', () => {
  const { plan, lengthened } = followedBy(PLAN, 'a meter', { refreshS: 1, lagS: 2 });
  // Five responses of 3 s are 15 s; the shortest batch is half of the usual one.
  assert.deepEqual([plan.batchS, plan.guardS, plan.pauseS], [30, 15 + 3 + 2, 3]);
  assert.deepEqual(lengthened, {
    batchS: { askedS: 5, toS: 30 },
    guardS: { askedS: 10, toS: 20 },
    pauseS: { askedS: 0.5, toS: 3 },
  });
  assert.equal(followedBy(PLAN, 'a meter', { refreshS: 1 }).plan.batchS, 20);
});

test('followedBy() refuses a source that would need batches of more than ten minutes', () => {
  assert.throws(() => followedBy(PLAN, 'a switch', { refreshS: 60 }), {
    code: 'ERR_NEBULA_HARDWARE_SOURCE_SLOW',
    message: /by a switch: .* after 60 s, batches of 1200 s would be needed, at most 600 s/,
  });
});

test('paceOf() takes the worse of what a source declares and what its probe found', () => {
  assert.deepEqual(paceOf({ refreshS: 0.5, lagS: 1 }, PROBE), { refreshS: 1, lagS: 1 });
  const worse = paceOf({ refreshS: 0.5 }, PROBE);
  assert.ok(Math.abs((worse.lagS ?? 0) - 0.2) < 1e-12);
  assert.deepEqual(paceOf({ refreshS: 2, lagS: 0 }, PROBE), { refreshS: 2, lagS: 0 });
  // A rounded value that never changed says nothing of its refresh.
  assert.deepEqual(paceOf({ refreshS: 1, lagS: 0 }, { ...PROBE, refreshS: 30 }), { refreshS: 1, lagS: 0 });
});

test('asProbed() puts the worse step and refresh to a recording, and no step of power to a counter', () => {
  const trace: PowerTrace = {
    source: 'a meter',
    rule: 'instant',
    clock: 'logger',
    synthetic: true,
    timeS: Float64Array.of(0, 1),
    value: Float64Array.of(0, 1),
    refreshS: 0.2,
    resolution: 0.1,
    breaks: [],
  };
  assert.equal(asProbed(trace, undefined), trace);
  assert.deepEqual([asProbed(trace, PROBE).refreshS, asProbed(trace, PROBE).resolution], [1, 1]);
  assert.equal(asProbed({ ...trace, rule: 'counter' }, PROBE).resolution, 0.1);
});

test('parseProbe() reads the JSON of nebula meter probe, and names a file that is none', () => {
  assert.deepEqual(parseProbe(JSON.stringify({ character: { ...PROBE, samples: 30 } }), 'p.json'), PROBE);
  assert.throws(() => parseProbe('{"character":{"refreshS":1}}', 'p.json'), /Cannot use "p.json": expected the JSON/);
});
