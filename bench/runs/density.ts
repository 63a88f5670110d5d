/** `bench density`: memory of a thousand functions deployed and called once, and of many calls of one. */

import { fork } from 'node:child_process';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { atMost, compared } from '../comparison.ts';
import type { Findings } from '../result.ts';
import type { Row } from '../series.ts';
import type { Estimate } from '../../statistics/bootstrap.ts';

/** What a process of its own measures, so that nothing else is in its memory. */
export type DensityTask =
  | { readonly kind: 'functions'; readonly count: number }
  | { readonly kind: 'calls'; readonly first: number; readonly total: number };

export interface DensityAnswer {
  readonly beforeBytes: number;
  readonly afterBytes: number;
}

const FUNCTIONS = 1000;
const FIRST_CALLS = 20_000;
const ALL_CALLS = 200_000;
const BYTES_PER_FUNCTION = 200_000;

const exact = (value: number): Estimate => ({ value, low: value, high: value });

export async function runDensity(): Promise<Findings> {
  const many = await densityOf({ kind: 'functions', count: FUNCTIONS });
  const calls = await densityOf({ kind: 'calls', first: FIRST_CALLS, total: ALL_CALLS });
  const perFunction = (many.afterBytes - many.beforeBytes) / FUNCTIONS;
  const growth = calls.afterBytes / calls.beforeBytes;
  const rows: Row[] = [
    { bench: 'density', subject: 'nebula', function: `one of ${FUNCTIONS}`, n: FUNCTIONS, rssBytes: perFunction },
    {
      bench: 'density',
      subject: 'nebula',
      function: `after ${FIRST_CALLS} calls`,
      n: FIRST_CALLS,
      rssBytes: calls.beforeBytes,
    },
    {
      bench: 'density',
      subject: 'nebula',
      function: `after ${ALL_CALLS} calls`,
      n: ALL_CALLS,
      rssBytes: calls.afterBytes,
    },
  ];
  return {
    rows,
    comparisons: [
      compared(
        { bench: 'density', function: 'idle', subject: 'nebula', against: '200 kB', metric: 'rssBytes' },
        exact(perFunction / BYTES_PER_FUNCTION),
        atMost(1),
      ),
      compared(
        {
          bench: 'density',
          function: 'noop',
          subject: `nebula ${ALL_CALLS}`,
          against: `nebula ${FIRST_CALLS}`,
          metric: 'rssBytes',
        },
        exact(growth),
        atMost(1.05),
      ),
    ],
    series: [],
    missing: [],
  };
}

export function densityOf(task: DensityTask): Promise<DensityAnswer> {
  const path = fileURLToPath(new URL(`../subjects/density-process${extname(import.meta.url)}`, import.meta.url));
  const child = fork(path, [JSON.stringify(task)], { execArgv: ['--expose-gc'] });
  return new Promise((resolve, reject) => {
    child.once('message', (answer) => resolve(answer as DensityAnswer));
    child.once('exit', (code) => reject(new Error(`Cannot measure density: its process exited with ${code}`)));
  });
}
