/** `bench deploys`: calls at a steady rate, alone and while something is deployed that takes long to compile. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createNebula, type Nebula } from '../../lib/index.ts';
import { atMost, compareLatency } from '../measurement/comparison.ts';
import type { Findings } from '../measurement/result.ts';
import { functionPath, root } from '../measurement/root.ts';
import { measure, rowOf, type Series, type Subject } from '../measurement/series.ts';
import { asNew, withCodeOf } from '../subjects/module-variants.ts';
import type { RunOptions } from './options.ts';

/** Code of the module that is deployed: some seconds of compiling. */
const CODE_BYTES = 6 * 2 ** 20;
const PERIOD_MS = 2;
const CALLS_PER_BLOCK = 1000;
/** A p99 during a deploy against the one without. */
const MOST = 2;
const SUBJECTS = ['alone', 'module', 'component'] as const;

/** What is deployed again and again; each time something else to the compiler where it is a module. */
type Deploy = (nebula: Nebula) => Promise<unknown>;

/** Measures calls beside deploys, from when they are made and from when they were due. */
export async function runDeploys({ blocks, seed }: RunOptions): Promise<Findings> {
  const nebula = await createNebula();
  try {
    await nebula.deploy(functionPath('noop'), { name: 'noop' });
    const large = asNew(withCodeOf(readFileSync(functionPath('json-transform')), CODE_BYTES));
    const deploys: Record<(typeof SUBJECTS)[number], Deploy | undefined> = {
      alone: undefined,
      module: () => nebula.deploy(renamed(large), { name: 'large' }),
      component: () => nebula.deploy(join(root, 'functions/components/web/web.wasm'), { name: 'web' }),
    };
    const sinceDue = new Map<string, Float64Array[]>(SUBJECTS.map((name) => [name, []]));
    const run = (): Promise<unknown> => nebula.invoke('noop');
    const subjects = SUBJECTS.map((name): Subject => {
      const sample = async (count: number): Promise<Float64Array> => {
        const { madeUs, dueUs } = await beside(nebula, deploys[name], () => calls(run, count));
        sinceDue.get(name)?.push(dueUs);
        return madeUs;
      };
      return { name, run, sample };
    });
    await calls(run, CALLS_PER_BLOCK);
    const made = await measure(subjects, {
      bench: 'deploys',
      function: 'noop',
      blocks,
      perBlock: CALLS_PER_BLOCK,
      warmUp: 0,
      seed,
    });
    const due = made.map(
      (each): Series => ({
        ...each,
        function: 'noop, since due',
        blocks: sinceDue.get(each.subject) ?? [],
      }),
    );
    return {
      rows: [...made, ...due].map((series) => ({ ...rowOf(series), maxUs: maxOf(series) })),
      comparisons: [made, due].flatMap(([alone, ...others]) =>
        others.map((other) => compareLatency(other, alone as Series, 0.99, atMost(MOST))),
      ),
      series: [...made, ...due],
      missing: [],
    };
  } finally {
    await nebula.close();
  }
}

let variants = 0;

/** Gives the module another name, which its last bytes are: no compiler has seen it. A deploy copies what it is given. */
function renamed(module: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  module[module.length - 1] = '0'.charCodeAt(0) + (variants++ % 75);
  return module;
}

const maxOf = ({ blocks }: Series): number => Math.max(...blocks.map((us) => Math.max(...us)));

interface Times {
  /** Microseconds from a call to its answer, and from when the call was due. */
  readonly madeUs: Float64Array;
  readonly dueUs: Float64Array;
}

/** Has a deploy be under way as long as `work` takes. */
async function beside(nebula: Nebula, deploy: Deploy | undefined, work: () => Promise<Times>): Promise<Times> {
  if (deploy === undefined) return work();
  const done = new AbortController();
  const deploying = async (): Promise<void> => {
    while (!done.signal.aborted) await deploy(nebula);
  };
  const deployed = deploying();
  try {
    return await work();
  } finally {
    done.abort();
    await deployed;
  }
}

/** Calls at a steady rate, whether those before are answered or not. */
async function calls(call: () => Promise<unknown>, count: number): Promise<Times> {
  const times: Times = { madeUs: new Float64Array(count), dueUs: new Float64Array(count) };
  const answers: Promise<void>[] = [];
  const startMs = performance.now();
  for (let at = 0; at < count; at++) {
    const dueMs = startMs + at * PERIOD_MS;
    const leftMs = dueMs - performance.now();
    if (leftMs > 0) await sleep(leftMs);
    const madeMs = performance.now();
    const answered = async (): Promise<void> => {
      await call();
      const nowMs = performance.now();
      times.madeUs[at] = (nowMs - madeMs) * 1000;
      times.dueUs[at] = (nowMs - dueMs) * 1000;
    };
    answers.push(answered());
  }
  await Promise.all(answers);
  return times;
}
