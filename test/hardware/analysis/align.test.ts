import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { align } from '../../../hardware/analysis/align.ts';
import type { Edge } from '../../../hardware/analysis/edges.ts';
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

/** Edges of a log whose own times are moved, in seconds. */
const shifted = (edges: readonly Edge[], byS: (edge: Edge, index: number) => number): Edge[] =>
  edges
    .map((edge, index) => ({ ...edge, timeS: edge.timeS + byS(edge, index) }))
    .sort((left, right) => left.timeS - right.timeS);

const edgeAt = (timeS: number, level: 0 | 1): Edge => ({ timeS, level, halfWidthS: 0 });

const withEdges = (edges: readonly Edge[], ...more: readonly Edge[]): Edge[] =>
  [...edges, ...more].sort((left, right) => left.timeS - right.timeS);

// The slope of one burst of half a second is some 50 ppm off here: 5 ms after 100 s, where an edge may be 1.6 ms off.
test('align() ties a long session by both of its bursts, also where nothing lies between them', () => {
  const plan = { ...PLAN, windows: 1, durationS: 0.02, gapS: 200, sampleS: 2e-4, driftPpm: 120 };
  const session = makeSession(plan);
  const found = align(session.log, session.logger, { sampleS: plan.sampleS });
  assert.equal(found.fit.edges, 34);
  assert.deepEqual([found.lostEdges, found.spuriousEdges], [0, 0]);
  assert.ok(Math.abs(found.fit.driftPpm - 120) < 3, `drift ${found.fit.driftPpm}`);
});

test('align() grows from one burst to all windows of a long session, told coarsely', () => {
  const plan = { ...PLAN, windows: 400, sampleS: 2e-4, driftPpm: 300 };
  const whole = makeSession(plan);
  const session = makeSession({ ...plan, cut: { fromS: whole.endS - 0.7, toS: 1e9 } });
  const found = align(session.log, session.logger, { sampleS: plan.sampleS });
  const matched = found.windows.filter((window) => window.state === 'matched').length;
  assert.ok(matched > 385, `${matched} matched`);
  assert.ok(Math.abs(found.fit.driftPpm - 300) < 3, `drift ${found.fit.driftPpm}`);
});

// At 400 ppm the clocks are 8 ms apart after 20 s, two windows of the many: no line is found but from near to far.
test('align() does not take one window for the next where they follow each other faster than the clocks drift', () => {
  const plan = { ...PLAN, windows: 5000, durationS: 0.002, gapS: 0.002, driftPpm: 400 };
  const whole = makeSession(plan);
  const session = makeSession({ ...plan, cut: { fromS: whole.endS - 0.7, toS: 1e9 } });
  const found = align(session.log, session.logger, { sampleS: plan.sampleS });
  assert.ok(Math.abs(found.fit.driftPpm - 400) < 3, `drift ${found.fit.driftPpm}`);
  const wrong = found.windows.filter(
    (window) => Math.abs(window.startS - (session.truth.get(window.id)?.startS ?? 0)) > 1e-4,
  );
  assert.equal(wrong.length, 0);
});

test('align() takes a stray edge beyond the scatter for no late one, though it lies within the tolerance', () => {
  const session = makeSession(PLAN);
  const { startS } = session.truth.get('30') ?? { startS: Number.NaN };
  const moved = shifted(session.logger, (edge) => (Math.abs(edge.timeS - startS) < 1e-4 ? 0.5e-3 : 0));
  const found = align(session.log, moved, { sampleS: PLAN.sampleS });
  const window = found.windows.find(({ id }) => id === '30');
  assert.equal(window?.state, 'start-inferred');
  assert.ok(Math.abs((window?.startS ?? 0) - startS) < 2e-5);
  assert.deepEqual([found.lostEdges, found.spuriousEdges], [1, 1]);
});

