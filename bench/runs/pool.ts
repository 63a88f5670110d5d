/** `bench pool`: a call through the worker pool beside what threads cost at least, for one caller and for 64. */

import { atLeast, atMost, compareLatency, compareRates } from '../measurement/comparison.ts';
import type { Findings } from '../measurement/result.ts';
import { functionPath } from '../measurement/root.ts';
import { measure, rowOf, type Row, type Series, type Subject } from '../measurement/series.ts';
import { seededRandom, shuffled } from '../../statistics/random.ts';
import { piscinaEcho, rawMessagePort } from '../subjects/echo.ts';
import { pooled, type Case } from '../subjects/nebula.ts';
import type { RunOptions } from './options.ts';

const NOOP: Case = { function: 'noop', path: functionPath('noop'), input: '', expected: '' };
const CALLERS = 64;
const CALLS_PER_BLOCK = 6400;

/** Measures calls through the worker pool beside bare message ports. */
export async function runPool(options: RunOptions): Promise<Findings> {
  const subjects = [await pooled(NOOP, 'nebula'), rawMessagePort(), piscinaEcho()];
  const plan = {
    bench: 'pool',
    function: 'noop',
    blocks: options.blocks,
    perBlock: 200,
    warmUp: 2000,
    seed: options.seed,
  };
  const series = await measure(subjects, plan);
  const [nebula, echo] = [subjects[0] as Subject, subjects[2] as Subject];
  const rates = await measureRates([nebula, echo], options);
  for (const subject of subjects) await subject.close?.();
  const [nebulaRates, echoRates] = [rates.get('nebula') ?? [], rates.get('piscina-echo') ?? []];
  const names = { bench: 'pool-64', function: 'noop', subject: 'nebula', against: 'piscina-echo', metric: 'perSecond' };
  return {
    rows: [...series.map(rowOf), rateRow('nebula', nebulaRates), rateRow('piscina-echo', echoRates)],
    comparisons: [
      compareLatency(series[0] as Series, series[1] as Series, 0.5, atMost(1.6)),
      compareLatency(series[0] as Series, series[2] as Series, 0.5),
      compareRates(names, nebulaRates, echoRates, atLeast(0.9)),
    ],
    series,
    missing: [],
  };
}

function rateRow(subject: string, rates: readonly number[]): Row {
  const perSecond = rates.reduce((sum, rate) => sum + rate, 0) / rates.length;
  return { bench: 'pool-64', subject, function: 'noop', n: rates.length * CALLS_PER_BLOCK, perSecond };
}

/** Calls per second with many callers, one number for each block. */
async function measureRates(subjects: readonly Subject[], options: RunOptions): Promise<Map<string, number[]>> {
  const random = seededRandom(options.seed);
  const rates = new Map(subjects.map(({ name }) => [name, [] as number[]]));
  for (const subject of subjects) await callersOf(subject);
  for (let block = 0; block < options.blocks; block++) {
    for (const subject of shuffled(subjects, random)) {
      globalThis.gc?.();
      rates.get(subject.name)?.push(await callersOf(subject));
    }
  }
  return rates;
}

async function callersOf(subject: Subject): Promise<number> {
  let left = CALLS_PER_BLOCK;
  const startMs = performance.now();
  const caller = async (): Promise<void> => {
    while (left-- > 0) await subject.run();
  };
  await Promise.all(Array.from({ length: CALLERS }, caller));
  return CALLS_PER_BLOCK / ((performance.now() - startMs) / 1000);
}
