import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sha256, type ComparisonCase } from '../../../bench/compare/cases.ts';
import { FULL_PLAN, planOf } from '../../../bench/compare/plan.ts';
import type { BlockConditions } from '../../../bench/compare/environment.ts';
import type { Row } from '../../../bench/compare/rows.ts';
import { cellsOf } from '../../../bench/compare/cells.ts';
import { blocksLeft, phasesOf, runPlan, type RunResult } from '../../../bench/compare/runner.ts';
import type { CallResult, Target } from '../../../bench/compare/target.ts';

const NOTHING = new Uint8Array();
const CASES: readonly ComparisonCase[] = ['noop', 'fibonacci'].map((name) => ({
  function: name,
  input: 'small',
  bytes: NOTHING,
  expectedSha256: sha256('right'),
}));
const PLAN = planOf(FULL_PLAN, {
  functions: ['noop', 'fibonacci'],
  inputs: ['small'],
  targets: ['process', 'container-cold'],
  blocks: 4,
  repeats: 3,
  turnWarmUps: 0,
  warmUps: 2,
  seed: 5,
});

function answer(text = 'right', over: Partial<CallResult> = {}): CallResult {
  return { outcome: 'ok', stdout: Buffer.from(text), stderr: NOTHING, ...over };
}

function fakeTarget(name: 'process' | 'container-cold', call: Target['call']): Target {
  const isCold = name === 'container-cold';
  return { name, isCold, deployed: [], refuses: () => undefined, call, close: () => Promise.resolve() };
}

const SILENT = { start() {}, expect() {}, block() {}, called() {}, stop() {} };

async function run(
  targets: readonly Target[],
  signal = new AbortController().signal,
  plan = PLAN,
): Promise<RunResult & { rows: Row[] }> {
  const rows: Row[] = [];
  const sink = { write: (more: readonly Row[]): void => void rows.push(...more) };
  const cells = cellsOf(targets, CASES);
  const result = await runPlan({ run: 'test', plan, cells, sink, progress: SILENT, signal });
  return { ...result, rows };
}

const right = (): Promise<CallResult> => Promise.resolve(answer());

const order = (rows: readonly Row[], block: number): string[] =>
  rows.filter((row) => row.block === block).map((row) => `${row.target} ${row.function}`);

test('runPlan() gives every cell its turn in each block, in an order that differs and repeats with the seed', async () => {
  const first = await run([fakeTarget('process', right), fakeTarget('container-cold', right)]);
  const again = await run([fakeTarget('process', right), fakeTarget('container-cold', right)]);
  for (let block = 0; block < 4; block++) {
    const counts = new Map<string, number>();
    for (const cell of order(first.rows, block)) counts.set(cell, (counts.get(cell) ?? 0) + 1);
    assert.deepEqual(Object.fromEntries(counts), {
      'process noop': 3,
      'process fibonacci': 3,
      'container-cold noop': 1,
      'container-cold fibonacci': 1,
    });
    assert.deepEqual(order(first.rows, block), order(again.rows, block));
  }
  assert.ok(new Set([0, 1, 2, 3].map((block) => order(first.rows, block).join())).size > 1);
  assert.equal(first.stopped, null);
});

test('runPlan() keeps warm-ups as rows that say so', async () => {
  const { rows } = await run([fakeTarget('process', right)]);
  const warmUps = rows.filter((row) => row.warmUp === true);
  assert.equal(warmUps.length, 4);
  assert.ok(warmUps.every((row) => row.block === -1));
  assert.ok(rows.filter((row) => row.block >= 0).every((row) => row.warmUp === undefined));
});

test('runPlan() keeps the first calls of a turn as warm-ups too, but of targets that have few', async () => {
  const targets = [fakeTarget('process', right), fakeTarget('container-cold', right)];
  const { rows } = await run(targets, undefined, { ...PLAN, turnWarmUps: 1 });
  const inBlocks = rows.filter((row) => row.block >= 0 && row.phase === 'total');
  const warmUps = inBlocks.filter((row) => row.warmUp === true);
  assert.equal(warmUps.length, 8);
  assert.ok(warmUps.every((row) => row.target === 'process'));
  for (const { call, ...cell } of warmUps) {
    const next = inBlocks.find((row) => row.call === call + 1);
    assert.deepEqual([next?.function, next?.block, next?.warmUp], [cell.function, cell.block, undefined]);
  }
  assert.equal(inBlocks.length - warmUps.length, 4 * 2 * (3 + 1));
});

const slow = async (): Promise<CallResult> => {
  await new Promise((resolve) => setTimeout(resolve, 12));
  return answer();
};

test('runPlan() gives a cell whose calls are long as few of them as a cold target has', async () => {
  const expected: number[] = [];
  const plan = { ...PLAN, warmUps: 4, turnWarmUps: 1, longMs: 10 };
  const { rows } = await run([fakeTarget('process', slow)], undefined, plan);
  const totals = rows.filter((row) => row.phase === 'total');
  for (let block = -1; block < 4; block++) expected.push(totals.filter((row) => row.block === block).length);
  assert.deepEqual(expected, [4, 2, 2, 2, 2]);
  assert.ok(totals.every((row) => (row.warmUp === true) === row.block < 0));
});

