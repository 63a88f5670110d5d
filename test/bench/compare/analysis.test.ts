import assert from 'node:assert/strict';
import { test } from 'node:test';
import { analyse, type Analysis } from '../../../bench/compare/analysis.ts';
import type { Row } from '../../../bench/compare/rows.ts';
import { ENVIRONMENT, madeUpRows, PLAN } from './run.ts';

const analysed = (rows: readonly Row[] = madeUpRows(), environment = ENVIRONMENT): Analysis =>
  analyse({ plan: PLAN, environment, rows });

/** Of the rows as they were made up. */
const whole = analysed();

const codes = (analysis: Analysis): string[] => analysis.findings.map((finding) => finding.code);

test('analyse() compares every cell with the restored micro-VM and finds what was put in', () => {
  const analysis = whole;
  assert.equal(analysis.reference, 'wasm-restored');
  assert.equal(analysis.blocks, 12);
  assert.equal(analysis.cells.length, 15);
  const cold = analysis.ratios.find(
    (each) => each.target === 'container-cold' && each.function === 'noop' && each.phase === 'total',
  );
  const expected = 99_000_000 / 70_000;
  assert.ok(Math.abs((cold?.ratio.value ?? 0) / expected - 1) < 0.06, JSON.stringify(cold));
  assert.ok((cold?.ratio.low ?? 0) <= expected * 1.05 && (cold?.ratio.high ?? 0) >= expected * 0.95);
  assert.equal(cold?.different, true);
});

test('analyse() takes its statistics from measured calls, not from warm-ups', () => {
  const rows = madeUpRows().map((row) => (row.warmUp === true ? { ...row, ns: row.ns * 1000 } : row));
  const analysis = analysed(rows);
  const [cell] = analysis.cells;
  assert.equal(cell?.phases['total']?.n, 12);
  assert.ok((cell?.phases['total']?.max ?? Infinity) < 100_000);
  assert.ok(codes(analysis).includes('first-call-outlier'));
});

test('analyse() finds the break-even of the model that the rows were made from', () => {
  const found = whole.breakEvens.find((each) => each.function === 'matmul' && each.native === 'container-cold');
  // (99,000,000 - 70,000) / (1.5 - 1)
  assert.equal(found?.verdict, 'crosses');
  assert.ok(Math.abs((found.runNs?.value ?? 0) / 197_860_000 - 1) < 0.25, JSON.stringify(found));
  assert.ok(Math.abs((found.slowdown?.value ?? 0) - 1.5) < 0.1);
});

test('analyse() tells no number of a break-even where the method has none', () => {
  const told = whole.breakEvens.filter((each) => each.function === 'noop');
  assert.ok(told.length > 0);
  for (const { verdict, slowdown, runNs } of told) {
    assert.deepEqual({ verdict, slowdown, runNs }, { verdict: 'too-short', slowdown: null, runNs: null });
  }
});

test('analyse() averages over the functions that have the input', () => {
  const { overall } = whole;
  const find = (input: string): readonly string[] | undefined =>
    overall.find((each) => each.target === 'process' && each.input === input && each.phase === 'total')?.functions;
  assert.deepEqual(find('small'), ['noop', 'matmul']);
  assert.deepEqual(find('large'), ['matmul']);
});

test('analyse() keeps failed calls as findings and out of the statistics', () => {
  const rows = madeUpRows();
  const victim = rows.find((row) => row.block === 3 && row.target === 'process' && row.phase === 'total') as Row;
  const failed = rows.filter((row) => row.call !== victim.call);
  failed.push({ ...victim, outcome: 'failed', reason: 'the engine went away' });
  const analysis = analysed(failed);
  assert.equal(analysis.failed.length, 1);
  assert.equal(analysis.cells.find((cell) => cell.target === 'process')?.failed, 1);
  assert.equal(analysis.cells.find((cell) => cell.target === 'process')?.phases['total']?.n, 11);
  assert.ok(analysis.findings.some((finding) => finding.message.includes('the engine went away')));
});

test('analyse() tells few blocks, noise, a missing target and a void run', () => {
  const few = madeUpRows({ ...PLAN, blocks: 3 });
  const environment = {
    ...ENVIRONMENT,
    loadBefore: 5,
    blocks: [{ block: 0, seconds: 1, stealShare: 0.2 }],
    missing: [{ target: 'wasmtime' as const, reason: 'not found' }],
    stopped: 'void: process noop: expected an answer',
  };
  const analysis = analysed(few, environment);
  for (const code of ['too-few-blocks', 'noisy-machine', 'missing-target', 'void']) {
    assert.ok(codes(analysis).includes(code), code);
  }
  assert.equal(codes(whole).includes('noisy-machine'), false);
});

test('analyse() sees a guest that becomes faster within its series', () => {
  const rows = madeUpRows().map((row) =>
    row.target === 'node-wasi' && row.phase === 'run' && row.block < 4 ? { ...row, ns: row.ns * 3 } : row,
  );
  const found = analysed(rows).findings.find((finding) => finding.code === 'tier-up');
  assert.deepEqual(
    found?.about.map((place) => place.split(':')[0]),
    ['node-wasi matmul small', 'node-wasi matmul large'],
  );
});

test('analyse() gives the same for the same rows', () => {
  assert.deepEqual(analysed(), whole);
});

test('analyse() of no rows at all is empty, and says so', () => {
  const analysis = analysed([]);
  assert.deepEqual([analysis.cells, analysis.ratios, analysis.breakEvens], [[], [], []]);
  assert.ok(codes(analysis).includes('too-few-blocks'));
});
