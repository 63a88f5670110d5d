/** Bindings whose embedder answers wrongly, keeps what it answered, or calls functions while a guest waits. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { BindingError } from '../../../host/bindings/binding-error.ts';
import { rawBinding } from '../../../host/bindings/raw.ts';
import type { BindingContext, Bindings, BindingFunction } from '../../../lib/index.ts';
import { CAN_SUSPEND } from '../../../host/waiting/jspi.ts';
import type { Nebula } from '../../../lib/api/nebula.ts';
import { modulePath } from '../../definition.ts';
import { assemble } from '../../wat.ts';
import { ask, deployCaller, EXECUTORS, open } from './bindings.ts';

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString();

/** Calls `a.boom`, then `a.one`, and writes what that answers. */
const ASKS_TWICE = `(module
  (import "nebula" "call" (func $call (param i32 i32 i32 i32) (result i32)))
  (import "nebula" "read" (func $read (param i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 16) "a.boom") (data (i32.const 32) "a.one")
  (func (export "_start")
    (drop (call $call (i32.const 16) (i32.const 6) (i32.const 16) (i32.const 0)))
    (drop (call $call (i32.const 32) (i32.const 5) (i32.const 16) (i32.const 0)))
    (i32.store (i32.const 0) (i32.const 1000))
    (i32.store (i32.const 4) (call $read (i32.const 1000) (i32.const 500) (i32.const 0)))
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))`;

/** Calls `a.one` and reads the answer 60 ms later. */
const READS_LATER = `(module
  (import "nebula" "call" (func $call (param i32 i32 i32 i32) (result i32)))
  (import "nebula" "read" (func $read (param i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 32) "a.one") (data (i32.const 2016) "\\01") (data (i32.const 2024) "\\00\\87\\93\\03")
  (func (export "_start")
    (drop (call $call (i32.const 32) (i32.const 5) (i32.const 16) (i32.const 0)))
    (drop (call $poll (i32.const 2000) (i32.const 2100) (i32.const 1) (i32.const 8)))
    (i32.store (i32.const 0) (i32.const 1000))
    (i32.store (i32.const 4) (call $read (i32.const 1000) (i32.const 500) (i32.const 0)))
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))`;

const whose =
  (name: string) =>
  (_: Uint8Array, { functionName, caller }: BindingContext) =>
    `${name} for ${functionName} of ${caller}`;

/** Throws what the embedder alone is to read. */
const secret = (): never => {
  throw new Error('secret of the database');
};

/** An object with one property that is read, which may throw. */
const reads = (name: string, get: () => unknown): object => Object.defineProperty({}, name, { get });

/** A memory that has gone elsewhere. */
const gone = (length: number): Uint8Array => {
  const bytes = new Uint8Array(length);
  structuredClone(bytes.buffer, { transfer: [bytes.buffer] });
  return bytes;
};

const badError = (change: (error: BindingError) => unknown) => (): never => {
  const error = new BindingError('x');
  change(error);
  throw error;
};

/** What guests are told of as `failed`. */
const WRONG = {
  throwingThen: () => reads('then', secret),
  throwingThenLater: () => Promise.resolve().then(() => reads('then', secret)),
  onceThen: () => {
    let count = 0;
    return reads('then', () => (count++ === 0 ? () => undefined : secret()));
  },
  callingThen: () => reads('then', () => secret),
  proxy: () => new Proxy(new Uint8Array(4), {}),
  hiding: () => new Proxy({}, { getPrototypeOf: secret }),
  noArray: () => Object.create(Uint8Array.prototype),
  gone: () => gone(8),
  goneLong: () => gone(9000),
  throwsUndefined: () => {
    throw undefined;
  },
  throwsHiding: () => {
    throw new Proxy({}, { get: secret });
  },
  noMessage: badError((error) => Object.assign(error, { message: 7 })),
  throwingMessage: badError((error) => Object.defineProperty(error, 'message', { get: secret })),
  noCode: badError((error) => Object.assign(error, { code: 'two\nlines' })),
} as unknown as Readonly<Record<string, BindingFunction>>;

/** The same when they come behind a promise, which those are not that are promises of a kind. */
const LATER = Object.fromEntries(
  Object.entries(WRONG)
    .filter(([name]) => !/Then/.test(name))
    .map(([name, run]) => [
      name,
      (bytes: Uint8Array, context: BindingContext) => Promise.resolve().then(() => run(bytes, context)),
    ]),
);

