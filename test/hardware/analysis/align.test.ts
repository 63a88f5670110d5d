import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { align } from '../../../hardware/analysis/align.ts';
import { HardwareError } from '../../../hardware/instrument/errors.ts';
import { makeSession, type SessionPlan } from './session.ts';

const PLAN: SessionPlan = {
  seed: 1,
  windows: 60,
  durationS: 0.02,
  gapS: 0.03,
  driftPpm: 40,
  offsetS: 12.5,
  sampleS: 1e-5,
  jitterS: 5e-6,
  lostShare: 0,
  spurious: 0,
};

const refusal = (key: string) => (error: unknown) => error instanceof HardwareError && error.key === key;

test('align() finds every window of a clean session and its drift', () => {
  const session = makeSession(PLAN);
  const found = align(session.log, session.logger, { sampleS: PLAN.sampleS });
  assert.equal(found.windows.length, 60);
  assert.ok(found.windows.every((window) => window.state === 'matched'));
  assert.deepEqual([found.lostEdges, found.spuriousEdges], [0, 0]);
  assert.ok(Math.abs(found.fit.driftPpm - 40) < 3, `drift ${found.fit.driftPpm}`);
  assert.ok(Math.abs(found.fit.driftPpm - 40) <= found.fit.driftIntervalPpm * 2);
  assert.equal(found.synthetic, true);
});

const driftOf = (driftPpm: number, maxDriftPpm?: number): number => {
  const session = makeSession({ ...PLAN, driftPpm });
  const options = { sampleS: PLAN.sampleS, ...(maxDriftPpm === undefined ? {} : { maxDriftPpm }) };
  return align(session.log, session.logger, options).fit.driftPpm;
};

// Two crystals of 100 ppm each, cold and hot, stay below; more is another clock or another session.
test('align() believes a drift of up to 500 ppm in either direction, or up to what it is told', () => {
  for (const driftPpm of [-490, 490]) assert.ok(Math.abs(driftOf(driftPpm) - driftPpm) < 4);
  for (const driftPpm of [-510, 510])
    assert.throws(() => driftOf(driftPpm), /drift is -?5[01]\d\.\d ppm, expected at most 500 ppm/);
  assert.throws(() => driftOf(40, 30), /expected at most 30 ppm/);
  assert.ok(Math.abs(driftOf(510, 600) - 510) < 4);
});

test('align() puts every window near its true place, whatever the drift, jitter, lost and stray edges', () => {
  fc.assert(
    fc.property(
      fc.record({
        seed: fc.integer({ min: 1, max: 1e9 }),
        driftPpm: fc.double({ min: -200, max: 200, noNaN: true }),
        offsetS: fc.double({ min: -1000, max: 1000, noNaN: true }),
        sampleS: fc.constantFrom(1e-5, 1e-4, 2e-4),
        lostShare: fc.double({ min: 0, max: 0.08, noNaN: true }),
        spurious: fc.integer({ min: 0, max: 12 }),
        jitterS: fc.constantFrom(0, 5e-6, 5e-5),
      }),
      (drawn) => {
        const plan = { ...PLAN, ...drawn };
        const session = makeSession(plan);
        const found = align(session.log, session.logger, { sampleS: plan.sampleS });
        assert.equal(found.windows.length, plan.windows);
        const limitS = 2.5e-4 + 3 * plan.sampleS + 10 * plan.jitterS;
        for (const window of found.windows) {
          const truth = session.truth.get(window.id);
          assert.ok(truth !== undefined);
          assert.ok(Math.abs(window.startS - truth.startS) < limitS, `start of ${window.id} (${window.state})`);
          assert.ok(Math.abs(window.endS - truth.endS) < limitS, `end of ${window.id} (${window.state})`);
        }
      },
    ),
    { numRuns: 60 },
  );
});