const done = (...seconds: number[]): BlockConditions[] =>
  seconds.map((each, at) => ({ block: at - 1, seconds: each, stealShare: 0 }));

test('blocksLeft() is what the plan has, and no more than its minutes leave time for', () => {
  assert.equal(blocksLeft({ blocks: 10, minutes: 0 }, done(100, 20, 20), 1e9), 8);
  assert.equal(blocksLeft({ blocks: 10, minutes: 5 }, [], 0), 10);
  assert.equal(blocksLeft({ blocks: 10, minutes: 5 }, done(100, 20, 40), 160_000), 4);
  assert.equal(blocksLeft({ blocks: 3, minutes: 5 }, done(100, 20, 40), 160_000), 1);
  assert.equal(blocksLeft({ blocks: 10, minutes: 2 }, done(100, 20, 40), 160_000), 0);
});

test('runPlan() makes a failed call a row with its reason, and goes on', async () => {
  let calls = 0;
  const flaky = (): Promise<CallResult> =>
    ++calls % 2 === 0 ? Promise.reject(new Error('the engine went away')) : Promise.resolve(answer());
  const { rows, stopped } = await run([fakeTarget('process', flaky)]);
  assert.equal(stopped, null);
  assert.equal(rows.length, 28);
  assert.equal(rows.filter((row) => row.outcome === 'failed' && row.reason === 'the engine went away').length, 14);
});

test('runPlan() keeps how a guest ended that did not end well', async () => {
  const ending = { outcome: 'timeout', reason: 'its deadline of 5 ms' };
  const { rows } = await run([fakeTarget('process', () => Promise.resolve(answer('', ending)))]);
  assert.ok(rows.every((row) => row.outcome === 'timeout' && row.reason === 'its deadline of 5 ms'));
});

test('runPlan() is void and stops at the first answer that is not the expected one', async () => {
  let calls = 0;
  const wrong = (): Promise<CallResult> => Promise.resolve(answer(++calls === 5 ? 'wrong' : 'right'));
  const { rows, stopped } = await run([fakeTarget('process', wrong)]);
  assert.match(stopped ?? '', /^void: process (noop|fibonacci): expected an answer with SHA-256/);
  assert.equal(rows.length, 5);
  assert.equal(rows.at(-1)?.outcome, 'mismatch');
});

test('runPlan() ends after the call under way when it is interrupted', async () => {
  const interruption = new AbortController();
  let calls = 0;
  const call = (): Promise<CallResult> => {
    if (++calls === 7) interruption.abort();
    return right();
  };
  const { rows, stopped } = await run([fakeTarget('process', call)], interruption.signal);
  assert.equal(stopped, 'interrupted by the user');
  assert.equal(rows.length, 7);
});

test('cellsOf() has of a target only the functions that the plan leaves it', () => {
  const targets = [fakeTarget('process', right), fakeTarget('container-cold', right)];
  const names = cellsOf(targets, CASES, { 'container-cold': ['noop'] }).map(
    ({ target, test: { function: name } }) => `${target.name} ${name}`,
  );
  assert.deepEqual(names, ['process noop', 'process fibonacci', 'container-cold noop']);
});

test('cellsOf() leaves out what a target refuses', () => {
  const target: Target = {
    ...fakeTarget('process', right),
    refuses: (name) => (name === 'noop' ? 'no stdin' : undefined),
  };
  assert.deepEqual(
    cellsOf([target], CASES).map(({ test: { function: name } }) => name),
    ['fibonacci'],
  );
});

const stamped = (start: number, end: number): Uint8Array => Buffer.from(`warning\nnebula-stamp ${start} ${end}\n`);

test('phasesOf() cuts a call at the stamps of its guest, and the teardown that it waited for off its end', () => {
  const result = answer('right', { stderr: stamped(1100, 1400), teardownNs: 200 });
  assert.deepEqual(phasesOf(result, 1000n, 2000n), { total: 800, start: 100, run: 300, answer: 400, teardown: 200 });
});

test('phasesOf() takes the times of a target that measures itself, whose teardown comes after them', () => {
  const span = { calledNs: 1050n, answeredNs: 1600n };
  const result = answer('right', { stderr: stamped(1100, 1400), teardownNs: 20, span });
  assert.deepEqual(phasesOf(result, 1000n, 2000n), { total: 550, start: 50, run: 300, answer: 200, teardown: 20 });
});

const teardowns = async (ns: number | undefined): Promise<number[]> =>
  (await run([{ ...fakeTarget('process', right), settled: () => Promise.resolve(ns) }])).rows
    .filter((row) => row.phase === 'teardown')
    .map((row) => row.ns);

test('runPlan() has the teardown of a target that settles after its answer, and none that it does not know', async () => {
  assert.deepEqual(new Set(await teardowns(7)), new Set([7]));
  assert.deepEqual(await teardowns(undefined), []);
});

test('phasesOf() has no start and no answer of a guest with another clock', () => {
  const result = answer('right', { stderr: stamped(5, 25) });
  assert.deepEqual(phasesOf(result, 1000n, 2000n), { total: 1000, run: 20 });
});

test('phasesOf() has only the total of a guest that did not stamp', () => {
  assert.deepEqual(phasesOf(answer(), 1000n, 2000n), { total: 1000 });
});
