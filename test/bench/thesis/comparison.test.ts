import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadCases } from '../../../bench/compare/cases.ts';
import { FULL_PLAN, planOf, type Plan } from '../../../bench/compare/plan.ts';
import type { Row } from '../../../bench/compare/rows.ts';
import { Samples } from '../../../bench/compare/samples.ts';
import type { EnergyAnalysis } from '../../../bench/energy/analysis.ts';
import { energyPlanOf } from '../../../bench/energy/plan.ts';
import { compareWithThesis, type ThesisRow } from '../../../bench/thesis/comparison.ts';
import { THESIS_ENERGY_PLAN, THESIS_PLAN } from '../../../bench/thesis/plan.ts';
import { PUBLISHED } from '../../../bench/thesis/published.ts';
import { thesisTable } from '../../../bench/thesis/report.ts';

const PLAN: Plan = planOf(THESIS_PLAN, {
  functions: ['factorial', 'prime-number'],
  inputs: ['small', 'large'],
  blocks: 3,
});
const MS = 1e6;

/** In ms: start, run, answer, teardown. Only prime-number's large input runs for longer. */
const TIMES: Readonly<Record<string, readonly [number, number, number, number]>> = {
  'wasm-fresh': [1, 0.5, 0.25, 0.25],
  'docker-run': [300, 0.5, 199.5, 0],
  'wasm-restored': [0.1, 0.5, 0.1, 0.05],
  'container-cold': [100, 0.5, 20, 30],
};

function rowsOf(targets: readonly string[], plan: Plan = PLAN): Row[] {
  const rows: Row[] = [];
  let call = 0;
  for (let block = 0; block < plan.blocks; block++) {
    for (const target of targets) {
      for (const functionName of plan.functions) {
        for (const input of plan.inputs) {
          rows.push(...callRows({ run: 'made-up', block, call: call++, target, function: functionName, input }));
        }
      }
    }
  }
  return rows;
}

function callRows(place: Omit<Row, 'phase' | 'ns' | 'outcome'>): Row[] {
  const [start, run, answer, teardown] = TIMES[place.target] as readonly [number, number, number, number];
  const own = place.function === 'prime-number' && place.input === 'large' ? 100 * run : run;
  const phases = { start, run: own, answer, teardown, total: start + own + answer };
  return Object.entries(phases).map(([phase, ms]) => ({ ...place, phase, ns: ms * MS, outcome: 'ok' }));
}

const cellOf = (target: string, functionName: string, joules: number | null): object => ({
  target,
  function: functionName,
  input: 'small',
  grossJ: joules === null ? null : { value: joules, low: 0.9 * joules, high: 1.1 * joules },
});

const energyOf = (...cells: readonly object[]): EnergyAnalysis =>
  ({ state: 'measured', cells }) as unknown as EnergyAnalysis;

const rowOf = (rows: readonly ThesisRow[], metric: string): ThesisRow =>
  rows.find((row) => row.metric === metric) as ThesisRow;

test('compareWithThesis() takes means over the cells that the thesis averages, and all of a container is in its runtime', () => {
  const rows = compareWithThesis(new Samples(rowsOf(Object.keys(TIMES)), PLAN), undefined);
  const told = rows.map(({ metric, here }) => [
    metric,
    here.map(({ docker, cells, dockerValue, wasmValue, times }) => [
      docker,
      cells,
      Number(dockerValue.value.toFixed(6)),
      Number(wasmValue.value.toFixed(6)),
      Number(times.value.toFixed(4)),
    ]),
  ]);
  assert.deepEqual(told, [
    [
      'cold start',
      [
        ['docker-run', 3, 300, 1, 300],
        ['container-cold', 3, 100, 0.1, 1000],
      ],
    ],
    [
      'runtime',
      [
        ['docker-run', 3, 200, 1, 200],
        ['container-cold', 3, 50.5, 0.65, 77.6923],
      ],
    ],
    [
      'total runtime',
      [
        ['docker-run', 3, 500, 2, 250],
        ['container-cold', 3, 150.5, 0.75, 200.6667],
      ],
    ],
    ['energy consumption', []],
    [
      'own run',
      [
        ['docker-run', 3, 0.5, 0.5, 1],
        ['container-cold', 3, 0.5, 0.5, 1],
      ],
    ],
    // (3 x 500 + 549.5) / 4, (3 x 2 + 51.5) / 4; (3 x 150.5 + 200) / 4, (3 x 0.75 + 50.25) / 4
    [
      'total runtime, all inputs',
      [
        ['docker-run', 4, 512.375, 14.375, 35.6435],
        ['container-cold', 4, 162.875, 13.125, 12.4095],
      ],
    ],
  ]);
  // Every call is alike: nothing is uncertain.
  for (const { here } of rows)
    for (const { times } of here) assert.deepEqual([times.low, times.high], [times.value, times.value]);
});