test('align() names which end of a window was lost', () => {
  const session = makeSession(PLAN);
  const startOf = (id: string) => session.truth.get(id)?.startS ?? Number.NaN;
  const endOf = (id: string) => session.truth.get(id)?.endS ?? Number.NaN;
  const lost = [startOf('5'), endOf('9'), startOf('20'), endOf('20')];
  const logger = session.logger.filter((edge) => lost.every((timeS) => Math.abs(edge.timeS - timeS) > 1e-4));
  assert.equal(logger.length, session.logger.length - 4);
  const found = align(session.log, logger, { sampleS: PLAN.sampleS });
  const states = new Map(found.windows.map((window) => [window.id, window.state]));
  assert.equal(states.get('5'), 'start-inferred');
  assert.equal(states.get('9'), 'end-inferred');
  assert.equal(states.get('20'), 'unmatched');
  assert.equal(states.get('21'), 'matched');
  assert.equal(found.lostEdges, 4);
  const inferred = found.windows.find((window) => window.id === '5');
  assert.ok(Math.abs((inferred?.startS ?? 0) - startOf('5')) < 2e-5);
});

test('align() grows from the one burst that is left, at a drift of 150 ppm', () => {
  for (const cut of [
    { fromS: 0, toS: 0.8 },
    { fromS: 3.8, toS: 1e9 },
  ]) {
    const session = makeSession({ ...PLAN, driftPpm: 150, cut });
    const found = align(session.log, session.logger, { sampleS: PLAN.sampleS });
    const matched = found.windows.filter((window) => window.state === 'matched').length;
    assert.ok(matched > 40, `${matched} matched`);
    assert.ok(Math.abs(found.fit.driftPpm - 150) < 5, `drift ${found.fit.driftPpm}`);
  }
});

test('align() counts what it removed and what it could not place', () => {
  const session = makeSession(PLAN);
  const atS = (session.truth.get('3')?.endS ?? 0) + 4e-3;
  const glitch = [
    { timeS: atS, level: 1 as const, halfWidthS: 0 },
    { timeS: atS + 1e-5, level: 0 as const, halfWidthS: 0 },
  ];
  const stray = [{ timeS: atS + 4e-3, level: 1 as const, halfWidthS: 0 }];
  const logger = [...session.logger, ...glitch, ...stray].sort((a, b) => a.timeS - b.timeS);
  const found = align(session.log, logger, { sampleS: PLAN.sampleS });
  assert.equal(found.glitches, 1);
  assert.equal(found.spuriousEdges, 1);
  assert.equal(found.lostEdges, 0);
});

test('align() lists a window that the session ended inside, and goes on', () => {
  const session = makeSession(PLAN);
  const edges = session.log.edges.filter((edge) => !(edge.id === '7' && edge.kind === 'end'));
  const found = align({ edges, synthetic: true }, session.logger, { sampleS: PLAN.sampleS });
  assert.deepEqual(found.incomplete, ['7']);
  assert.equal(found.windows.length, 59);
});

test('align() refuses a recording of another session', () => {
  const session = makeSession(PLAN);
  const other = makeSession({ ...PLAN, seed: 5 });
  const withoutBursts = other.logger.filter((edge) => edge.timeS > 13.4 && edge.timeS < 16);
  assert.throws(() => align(session.log, withoutBursts, { sampleS: PLAN.sampleS }), refusal('NO_SYNC'));
  assert.throws(() => align(session.log, [], { sampleS: PLAN.sampleS }), refusal('NO_SYNC'));
});

test('align() refuses a drift no crystal has, and clocks that bend', () => {
  const fast = makeSession({ ...PLAN, driftPpm: 900 });
  assert.throws(() => align(fast.log, fast.logger, { sampleS: PLAN.sampleS }), refusal('BAD_FIT'));
  const bent = makeSession(PLAN);
  const logger = bent.logger.map((edge) => {
    const place = (edge.timeS - 12.5) / bent.endS - 0.5;
    return { ...edge, timeS: edge.timeS + 0.6e-3 * (1 - 4 * place * place) };
  });
  const options = { sampleS: PLAN.sampleS, maxResidualS: 5e-5 };
  assert.throws(() => align(bent.log, logger, options), refusal('BAD_FIT'));
});

test('align() refuses logger times that fall and an id that starts twice', () => {
  const session = makeSession(PLAN);
  const reversed = session.logger.toReversed();
  assert.throws(() => align(session.log, reversed, { sampleS: PLAN.sampleS }), refusal('EDGES_INVALID'));
  const twice = session.log.edges.map((edge) => (edge.id === '8' ? { ...edge, id: '7' } : edge));
  const log = { edges: twice, synthetic: true };
  assert.throws(() => align(log, session.logger, { sampleS: PLAN.sampleS }), refusal('EDGES_INVALID'));
});