test('align() matches no edge beyond the tolerance, however much the others scatter', () => {
  const session = makeSession(PLAN);
  // Four in five within 0.3 ms, so that eight deviations are more than the tolerance.
  const scattered = shifted(session.logger, (_, index) => 0.3e-3 * ((index % 5) / 2 - 1));
  const { startS } = session.truth.get('30') ?? { startS: Number.NaN };
  const moved = shifted(scattered, (edge) => (Math.abs(edge.timeS - startS) < 0.4e-3 ? 1.6e-3 : 0));
  const stateWith = (toleranceS?: number): string | undefined =>
    align(session.log, moved, {
      sampleS: PLAN.sampleS,
      maxResidualS: 1,
      ...(toleranceS === undefined ? {} : { toleranceS }),
    }).windows.find(({ id }) => id === '30')?.state;
  assert.equal(stateWith(), 'start-inferred');
  assert.equal(stateWith(3e-3), 'matched');
});

test('align() counts stray edges from a tolerance before the first edge to one after the last: 1 ms and three samples', () => {
  const sampleS = 1e-4;
  const session = makeSession({ ...PLAN, sampleS });
  const firstS = session.logger[0]?.timeS ?? Number.NaN;
  const lastS = session.logger.at(-1)?.timeS ?? Number.NaN;
  const strays = (more: readonly Edge[], toleranceS?: number): number =>
    align(session.log, withEdges(session.logger, ...more), {
      sampleS,
      ...(toleranceS === undefined ? {} : { toleranceS }),
    }).spuriousEdges;
  assert.equal(strays([edgeAt(firstS - 1.2e-3, 0), edgeAt(lastS + 1.2e-3, 1)]), 2);
  assert.equal(strays([edgeAt(firstS - 1.45e-3, 0), edgeAt(lastS + 1.45e-3, 1)]), 0);
  assert.equal(strays([edgeAt(firstS - 1.45e-3, 0), edgeAt(lastS + 1.45e-3, 1)], 2e-3), 2);
});

test('align() leaves edges that moved no line without a match, and counts them apart from those that were lost', () => {
  const session = makeSession(PLAN);
  const [before] = session.log.edges.filter(({ id, kind }) => id === '12' && kind === 'start');
  assert.ok(before !== undefined);
  // Another window, 5 ms after the start of this one and as long; a stray pulse lies where its edges would be.
  const startS = (session.truth.get('12')?.startS ?? 0) + 5e-3;
  const inner = (kind: 'start' | 'end', byNs: bigint) => ({
    ...before,
    id: 'inner',
    kind,
    level: kind === 'start' ? (1 as const) : (0 as const),
    beforeNs: before.beforeNs + byNs,
    afterNs: before.afterNs + byNs,
    written: false,
  });
  const edges = session.log.edges.flatMap((edge) =>
    edge === before ? [edge, inner('start', 5_000_000n), inner('end', 6_000_000n)] : [edge],
  );
  const logger = withEdges(session.logger, edgeAt(startS, 1), edgeAt(startS + 1e-3, 0));
  const found = align({ edges, synthetic: false }, logger, { sampleS: PLAN.sampleS });
  assert.deepEqual([found.unwrittenEdges, found.lostEdges, found.spuriousEdges], [2, 0, 2]);
  assert.equal(found.windows.find(({ id }) => id === 'inner')?.state, 'unmatched');
  assert.equal(found.synthetic, false);
});

const pulseSeen = (widthS: number, sampleS: number, minPulseS?: number): number[] => {
  const session = makeSession({ ...PLAN, sampleS });
  const atS = (session.truth.get('3')?.endS ?? 0) + 4e-3;
  const logger = withEdges(session.logger, edgeAt(atS, 1), edgeAt(atS + widthS, 0));
  const options = minPulseS === undefined ? { sampleS } : { sampleS, minPulseS };
  const { glitches, spuriousEdges } = align(session.log, logger, options);
  return [glitches, spuriousEdges];
};

test('align() believes no pulse shorter than 50 us, two samples, or what it is told', () => {
  assert.deepEqual(pulseSeen(45e-6, 1e-5), [1, 0]);
  assert.deepEqual(pulseSeen(55e-6, 1e-5), [0, 2]);
  assert.deepEqual(pulseSeen(190e-6, 1e-4), [1, 0]);
  assert.deepEqual(pulseSeen(210e-6, 1e-4), [0, 2]);
  assert.deepEqual(pulseSeen(190e-6, 1e-4, 150e-6), [0, 2]);
  assert.deepEqual(pulseSeen(190e-6, 1e-5, 250e-6), [1, 0]);
});

