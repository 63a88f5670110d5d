import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { sha256, type ComparisonCase } from '../../../bench/compare/cases.ts';
import type { Row } from '../../../bench/compare/rows.ts';
import { cellsOf } from '../../../bench/compare/cells.ts';
import { runPlan, type RunResult } from '../../../bench/compare/runner.ts';
import type { CallResult, Target } from '../../../bench/compare/target.ts';
import { energyPlanOf } from '../../../bench/energy/plan.ts';
import { EnergySession } from '../../../bench/energy/session.ts';
import type { CallsWindow } from '../../../bench/energy/windows.ts';
import { MemoryLine } from '../../../hardware/marker/line.ts';
import { SessionMarker, type Marker } from '../../../hardware/marker/marker.ts';

const CASES: readonly ComparisonCase[] = [
  { function: 'noop', input: 'small', bytes: new Uint8Array(), expectedSha256: sha256('right') },
];
const PLAN = energyPlanOf({
  functions: ['noop'],
  inputs: ['small'],
  targets: ['process', 'container-cold'],
  blocks: 3,
  repeats: 2,
  warmUps: 1,
  guardS: 0.5,
  settleS: 0.05,
  pauseS: 0.01,
  batchS: 0.1,
  callMarkS: 0.01,
});

const right: CallResult = { outcome: 'ok', stdout: Buffer.from('right'), stderr: new Uint8Array() };
const SILENT = { start() {}, expect() {}, block() {}, called() {}, stop() {} };

/** The process answers at once, the container in 20 ms. */
function fakes(answer: () => CallResult = () => right): Target[] {
  const shared = { deployed: [], refuses: () => undefined, close: () => Promise.resolve() };
  return [
    { ...shared, name: 'process', isCold: false, call: () => Promise.resolve(answer()) },
    {
      ...shared,
      name: 'container-cold',
      isCold: true,
      call: () => sleep(20).then(() => ({ ...right, teardownNs: 1e6 })),
    },
  ];
}

interface Ran extends RunResult {
  readonly rows: Row[];
  readonly session: EnergySession;
}

async function run(targets: readonly Target[], marker: Marker, signal = new AbortController().signal): Promise<Ran> {
  const rows: Row[] = [];
  const session = new EnergySession({ plan: PLAN, marker, signal });
  const sink = { write: (more: readonly Row[]): void => void rows.push(...more) };
  const request = { run: 'test', plan: PLAN, cells: cellsOf(targets, CASES), sink, progress: SILENT, signal };
  return { ...(await runPlan({ ...request, companion: session })), rows, session };
}

const callsOf = (session: EnergySession): CallsWindow[] =>
  session.windows.filter((window): window is CallsWindow => window.kind !== 'guard');

test('EnergySession marks short calls as batches, long ones one by one, between idle guards', async () => {
  const line = new MemoryLine();
  const marker = await SessionMarker.open(line, { burstUnitMs: 1 });
  const { rows, session, stopped } = await run(fakes(), marker);
  await marker.close();
  assert.equal(stopped, null);
  const guards = session.windows.filter(({ kind }) => kind === 'guard');
  assert.deepEqual(
    guards.map(({ id }) => id),
    ['guard-0', 'guard-1', 'guard-2', 'guard-3'],
  );
  for (const { startNs, endNs } of guards) assert.ok(Number(BigInt(endNs) - BigInt(startNs)) >= 0.49e9);
  const windows = callsOf(session);
  const batches = windows.filter(({ kind }) => kind === 'batch');
  assert.equal(batches.length, 3);
  assert.ok(batches.every(({ target, failed }) => target === 'process' && failed === 0));
  // Set beforehand: the second block's batch has half as many calls, the third's one and a half times as many.
  const [first, half, more] = batches.map(({ calls }) => calls) as [number, number, number];
  assert.ok(Math.abs(half - first / 2) <= 1 && Math.abs(more - 1.5 * first) <= 1, `${first}, ${half}, ${more}`);
  const calls = windows.filter(({ kind }) => kind === 'call');
  assert.ok(calls.length >= 6 && calls.every(({ target }) => target === 'container-cold'));
  for (const { call, phases, calledNs, startNs, endNs } of calls) {
    const total = rows.find((row) => row.call === call && row.phase === 'total');
    assert.equal(total?.outcome, 'ok');
    assert.equal(phases?.teardown, 1e6);
    assert.ok(BigInt(startNs) <= BigInt(calledNs as string) && BigInt(endNs) > BigInt(calledNs as string));
  }
  // The process's batches leave no row for each of their calls.
  const measured = rows.filter(({ phase, warmUp }) => phase === 'total' && warmUp !== true);
  assert.equal(measured.filter(({ target }) => target === 'process').length, 3 * PLAN.repeats);
  const marked = new Set(
    marker
      .log()
      .edges.filter(({ kind }) => kind === 'start')
      .map(({ id }) => id),
  );
  assert.deepEqual(marked, new Set(windows.map(({ id }) => id)));
  const counted = marker.log().edges.find(({ id, kind }) => kind === 'end' && id === batches[0]?.id);
  assert.equal(counted?.calls, first === 1 ? undefined : first);
});

test('EnergySession counts a call of a batch that fails, with its reason in the rows', async () => {
  let count = 0;
  const flaky = (): CallResult =>
    ++count % 50 === 0 ? { ...right, outcome: 'timeout', reason: 'its deadline' } : right;
  const { rows, session } = await run(fakes(flaky).slice(0, 1), await SessionMarker.open(undefined));
  const failed = callsOf(session).reduce((sum, window) => sum + window.failed, 0);
  assert.ok(failed > 0);
  assert.ok(rows.filter(({ outcome, reason }) => outcome === 'timeout' && reason === 'its deadline').length >= failed);
});

test('EnergySession makes a run void by one wrong answer in a batch', async () => {
  let count = 0;
  const wrong = (): CallResult => (++count === 30 ? { ...right, stdout: Buffer.from('wrong') } : right);
  const { stopped } = await run(fakes(wrong).slice(0, 1), await SessionMarker.open(undefined));
  assert.match(stopped ?? '', /^void: process noop: expected an answer with SHA-256/);
});

test('EnergySession goes on without marks that fail, and counts them', async () => {
  const broken: Marker = {
    start: () => {
      throw new Error('the pin is gone');
    },
    end: () => undefined,
    close: () => Promise.resolve(),
  };
  const { session, stopped } = await run(fakes().slice(0, 1), broken);
  assert.equal(stopped, null);
  assert.deepEqual(session.failedMarks, { count: 3, first: 'the pin is gone' });
  assert.equal(callsOf(session).length, 3);
});

test('EnergySession ends within a guard or a batch when it is interrupted', async () => {
  const interruption = new AbortController();
  const startMs = performance.now();
  setTimeout(() => interruption.abort(), 100);
  const { stopped } = await run(fakes(), await SessionMarker.open(undefined), interruption.signal);
  assert.equal(stopped, 'interrupted by the user');
  assert.ok(performance.now() - startMs < 1000);
});
