/** `bench density`: memory of a thousand functions deployed and called once, and of many calls of one. */

import { atMost, compared } from '../measurement/comparison.ts';
import { densityOf } from '../subjects/density.ts';
import type { Findings } from '../measurement/result.ts';
import type { Row } from '../measurement/series.ts';
import type { Estimate } from '../../statistics/bootstrap.ts';

const FUNCTIONS = 1000;
const FIRST_CALLS = 20_000;
const ALL_CALLS = 200_000;
const BYTES_PER_FUNCTION = 200_000;

const exact = (value: number): Estimate => ({ value, low: value, high: value });

/** Measures the memory of many functions and of many calls. */
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