/** What came of each of them, and how often the embedder was told. */
async function askAll(
  context: TestContext,
  executor: (typeof EXECUTORS)[number],
  orders: Bindings['orders'],
): Promise<void> {
  let told = 0;
  const nebula = await open(
    context,
    executor,
    { orders: { ...orders, echo: (bytes: Uint8Array) => bytes } },
    {
      onBindingError: () => {
        told++;
        if (told % 2) secret();
        return Promise.reject(new Error('told later')) as never;
      },
    },
  );
  await deployCaller(nebula);
  let count = 0;
  for (const name of Object.keys(orders ?? {})) {
    assert.deepEqual(await ask(nebula, `orders.${name}\nx`), ['exit', 'failed: the binding failed'], name);
    assert.equal(told, ++count, name);
    assert.deepEqual(await ask(nebula, 'orders.echo\nstill'), ['ok', 'still'], name);
  }
}

for (const executor of EXECUTORS) {
  const cannotWait = executor === 'in-thread' && !CAN_SUSPEND;
  const atOnce = Object.fromEntries(
    Object.entries(WRONG).filter(([name]) => !cannotWait || !/Later|once|calling/.test(name)),
  );

  test(`nebula.call is failed where a binding answers what is no answer, ${executor}`, (context) =>
    askAll(context, executor, atOnce));

  test(`nebula.call is failed where what is no answer comes later, ${executor}`, { skip: cannotWait }, (context) =>
    askAll(context, executor, LATER),
  );

  test(`nebula.call answers bytes as they were when they were answered, ${executor}`, async (context) => {
    const scratch = new Uint8Array(9000);
    const resizable = new (ArrayBuffer as unknown as new (length: number, options: object) => ArrayBuffer)(5000, {
      maxByteLength: 9000,
    }) as ArrayBuffer & { resize(length: number): void };
    const nebula = await open(context, executor, {
      orders: {
        reused: (bytes) => {
          // After the guest of this answer is told of it, and before it has room.
          queueMicrotask(() => scratch.fill(0));
          return scratch.fill(bytes[0] ?? 0);
        },
        grows: () => {
          queueMicrotask(() => resizable.resize(9000));
          return new Uint8Array(resizable).fill(66);
        },
        named: () => Object.defineProperty(new Uint8Array(3).fill(67), 'length', { value: 1 }),
      },
    });
    await deployCaller(nebula);
    assert.deepEqual(await ask(nebula, 'orders.reused\nA'), ['ok', 'A'.repeat(9000)]);
    assert.deepEqual(await ask(nebula, 'orders.grows\nx'), ['ok', 'B'.repeat(5000)]);
    assert.deepEqual(await ask(nebula, 'orders.named\nx'), ['ok', 'CCC']);
  });

  test(`nebula.call gives no guest what another one's binding wrote into the same bytes, ${executor}`, {
    skip: !CAN_SUSPEND,
  }, async (context) => {
    const scratch = Buffer.alloc(100);
    let answered = 0;
    const nebula = await open(context, executor, {
      a: { one: (_, { caller }) => scratch.subarray(0, scratch.write(`answer ${++answered} for ${caller}`)) },
    });
    await nebula.deploy(await assemble(READS_LATER), { name: 'later', capabilities: { bindings: ['a'] } });
    const outcomes = await Promise.all(['A', 'B'].map((caller) => nebula.invoke('later', '', { caller })));
    const answers = outcomes.map(({ stdout }) => text(stdout));
    assert.deepEqual(answers, ['answer 1 for A', 'answer 2 for B']);
  });

  test(`BindingContext is data of its own, by which nothing can be ended, ${executor}`, async (context) => {
    let given: BindingContext | undefined;
    const nebula = await open(context, executor, { orders: { look: (_, call) => void (given = call) } });
    await deployCaller(nebula);
    await ask(nebula, 'orders.look', { caller: 'tenant-1' });
    assert.ok(given !== undefined);
    const { callId, ...data } = { ...given };
    assert.deepEqual(data, { functionName: 'caller', caller: 'tenant-1' });
    assert.equal(callId, given.callId);
    assert.equal(given.signal.aborted, false);
    const names = Object.getOwnPropertyNames(Object.getPrototypeOf(given)).sort();
    assert.deepEqual(names, ['constructor', 'signal']);
  });

  test(`a binding whose answer throws tells HTTP callers nothing, ${executor}`, async (context) => {
    const nebula = await open(context, executor, { orders: { ...atOnce } });
    await deployCaller(nebula);
    for (const name of Object.keys(atOnce)) {
      const given = { method: 'POST', body: `orders.${name}\nx` };
      const response = await nebula.fetch(new Request('http://localhost/invoke/caller', given));
      const body = await response.text();
      assert.doesNotMatch(`${body}${JSON.stringify([...response.headers])}`, /secret|WORKER_LOST|detached/, name);
    }
  });
}

