/** `bench restore`: what it takes to put a used state back, for a small memory, a large one, and an interpreter's. */

import { readFileSync } from 'node:fs';
import { atMost, compareLatency, type Comparison } from '../measurement/comparison.ts';
import type { Strategy } from '../../host/definition/strategies.ts';
import type { Findings } from '../measurement/result.ts';
import { functionPath } from '../measurement/root.ts';
import { measure, rowOf, type Series, type Subject } from '../measurement/series.ts';
import { inThread, type Case } from '../subjects/nebula.ts';
import { readyInterpreter } from '../subjects/interpreter.ts';
import { createNebula } from '../../lib/index.ts';
import { peerFile } from '../subjects/peers.ts';
import type { RunOptions } from './options.ts';

const TABLE_MIB = 64;
const NOOP: Case = { function: 'noop', path: functionPath('noop'), input: '', expected: '' };

/** Measures how a used state is put back, strategy beside strategy. */
export async function runRestore(options: RunOptions): Promise<Findings> {
  const missing: string[] = [];
  const small = await runSmall(options);
  const large = await runLarge(options);
  const interpreter = await runInterpreter(options, missing);
  const series = [...small, ...large, ...interpreter];
  return { rows: series.map(rowOf), comparisons: compareAll(small, large, interpreter), series, missing };
}

async function runSubjects(subjects: readonly Subject[], name: string, options: RunOptions): Promise<Series[]> {
  const plan = {
    bench: 'restore',
    function: name,
    blocks: options.blocks,
    perBlock: 100,
    warmUp: 5000,
    seed: options.seed,
  };
  const series = await measure(subjects, plan);
  for (const subject of subjects) await subject.close?.();
  return series;
}

async function runSmall(options: RunOptions): Promise<Series[]> {
  const named = (strategy: Strategy): Promise<Subject> => inThread(NOOP, strategy, { strategy });
  return runSubjects([await inThread(NOOP), await named('copy'), await named('fresh')], 'noop', options);
}

async function runLarge(options: RunOptions): Promise<Series[]> {
  return runSubjects([await lookup('cow'), await lookup('copy', 70)], 'lookup', options);
}

/** The reactor with a table of 64 MiB, in a fresh state each call, with another key each call. */
async function lookup(strategy: Strategy, perBlock?: number): Promise<Subject> {
  const nebula = await createNebula({ executor: 'in-thread' });
  const record = await nebula.deploy(functionPath('lookup'), {
    name: 'lookup',
    entry: 'handle',
    strategy,
    init: { export: 'nebula_init', environment: { LOOKUP_MIB: String(TABLE_MIB) } },
    limits: { memoryBytes: (TABLE_MIB + 4) * 2 ** 20, timeoutMs: 0 },
  });
  if (record.report.strategy !== strategy) throw new Error(`Cannot measure ${strategy}: ${record.report.reason}`);
  let key = 0;
  const run = async (): Promise<void> => {
    key = (key + 7_919_993) % 1_000_000;
    const outcome = await nebula.invoke('lookup', String(key));
    if (outcome.kind !== 'ok') throw new Error(`Cannot measure lookup: it ended with ${outcome.kind}`);
  };
  return { name: strategy, run, ...(perBlock === undefined ? {} : { perBlock }), close: () => nebula.close() };
}

async function runInterpreter(options: RunOptions, missing: string[]): Promise<Series[]> {
  const path = peerFile('@runno', 'sandbox', 'dist', 'langs', 'python-3.11.3.wasm');
  if (path === undefined) {
    missing.push('cpython: run `npm run bench:install`');
    return [];
  }
  const interpreter = await readyInterpreter(readFileSync(path));
  const { subjects } = interpreter;
  const series: Series[] = [];
  const plan = {
    bench: 'restore',
    function: 'cpython',
    blocks: options.blocks,
    perBlock: 70,
    warmUp: 8,
    seed: options.seed,
  };
  series.push(...(await measure(subjects, plan)), ...interpreter.used(plan));
  for (const subject of subjects) await subject.close?.();
  return series;
}

function compareAll(small: readonly Series[], large: readonly Series[], interpreter: readonly Series[]): Comparison[] {
  const [noop] = small;
  const cow = large.find(({ subject }) => subject === 'cow');
  const copy = large.find(({ subject }) => subject === 'copy');
  const [instance, ready] = ['new-instance', 'nebula'].map((name) =>
    interpreter.find(({ subject }) => subject === name),
  );
  const comparisons: Comparison[] = [];
  if (cow !== undefined && copy !== undefined) comparisons.push(compareLatency(cow, copy, 0.5, atMost(1 / 100)));
  if (cow !== undefined && noop !== undefined)
    comparisons.push(compareLatency(cow, { ...noop, subject: 'nebula noop' }, 0.5, atMost(3)));
  if (instance !== undefined && ready !== undefined)
    comparisons.push(compareLatency(ready, instance, 0.5, atMost(1 / 50)));
  return comparisons;
}
