/** `bench deadlines`: how late a guest is stopped that counts units and never ends, and how many threads that costs. */

import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { atMost, compared } from '../measurement/comparison.ts';
import type { Findings } from '../measurement/result.ts';
import { root } from '../measurement/root.ts';
import { measure, rowOf, type Row, type Subject } from '../measurement/series.ts';
import { createNebula } from '../../lib/index.ts';
import { ratioOfQuantiles } from '../../statistics/bootstrap.ts';
import type { RunOptions } from './options.ts';

const FOREVER = join(root, 'functions/guests/forever/forever.wasm');
const TIMEOUT_MS = 20;
/** In each block: a thousand and some in thirty blocks. */
const CALLS_PER_BLOCK = 34;
const MOST_LATE_US = 5_000;
const MOST_LOST_OF = 1000;

/** Something that is done in `TIMEOUT_MS`, whose samples are how much later it was done. */
function latenessOf(name: string, run: () => Promise<unknown>): Subject {
  const sample = async (count: number): Promise<Float64Array> => {
    const late = new Float64Array(count);
    for (let at = 0; at < count; at++) {
      const startMs = performance.now();
      await run();
      late[at] = (performance.now() - startMs - TIMEOUT_MS) * 1000;
    }
    return late;
  };
  return { name, run, sample };
}

/** Measures lateness beside that of a bare timer. @throws Error where a call ends by anything but its deadline */
export async function runDeadlines({ blocks, seed }: RunOptions): Promise<Findings> {
  const nebula = await createNebula({ threads: 1 });
  try {
    await nebula.deploy(FOREVER, { name: 'forever', budget: true });
    const stopped = async (): Promise<void> => {
      const { kind } = await nebula.invoke('forever', '', { timeoutMs: TIMEOUT_MS });
      if (kind !== 'timeout') throw new Error(`a call of a guest that never ends came to ${kind}`);
    };
    await stopped();
    const replaced = (): number => nebula.stats().executor.unitsReplaced;
    const before = replaced();
    const subjects = [latenessOf('nebula', stopped), latenessOf('bare-timer', () => sleep(TIMEOUT_MS))];
    const plan = { bench: 'deadlines', function: 'forever', blocks, perBlock: CALLS_PER_BLOCK, warmUp: 0, seed };
    const series = await measure(subjects, plan);
    const lost = replaced() - before;
    const calls = blocks * CALLS_PER_BLOCK;
    const [late] = series;
    const names = { bench: 'deadlines', function: 'forever', subject: 'nebula' };
    const bound = Array.from({ length: blocks }, () => Float64Array.of(MOST_LATE_US));
    const p99 = ratioOfQuantiles({ subject: late?.blocks ?? [], against: bound }, 0.99);
    const share = lost / Math.max(1, calls / MOST_LOST_OF);
    const rows: Row[] = series.map((each) => ({
      ...rowOf(each),
      maxUs: Math.max(...each.blocks.map((us) => Math.max(...us))),
    }));
    return {
      rows: [...rows, { bench: 'deadlines', subject: 'nebula', function: 'threads replaced', n: lost }],
      comparisons: [
        compared({ ...names, against: '5 ms', metric: 'p99Us' }, p99, atMost(1)),
        compared(
          { ...names, against: '1 of 1000', metric: 'threads' },
          { value: share, low: share, high: share },
          atMost(1),
        ),
      ],
      series,
      missing: [],
    };
  } finally {
    await nebula.close();
  }
}
