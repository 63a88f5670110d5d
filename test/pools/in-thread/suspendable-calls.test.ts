/** Calls in the caller's own thread whose guests wait: the thread does other things meanwhile, and each is ended alone. */

import assert from 'node:assert/strict';
import { setImmediate as turn } from 'node:timers/promises';
import { test, type TestContext } from 'node:test';
import { isNebulaError } from '../../../host/errors.ts';
import { CAN_SUSPEND } from '../../../host/waiting/jspi.ts';
import type { Executor } from '../../../pools/executor.ts';
import { createInThreadExecutor } from '../../../pools/in-thread/executor.ts';
import { input, stdoutOf, until } from '../fixture.ts';
import { deployText } from '../text-guest.ts';

const skip = CAN_SUSPEND ? false : 'this Node cannot suspend a guest';

/** Writes, waits, writes again, and then does as `after` says. */
function waiter(waitMs: number, after: string = ''): string {
  return `(module
    (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 1)
    (data (i32.const 0) "\\40\\00\\00\\00\\06\\00\\00\\00")
    (data (i32.const 64) "waited")
    (func $say (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 16))))
    (func (export "_start")
      (call $say)
      (i32.store (i32.const 144) (i32.const 1))
      (i64.store (i32.const 152) (i64.const ${waitMs}000000))
      (drop (call $poll (i32.const 128) (i32.const 256) (i32.const 1) (i32.const 320)))
      (call $say) ${after}))`;
}

const SPIN = '(loop $again (br $again))';

function open(context: TestContext, memories?: number): Executor {
  const executor = createInThreadExecutor(memories === undefined ? {} : { memories });
  context.after(() => executor.close(0));
  return executor;
}

test('invoke() in thread of 300 guests that wait leaves the thread to others, and answers each', {
  skip,
}, async (context) => {
  const executor = open(context);
  const waits = await deployText(context, executor, waiter(300));
  const calls = Array.from({ length: 300 }, () => executor.invoke(waits, input()));
  assert.equal(executor.stats().suspended, 300);
  for (const outcome of await Promise.all(calls))
    assert.deepEqual([outcome.kind, stdoutOf(outcome)], ['ok', 'waitedwaited']);
  assert.equal(executor.stats().suspended, 0);
  assert.equal((await executor.invoke(waits, input())).start, 'restored');
});

test('A deadline, an abort and a limit end guests in thread, each alone, with what they wrote', {
  skip,
}, async (context) => {
  const executor = open(context);
  const waits = await deployText(context, executor, waiter(60_000));
  const late = await deployText(context, executor, waiter(60_000), { limits: { timeoutMs: 30 } });
  const spins = await deployText(context, executor, waiter(1, SPIN), { limits: { timeoutMs: 100 } });
  const quick = await deployText(context, executor, waiter(50));
  const controller = new AbortController();
  const waiting = executor.invoke(waits, input(), controller.signal);
  const asked = executor.invoke(waits, { ...input(), timeoutMs: 20 });
  const ends = [executor.invoke(late, input()), executor.invoke(spins, input()), executor.invoke(quick, input())];
  const [one, two, three] = await Promise.all(ends);
  assert.deepEqual([one?.kind, one?.stdout.length], ['timeout', 6]);
  assert.deepEqual([two?.kind, two?.stdout.length], ['timeout', 12]);
  assert.deepEqual([three?.kind, three?.stdout.length], ['ok', 12]);
  const outcome = await asked;
  assert.deepEqual([outcome.kind, outcome.kind === 'timeout' && outcome.timeoutMs], ['timeout', 20]);
  await until('those that were ended are gone', () => executor.stats().suspended === 1);
  controller.abort();
  const aborted = await waiting;
  assert.deepEqual([aborted.kind, stdoutOf(aborted)], ['aborted', 'waited']);
  await turn();
  assert.deepEqual([executor.stats().suspended, executor.stats().stops], [0, 4]);
});

test('A guest in thread that computes lets others go on, and is aborted', { skip }, async (context) => {
  const executor = open(context);
  const spins = await deployText(context, executor, waiter(1, SPIN));
  const quick = await deployText(context, executor, waiter(20));
  const controller = new AbortController();
  const spinning = executor.invoke(spins, input(), controller.signal);
  const outcomes = await Promise.all(Array.from({ length: 20 }, () => executor.invoke(quick, input())));
  for (const { kind } of outcomes) assert.equal(kind, 'ok');
  controller.abort();
  assert.equal((await spinning).kind, 'aborted');
});

test('Concurrency, the queue and the address space hold for calls in thread', { skip }, async (context) => {
  const executor = open(context, 8);
  const few = await deployText(context, executor, waiter(30), { limits: { concurrency: 2, queueLength: 2 } });
  const calls = Array.from({ length: 5 }, () => executor.invoke(few, input()));
  const full = assert.rejects(
    calls[4] as Promise<unknown>,
    (error) => isNebulaError(error) && error.key === 'QUEUE_FULL',
  );
  assert.deepEqual([executor.stats().suspended, executor.stats().waiting], [2, 2]);
  await full;
  for (const { kind } of await Promise.all(calls.slice(0, 4))) assert.equal(kind, 'ok');
  const many = await deployText(context, executor, waiter(200));
  const results = await Promise.all(
    Array.from({ length: 8 }, () =>
      executor.invoke(many, input()).then(
        ({ kind }) => kind,
        (error: unknown) => (isNebulaError(error) ? error.key : 'none of ours'),
      ),
    ),
  );
  assert.deepEqual([...new Set(results)].toSorted(), ['ADDRESS_SPACE', 'ok']);
  assert.equal((await executor.invoke(many, input())).kind, 'ok');
});

test('undeploy() in thread waits for guests that wait, close() ends them', { skip }, async (context) => {
  const executor = open(context);
  const first = await deployText(context, executor, waiter(50));
  const waiting = executor.invoke(first, input());
  await executor.undeploy(first.id);
  assert.equal((await waiting).kind, 'ok');
  const second = await deployText(context, executor, waiter(60_000));
  const left = executor.invoke(second, input());
  await until('it waits', () => executor.stats().suspended === 1);
  await executor.close(1);
  assert.deepEqual([(await left).kind, stdoutOf(await left)], ['aborted', 'waited']);
});
