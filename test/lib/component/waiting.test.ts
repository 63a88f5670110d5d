/** Components that wait without a thread, where Node can suspend them. */

import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, test, type TestContext } from 'node:test';
import { parse } from '@bytecodealliance/jco-transpile/wasm-tools';
import { CAN_SUSPEND } from '../../../host/waiting/jspi.ts';
import { createNebula, type Nebula } from '../../../lib/index.ts';
import { until } from '../../pools/fixture.ts';
import { POLL_AND_CLOCK } from './poll-and-clock.ts';

const skip = CAN_SUSPEND ? false : 'this Node cannot suspend a guest';
const CALL_OUT = join(import.meta.dirname, '../../../../functions/components/call-out/call-out.wasm');

/** A command that waits `startMs` while it is instantiated and `runMs` when it is run, and answers `result`. */
const waiter = (startMs: number, runMs: number, result: number): string => `(component
  ${POLL_AND_CLOCK}
  (core func $subscribe (canon lower (func $clock "subscribe-duration")))
  (core func $block (canon lower (func $poll "[method]pollable.block")))
  (core module $m
    (import "h" "subscribe" (func $subscribe (param i64) (result i32)))
    (import "h" "block" (func $block (param i32)))
    (func $wait (param i64) (if (i64.ne (local.get 0) (i64.const 0)) (then (call $block (call $subscribe (local.get 0))))))
    (func $start (call $wait (i64.const ${startMs}000000)))
    (start $start)
    (func (export "run") (result i32) (call $wait (i64.const ${runMs}000000)) (i32.const ${result})))
  (core instance $h (export "subscribe" (func $subscribe)) (export "block" (func $block)))
  (core instance $i (instantiate $m (with "h" (instance $h))))
  (func $run (result (result)) (canon lift (core func $i "run")))
  (instance $command (export "run" (func $run)))
  (export "wasi:cli/run@0.2.0" (instance $command)))`;

let upstream: Server;
let origin = '';
let delayMs = 0;
/** Requests under way, so that a test can see them end. */
let underWay = 0;

before(async () => {
  upstream = createServer((_request, response) => {
    underWay++;
    response.once('close', () => underWay--);
    setTimeout(() => response.end('x'.repeat(200_000)), delayMs);
  });
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`;
});

after(() => {
  upstream.closeAllConnections();
  upstream.close();
});

async function open(context: TestContext): Promise<Nebula> {
  const nebula = await createNebula({ threads: 1, spareThreads: 0 });
  context.after(() => nebula.close());
  return nebula;
}

interface CallOut {
  readonly call: () => Promise<string>;
  readonly stats: () => ReturnType<Nebula['stats']>['executor'];
}

async function openCallOut(context: TestContext, timeoutMs: number): Promise<CallOut> {
  const nebula = await open(context);
  const http = { origins: [origin], private: true };
  await nebula.deploy(CALL_OUT, { name: 'call-out', capabilities: { http }, limits: { concurrency: 100, timeoutMs } });
  return {
    stats: () => nebula.stats().executor,
    call: async () => {
      const response = await nebula.fetch(new Request(`http://nebula/fn/call-out/?${origin}/`));
      return `${response.status} ${(await response.text()).length}`;
    },
  };
}

test('Components that wait for an upstream wait at once in one thread, and pass on what it answers', {
  skip,
}, async (context) => {
  delayMs = 1500;
  const { call, stats } = await openCallOut(context, 60_000);
  const answers = Promise.all(Array.from({ length: 20 }, () => call()));
  await until('all are suspended', () => stats().suspended === 20);
  assert.deepEqual([...new Set(await answers)], ['200 200000']);
  assert.equal(stats().unitsReplaced, 0);
});

test('A deadline ends one component that waits, and its request with it', { skip }, async (context) => {
  delayMs = 60_000;
  const { call, stats } = await openCallOut(context, 15_000);
  const answers = Promise.all(Array.from({ length: 3 }, () => call()));
  await until('all are suspended', () => stats().suspended === 3 && underWay === 3);
  for (const answer of await answers) assert.match(answer, /^504 /);
  await until('their requests have ended', () => underWay === 0);
  assert.equal(stats().unitsReplaced, 0);
  delayMs = 1;
  assert.equal(await call(), '200 200000', 'the thread goes on');
});

test('A command of WASI 0.2 waits without a thread, and ends as it answers', { skip }, async (context) => {
  const nebula = await open(context);
  const limits = { concurrency: 100 };
  await nebula.deploy(await parse(waiter(0, 1500, 0)), { name: 'well', limits });
  await nebula.deploy(await parse(waiter(0, 1, 1)), { name: 'ill' });
  const outcomes = Promise.all(Array.from({ length: 10 }, () => nebula.invoke('well')));
  await until('all are suspended', () => nebula.stats().executor.suspended === 10);
  assert.deepEqual((await nebula.invoke('ill')).kind, 'exit');
  for (const { kind, usage } of await outcomes) assert.deepEqual([kind, usage.hostCalls], ['ok', 2]);
});

test('A component that waits while it is instantiated is run with its thread', { skip }, async (context) => {
  const nebula = await open(context);
  await nebula.deploy(await parse(waiter(1, 1, 0)), { name: 'starts' });
  for (let round = 0; round < 2; round++) assert.equal((await nebula.invoke('starts')).kind, 'ok');
});
