/** `bench start`: one call in a fresh state, by every way there is on Node. */

import { atMost, compareLatency, type Comparison } from '../measurement/comparison.ts';
import type { Findings } from '../measurement/result.ts';
import { functionPath } from '../measurement/root.ts';
import { measure, rowOf, type Series, type Subject } from '../measurement/series.ts';
import { IN_THREAD_DEADLINES, inThread, overHttp, pooled, type Case } from '../subjects/nebula.ts';
import { extism } from '../subjects/peers.ts';
import { newInstance, nodeWasi } from '../subjects/wasi.ts';
import { wasmtime } from '../subjects/wasmtime.ts';
import type { RunOptions } from './options.ts';

const CASES: readonly Case[] = [
  { function: 'noop', path: functionPath('noop'), input: '', expected: '' },
  { function: 'fibonacci', path: functionPath('fibonacci'), input: '10', expected: '55\n' },
];

/** Measures one call in a fresh state beside peers. */
export async function runStart(options: RunOptions): Promise<Findings> {
  const series: Series[] = [];
  const missing: string[] = [];
  for (const test of CASES) series.push(...(await runCase(test, options, missing)));
  return { rows: series.map(rowOf), comparisons: CASES.flatMap((test) => compareCase(test, series)), series, missing };
}

async function runCase(test: Case, options: RunOptions, missing: string[]): Promise<Series[]> {
  const { path, input, expected } = test;
  const subjects: Subject[] = [
    await inThread(test),
    await inThread(test, 'nebula-deadline', IN_THREAD_DEADLINES['nebula-deadline']),
    await inThread(test, 'nebula-watchdog', IN_THREAD_DEADLINES['nebula-watchdog']),
    await pooled(test),
    await overHttp(test),
    newInstance(path, input, expected),
    nodeWasi(path, input, expected),
  ];
  if (test.function === 'noop') {
    // Extism gives a plug-in no stdin, so a function that reads one has no counterpart.
    for (const peer of [extism(path, false), extism(path, true)]) if (peer !== undefined) subjects.push(peer);
    if (subjects.length === 7) missing.push('extism: run `npm run bench:install`');
  }
  const native = wasmtime(process.env['WASMTIME_LIB'], test);
  if (native !== undefined) subjects.push(native);
  else missing.push(`wasmtime (${test.function}): name its libwasmtime.so in WASMTIME_LIB`);
  const plan = {
    bench: 'start',
    function: test.function,
    blocks: options.blocks,
    perBlock: 100,
    warmUp: 500,
    seed: options.seed,
  };
  const series = await measure(subjects, plan);
  for (const subject of subjects) await subject.close?.();
  return series;
}

function compareCase(test: Case, all: readonly Series[]): Comparison[] {
  const series = all.filter((one) => one.function === test.function);
  const find = (name: string): Series | undefined => series.find(({ subject }) => subject === name);
  const nebula = find('nebula') as Series;
  const comparisons: Comparison[] = [];
  // A deadline is to cost next to nothing.
  comparisons.push(compareLatency(find('nebula-deadline') as Series, nebula, 0.5, atMost(1.5)));
  const against = (name: string, share: number, value?: number): void => {
    const other = find(name);
    const bar = value === undefined ? undefined : atMost(value);
    if (other !== undefined) comparisons.push(compareLatency(nebula, other, share, bar));
  };
  against('new-instance', 0.5, 1 / 8);
  against('new-instance', 0.99, 1 / 20);
  against('node-wasi', 0.5, 1 / 100);
  against('extism', 0.5, 1 / 20);
  against('extism-worker', 0.5, 1 / 100);
  against('wasmtime', 0.5);
  return comparisons;
}
