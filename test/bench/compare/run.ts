/** Runs of the comparison made up for tests. Fakes stand in for targets only. */

import type { RunEnvironment } from '../../../bench/compare/environment.ts';
import { FULL_PLAN, planOf, type Plan } from '../../../bench/compare/plan.ts';
import type { Row } from '../../../bench/compare/rows.ts';
import { seededRandom } from '../../../statistics/random.ts';

export const PLAN: Plan = planOf(FULL_PLAN, {
  functions: ['noop', 'matmul'],
  inputs: ['small', 'large'],
  targets: ['wasm-restored', 'node-wasi', 'process', 'container-warm', 'container-cold'],
  blocks: 12,
});

export const ENVIRONMENT: RunEnvironment = {
  command: 'made up',
  date: '2026-01-01T00:00:00.000Z',
  cpu: 'none <&"',
  cores: 2,
  memoryBytes: 2 ** 30,
  arch: 'x64',
  kernel: 'linux 6',
  node: 'v20.0.0',
  v8: '11',
  governor: 'performance',
  loadBefore: 0,
  loadAfter: 0,
  stealShare: 0,
  commit: null,
  frequencyMhz: null,
  frequencyAfterMhz: null,
  cgroup: null,
  cgroupLimits: { cpus: null, memoryBytes: null },
  engine: 'none',
  collectsGarbage: true,
  deployed: { process: [{ function: 'noop', digest: 'ab', sizeBytes: 1 }] },
  missing: [],
  blocks: [{ block: 0, seconds: 1, stealShare: 0 }],
  stopped: null,
};

/** Start, run and answer of each target, in nanoseconds. */
const TIMES: Readonly<Record<string, readonly [number, number, number]>> = {
  'wasm-restored': [50_000, 1_500_000, 20_000],
  'node-wasi': [900_000, 1_600_000, 90_000],
  process: [900_000, 1_000_000, 300_000],
  'container-warm': [150_000, 1_000_000, 90_000],
  'container-cold': [90_000_000, 1_000_000, 9_000_000],
  'container-cold-bridge': [130_000_000, 1_000_000, 9_000_000],
};

/** Rows of a whole run, a tenth of noise on each time. */
export function madeUpRows(plan: Plan = PLAN): Row[] {
  const random = seededRandom(9);
  const rows: Row[] = [];
  let call = 0;
  for (let block = -1; block < plan.blocks; block++) {
    for (const target of plan.targets) {
      for (const functionName of plan.functions) {
        for (const input of functionName === 'noop' ? (['small'] as const) : plan.inputs) {
          const cell = { run: 'made-up', block, call: call++, target, function: functionName, input };
          rows.push(...rowsOf(cell, random));
        }
      }
    }
  }
  return rows;
}

type CallPlace = Omit<Row, 'phase' | 'ns' | 'outcome'>;

function rowsOf(cell: CallPlace, random: () => number): Row[] {
  const [start, run, answer] = TIMES[cell.target] as readonly [number, number, number];
  const scale = 0.95 + random() / 10;
  const own = cell.function === 'noop' ? 0 : run * (cell.input === 'large' ? 10 : 1);
  const phases: Record<string, number> = { start: start * scale, run: own * scale, answer: answer * scale };
  phases['total'] = (start + own + answer) * scale;
  if (cell.target === 'container-cold') {
    phases['teardown'] = 20_000_000 * scale;
    phases['executor.create'] = 40_000_000 * scale;
    phases['engine.create'] = 39_000_000 * scale;
    phases['executor.start'] = 50_000_000 * scale;
    phases['engine.start'] = 49_000_000 * scale;
  }
  const warmUp = cell.block < 0 ? { warmUp: true as const } : {};
  return Object.entries(phases).map(([phase, ns]) => ({
    ...cell,
    phase,
    ns: Math.round(ns),
    outcome: 'ok',
    ...warmUp,
  }));
}