test('align() counts edges that bounced', () => {
  const session = makeSession(PLAN);
  const { startS } = session.truth.get('3') ?? { startS: Number.NaN };
  const seen = session.logger.find((edge) => Math.abs(edge.timeS - startS) < 1e-4);
  assert.ok(seen !== undefined);
  const logger = withEdges(session.logger, edgeAt(seen.timeS + 2e-5, 0), edgeAt(seen.timeS + 4e-5, 1));
  const found = align(session.log, logger, { sampleS: PLAN.sampleS });
  assert.deepEqual([found.bounces, found.glitches, found.spuriousEdges, found.lostEdges], [1, 0, 0, 0]);
});

// Ten of sixteen edges are needed.
test('align() finds a burst whose edges lie within half a millisecond and two samples', () => {
  const session = makeSession(PLAN);
  const isBurst = (edge: Edge): boolean => edge.timeS < (session.truth.get('0')?.startS ?? 0) - 1e-4;
  const closing = session.truth.get('59')?.endS ?? 0;
  const opening = session.logger.filter((edge) => edge.timeS <= closing + 1e-4);
  const everySecond = (byS: number): Edge[] =>
    shifted(opening, (edge, index) => (isBurst(edge) && index % 2 === 0 ? byS : 0));
  assert.ok(align(session.log, everySecond(0.45e-3), { sampleS: PLAN.sampleS }).windows.length === 60);
  assert.throws(() => align(session.log, everySecond(0.65e-3), { sampleS: PLAN.sampleS }), {
    key: 'NO_SYNC',
    fields: { expected: 10, edges: 16, got: 'fewer' },
  });
});

const middleNs = ({ beforeNs, afterNs }: { beforeNs: bigint; afterNs: bigint }): number =>
  Number(beforeNs + afterNs) / 2;

test('align() allows residuals of two samples, of a hundredth of the shortest window, or of what the host does not know', () => {
  const session = makeSession(PLAN);
  const hosts = session.log.edges.filter(({ kind }) => kind !== 'sync');
  const lengths = hosts.flatMap((edge, index) =>
    edge.kind === 'end' ? [middleNs(edge) - middleNs(hosts[index - 1] ?? edge)] : [],
  );
  // The logger's clock bends by 5 ms.
  const bent = shifted(session.logger, (edge) => {
    const place = (edge.timeS - 12.5) / session.endS - 0.5;
    return 5e-3 * (1 - 4 * place * place);
  });
  const allowedUs = (sampleS: number, halfWidthNs?: bigint): number => {
    const edges = session.log.edges.map((edge) => {
      const middle = (edge.beforeNs + edge.afterNs) / 2n;
      return halfWidthNs === undefined
        ? edge
        : { ...edge, beforeNs: middle - halfWidthNs, afterNs: middle + halfWidthNs };
    });
    try {
      align({ edges, synthetic: true }, bent, { sampleS, toleranceS: 10e-3 });
    } catch (error) {
      const fields = error instanceof HardwareError ? error.fields : {};
      assert.equal(fields['what'], 'bend of the clocks');
      return Number(/^at most (\d+\.\d) us$/.exec(String(fields['expected']))?.[1]);
    }
    return Number.NaN;
  };
  const ofWindowUs = Math.min(...lengths) / 1e5;
  assert.ok(Math.abs(allowedUs(1e-5) - ofWindowUs) < 0.1, `${allowedUs(1e-5)}, ${ofWindowUs}`);
  assert.equal(allowedUs(1e-3), 2000);
  assert.equal(allowedUs(1e-5, 100_000n), 400);
});

test('align() lists a window that began before the session, and refuses a log without edges', () => {
  const session = makeSession(PLAN);
  const edges = session.log.edges.filter((edge) => !(edge.id === '7' && edge.kind === 'start'));
  const found = align({ edges, synthetic: true }, session.logger, { sampleS: PLAN.sampleS });
  assert.deepEqual(found.incomplete, ['7']);
  assert.equal(found.windows.length, 59);
  assert.throws(() => align({ edges: [], synthetic: true }, session.logger, { sampleS: PLAN.sampleS }), {
    key: 'EDGES_INVALID',
    fields: { what: 'the host', expected: 'at least one edge', got: 'none' },
  });
});
