/** One order of phases: a test here fails when two are swapped in the table, or where they are written out. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import type { Outcome } from '../../host/outcome.ts';
import {
  ALL_PHASES,
  loadWasmPhases,
  NO_PHASES,
  PHASES,
  storeAllPhases,
  storeWasmPhases,
  WASM_PHASES,
  type Phases,
} from '../../host/phases.ts';
import { formatServerTiming } from '../../lib/wire/server-timing.ts';
import { createMetrics } from '../../lib/triggers/http/metrics.ts';
import { openApiDocument } from '../../lib/triggers/http/openapi.ts';
import { ROUTES } from '../../lib/triggers/http/route-table.ts';
import { ResponseTally } from '../../lib/triggers/http/response-tally.ts';
import { FunctionStatistics } from '../../lib/observe/function-statistics.ts';
import type { Nebula } from '../../lib/api/nebula.ts';
import { AnswerBox } from '../../pools/worker/answer-box.ts';
import { decodeOutcome, type InvokeAnswer } from '../../pools/worker/messages.ts';
import { CALL } from '../lib/observe/call.ts';

const IN_ORDER = [
  'queue',
  'compile',
  'create',
  'attach',
  'instantiate',
  'start',
  'restore',
  'run',
  'collect',
  'remove',
] as const;

const OF_WASM = ['queue', 'compile', 'instantiate', 'restore', 'run', 'collect'] as const;

/** Each phase takes another power of two: 1 ms, 2 ms, 4 ms and so on. */
const ALL: Phases = {
  queue: 1e6,
  compile: 2e6,
  create: 4e6,
  attach: 8e6,
  instantiate: 16e6,
  start: 32e6,
  restore: 64e6,
  run: 128e6,
  collect: 256e6,
  remove: 512e6,
};
const ALL_MS = IN_ORDER.map((_, at) => 2 ** at);

const WASM: Phases = { queue: 1e6, compile: 2e6, instantiate: 16e6, restore: 64e6, run: 128e6, collect: 256e6 };
const WASM_NS = [1e6, 2e6, 16e6, 64e6, 128e6, 256e6];

const outcomeWith = (phases: Phases): Outcome => ({
  kind: 'ok',
  stdout: new Uint8Array(),
  stderr: new Uint8Array(),
  start: 'ready',
  phases,
  usage: { memoryBytes: 3, inputBytes: 5, hostCalls: 7 },
});

function phasesOf(runtime: string): string[] {
  return PHASES.filter(({ runtimes }) => (runtimes as readonly string[]).includes(runtime)).map(({ key }) => key);
}

test('PHASES has the phases in the order they happen, each with a title and its runtimes', () => {
  assert.deepEqual(ALL_PHASES, IN_ORDER);
  assert.deepEqual(WASM_PHASES, OF_WASM);
  assert.deepEqual(Object.keys(NO_PHASES), OF_WASM);
  assert.deepEqual(phasesOf('wasm'), OF_WASM);
  assert.deepEqual(phasesOf('container'), ['queue', 'create', 'attach', 'start', 'run', 'collect', 'remove']);
  assert.deepEqual(phasesOf('process'), ['queue', 'start', 'run', 'collect', 'remove']);
  assert.equal(new Set(PHASES.map(({ title }) => title)).size, PHASES.length);
});

test('storeWasmPhases() and loadWasmPhases() go by the order of the table', () => {
  const row = new Float64Array(8);
  storeWasmPhases(row, 1, WASM);
  assert.deepEqual([...row], [0, ...WASM_NS, 0]);
  assert.deepEqual(
    WASM_PHASES.map((key) => WASM[key]),
    WASM_NS,
  );
  assert.deepEqual(loadWasmPhases(row, 1), WASM);
});

test('storeAllPhases() goes by the order of the table, and sums', () => {
  const row = new Float32Array(12);
  assert.equal(storeAllPhases(row, 1, ALL), 1023e6);
  assert.deepEqual([...row], [0, ...ALL_MS.map((ms) => ms * 1e6), 0]);
  assert.equal(
    storeAllPhases(row, 1, WASM),
    WASM_NS.reduce((sum, ns) => sum + ns),
  );
  assert.deepEqual([...row], [0, ...ALL_PHASES.map((key) => WASM[key] ?? 0), 0]);
});

test('formatServerTiming() names the phases in their order', () => {
  const expected = IN_ORDER.map((key, at) => `${key};dur=${2 ** at}`).join(', ');
  assert.equal(formatServerTiming(ALL), expected);
});

test('FunctionStatistics.read() has each phase under its own name, in order', () => {
  const statistics = new FunctionStatistics();
  statistics.end(CALL, outcomeWith(ALL));
  const { latency } = statistics.read('f');
  assert.deepEqual(
    Object.entries(latency).map(([phase, { maxUs }]) => [phase, maxUs / 1e3]),
    [...IN_ORDER.map((key, at) => [key, ALL_MS[at]]), ['total', 1023]],
  );
});

test('createMetrics() labels each phase with its own name, in order', async () => {
  const statistics = new FunctionStatistics();
  statistics.end(CALL, outcomeWith(ALL));
  const executor = { running: 0, suspended: 0, waiting: 0, units: 1, memories: 0, memoriesLimit: 1, unitsReplaced: 0 };
  const nebula = {
    stats: () => ({ functions: [statistics.read('f')], executor: { ...executor, restores: 0, restoresNs: 0 } }),
  } as unknown as Nebula;
  const text = await createMetrics(nebula, new ResponseTally()).read();
  const sums = text.matchAll(/^nebula_invocation_phase_seconds_sum\{function="f",phase="(\w+)"\} (\S+)$/gm);
  assert.deepEqual(
    Array.from(sums, ([, phase, seconds]) => [phase, Math.round(Number(seconds) * 1e3)]),
    [...IN_ORDER.map((key, at) => [key, ALL_MS[at]]), ['total', 1023]],
  );
});

test('openApiDocument() names the phases in their order', () => {
  assert.ok(JSON.stringify(openApiDocument(ROUTES)).includes(IN_ORDER.join(', ')));
});

test('AnswerBox and messages carry each phase of a Wasm guest across threads', async () => {
  const box = new AnswerBox();
  const source = `
    const { workerData, parentPort } = require('node:worker_threads');
    const { box, phases, url } = workerData;
    Promise.all([import(url.box), import(url.messages)]).then(([{ AnswerBox }, { encodeOutcome }]) => {
      const none = new Uint8Array();
      const usage = { memoryBytes: 3, inputBytes: 5, hostCalls: 7 };
      const outcome = { kind: 'ok', stdout: none, stderr: none, start: 'ready', phases, usage };
      new AnswerBox(box).leave(0, 9, outcome);
      parentPort.postMessage(encodeOutcome(9, outcome));
    });`;
  const url = {
    box: new URL('../../pools/worker/answer-box.js', import.meta.url).href,
    messages: new URL('../../pools/worker/messages.js', import.meta.url).href,
  };
  const worker = new Worker(source, { eval: true, workerData: { box: box.buffer, phases: WASM, url } });
  const message = await new Promise<InvokeAnswer>((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
  await worker.terminate();
  assert.deepEqual(decodeOutcome(message), outcomeWith(WASM));
  const taken: unknown[] = [];
  box.take((ticket, outcome) => taken.push([ticket, outcome]));
  assert.deepEqual(taken, [[9, outcomeWith(WASM)]]);
});