test('compareWithThesis() has no pair where one of the ways was not measured, or has no phases of its own', () => {
  const without = compareWithThesis(
    new Samples(rowsOf(['wasm-fresh', 'wasm-restored', 'container-cold']), PLAN),
    undefined,
  );
  assert.deepEqual(
    rowOf(without, 'total runtime').here.map(({ docker }) => docker),
    ['container-cold'],
  );
  const unstamped = rowsOf(Object.keys(TIMES)).filter(
    ({ target, function: name, phase }) => !(target === 'docker-run' && name === 'factorial' && phase === 'start'),
  );
  const partly = compareWithThesis(new Samples(unstamped, PLAN), undefined);
  assert.deepEqual(
    rowOf(partly, 'cold start').here.map(({ docker }) => docker),
    ['container-cold'],
  );
  assert.equal(rowOf(partly, 'own run').here.length, 2);
});

test('compareWithThesis() has gross energies where every cell has one, in uWh', () => {
  const samples = new Samples([], PLAN);
  const whole = compareWithThesis(
    samples,
    energyOf(
      cellOf('docker-run', 'factorial', 3.6),
      cellOf('docker-run', 'prime-number', 7.2),
      cellOf('wasm-fresh', 'factorial', 0.036),
      cellOf('wasm-fresh', 'prime-number', 0.018),
    ),
  );
  const [pair] = rowOf(whole, 'energy consumption').here;
  assert.equal(pair?.dockerValue.value.toFixed(9), '1500.000000000');
  assert.equal(pair?.wasmValue.value.toFixed(9), '7.500000000');
  assert.equal(pair?.times.value.toFixed(6), '200.000000');
  // Half widths: sqrt(0.36^2 + 0.72^2) / 5.4 x 1/2 of the mean each, 7.45 % and 7.45 %, together 10.54 %.
  assert.deepEqual(
    [pair?.times.low, pair?.times.high].map((bound) => Math.round(bound as number)),
    [180, 222],
  );
  const lacking = compareWithThesis(
    samples,
    energyOf(cellOf('docker-run', 'factorial', 3.6), cellOf('wasm-fresh', 'factorial', null)),
  );
  assert.deepEqual(rowOf(lacking, 'energy consumption').here, []);
});

test('PUBLISHED has ratios that are those of its own means, as printed', () => {
  for (const machines of Object.values(PUBLISHED)) {
    for (const { docker, wasm, times } of Object.values(machines)) {
      assert.ok(Math.abs(docker / wasm - times) / times < 0.01, `${docker} / ${wasm} is not ${times}`);
    }
  }
});

test('THESIS_PLAN and THESIS_ENERGY_PLAN name cases that there are, and each function has some', async () => {
  for (const { functions, inputs } of [planOf(THESIS_PLAN, {}), energyPlanOf({}, THESIS_ENERGY_PLAN)]) {
    const cases = await loadCases(functions, inputs);
    assert.deepEqual([...new Set(cases.map((test) => test.function))], functions);
    assert.deepEqual(new Set(cases.map((test) => test.input)), new Set(inputs));
  }
  assert.throws(() => planOf(FULL_PLAN, { study: 'another' }), /"study"|study/);
});

test('thesisTable() tells what was not measured, and puts both machines of the thesis beside this one', () => {
  const { head, lines } = thesisTable(
    compareWithThesis(new Samples(rowsOf(['wasm-fresh', 'docker-run']), PLAN), undefined),
  );
  assert.equal(head.length, 6);
  assert.deepEqual(lines[0], [
    'cold start',
    '324.66 / 0.89 = 365',
    '692.36 / 3.19 = 217',
    '300 / 1.00 = 300 [300, 300]',
    'not measured',
    'not measured',
  ]);
});