/** Invokes in whatever way of the embedder's runs while a guest is on the stack. */
const WAYS: Readonly<Record<string, (invoke: () => void) => BindingFunction>> = {
  onBindingError: () => secret,
  'a getter of an answer': (invoke) => () => reads('then', invoke) as never,
  'an error that is read': (invoke) => () => {
    throw new Proxy(new Error('x'), { get: invoke });
  },
  'a listener of the signal':
    (invoke) =>
    (_, { signal }) => {
      signal.addEventListener('abort', invoke);
      return Promise.resolve('later');
    },
};

/** `evil` may call `a`, `logger` may call `z`, whose functions have the same indices. */
async function openTwo(context: TestContext, boom: BindingFunction, onBindingError: () => void): Promise<Nebula> {
  const nebula = await open(
    context,
    'in-thread',
    { a: { boom, one: whose('a.one') }, z: { alpha: whose('z.alpha'), beta: whose('z.beta') } },
    { onBindingError },
  );
  await nebula.deploy(readFileSync(modulePath('guests/call-binding')), {
    name: 'logger',
    capabilities: { bindings: ['z'] },
  });
  await nebula.deploy(await assemble(ASKS_TWICE), { name: 'evil', capabilities: { bindings: ['a'] } });
  return nebula;
}

for (const [way, make] of Object.entries(WAYS)) {
  test(`invoke by ${way} begins when the guest has ended, which calls what it is granted`, async (context) => {
    const inner: Promise<unknown>[] = [];
    const invoke = (): void => {
      if (inner.length > 0) return;
      const admin = nebula.invoke('logger', 'z.alpha\nx', { caller: 'admin' });
      const again = nebula.invoke('evil', '', { caller: 'again' });
      inner.push(
        admin.then(({ stdout }) => text(stdout)),
        again.then(({ stdout }) => text(stdout)),
      );
    };
    const nebula: Nebula = await openTwo(context, make(invoke), () => {
      if (way === 'onBindingError') invoke();
    });
    const outcome = await nebula.invoke('evil', '', { caller: 'tenant' });
    assert.deepEqual([outcome.kind, text(outcome.stdout)], ['ok', 'a.one for evil of tenant']);
    if (way === 'a listener of the signal' && CAN_SUSPEND) return;
    assert.deepEqual(await Promise.all(inner), ['z.alpha for logger of admin', 'a.one for evil of again']);
  });
}

test('BindingContext.signal aborts in thread where its guest cannot wait', { skip: CAN_SUSPEND }, async (context) => {
  let signal: AbortSignal | undefined;
  const nebula = await open(context, 'in-thread', {
    orders: {
      later: (_, given) => {
        ({ signal } = given);
        return once(given.signal, 'abort').then(() => 'over');
      },
    },
  });
  await deployCaller(nebula, { limits: { bindingCalls: 1 } });
  for (let call = 0; call < 2; call++) {
    assert.match((await ask(nebula, 'orders.later'))[1], /^unsuspendable: /);
    assert.equal(signal?.aborted, true);
    // Its place is free once it has settled.
    await sleep(1);
  }
});

test('deploy refuses bindings in thread to code that counts no units, with a deadline or without', async (context) => {
  let begun = 0;
  let finished = 0;
  const spin = (): string => {
    begun++;
    const endMs = performance.now() + 2;
    while (performance.now() < endMs);
    finished++;
    return 'done';
  };
  const nebula = await open(context, 'in-thread', {
    orders: { spin },
    host: rawBinding('env', { spin: () => void spin() }),
  });
  for (const timeoutMs of [0, 1000]) {
    await assert.rejects(deployCaller(nebula, { budget: false, limits: { timeoutMs } }), {
      code: 'ERR_NEBULA_BINDING_REFUSED',
      message: /orders\.spin": expected code that counts units, .*got "budget": false/,
    });
  }
  await deployCaller(nebula, { limits: { timeoutMs: 0 } });
  assert.equal((await ask(nebula, '1000 orders.spin', { timeoutMs: 20 }))[0], 'timeout');
  // A module that imports functions as they are counts for the same reason.
  const module = await assemble(`(module (import "env" "spin" (func $spin)) (memory (export "memory") 1)
    (func (export "_start") (loop $again (call $spin) (br $again))))`);
  const raw = { name: 'raw', capabilities: { bindings: ['host'] }, limits: { timeoutMs: 0 } };
  await assert.rejects(nebula.deploy(module, { ...raw, budget: false }), { code: 'ERR_NEBULA_BINDING_REFUSED' });
  await nebula.deploy(module, raw);
  assert.equal((await nebula.invoke('raw', '', { timeoutMs: 20 })).kind, 'timeout');
  assert.ok(begun > 1);
  assert.equal(finished, begun);
});
