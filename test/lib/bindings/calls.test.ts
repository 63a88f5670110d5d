/** Guests that call bindings, in the pool and in thread, on whatever Node this is. */

import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'node:test';
import { BindingError } from '../../../host/bindings/binding-error.ts';
import type { BindingContext } from '../../../host/bindings/context.ts';
import { CAN_SUSPEND } from '../../../host/waiting/jspi.ts';
import { ask, deployCaller, EXECUTORS, open } from './bindings.ts';

/** Calls at once. */
const CALLS = 20;

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString();

const spin = (): string => {
  const endMs = performance.now() + 60;
  while (performance.now() < endMs);
  return 'spun';
};

for (const executor of EXECUTORS) {
  test(`nebula.call gives a binding bytes and its guest the answer, ${executor}`, async (context) => {
    const nebula = await open(context, executor, {
      orders: {
        upper: (bytes) => text(bytes).toUpperCase(),
        same: (bytes) => bytes,
        nothing: () => undefined,
      },
    });
    await deployCaller(nebula, { limits: { bindingRequestBytes: 3_000_000, bindingAnswerBytes: 3_000_000 } });
    assert.deepEqual(await ask(nebula, 'orders.upper\nkeep it'), ['ok', 'KEEP IT']);
    assert.deepEqual(await ask(nebula, 'orders.nothing\nx'), ['ok', '']);
    assert.deepEqual(await ask(nebula, '200 orders.same\nagain'), ['ok', 'again']);
    for (const length of [0, 1, 47, 48, 49, 1024, 1025, 4095, 4096, 4097, 2_500_000]) {
      const sent = 'x'.repeat(Math.max(0, length - 1)) + (length > 0 ? 'y' : '');
      assert.deepEqual(await ask(nebula, `2 orders.same\n${sent}`), ['ok', sent], String(length));
    }
  });

  test(`nebula.call tells a guest no more of a failure than is meant for it, ${executor}`, async (context) => {
    const told: unknown[] = [];
    const nebula = await open(
      context,
      executor,
      {
        orders: {
          fail: () => {
            throw new Error('password of the database');
          },
          meant: () => {
            throw new BindingError('there is no order 7', { code: 'missing' });
          },
          odd: () => 7 as never,
          nul: () => null as never,
        },
      },
      { onBindingError: (error, { binding, caller }) => told.push([(error as Error).message, binding, caller]) },
    );
    await deployCaller(nebula);
    assert.deepEqual(await ask(nebula, 'orders.fail', { caller: 'tenant-1' }), ['exit', 'failed: the binding failed']);
    assert.deepEqual(await ask(nebula, 'orders.meant'), ['exit', 'missing: there is no order 7']);
    assert.deepEqual(await ask(nebula, 'orders.odd'), ['exit', 'failed: the binding failed']);
    assert.deepEqual(await ask(nebula, 'orders.nul'), ['exit', 'failed: the binding failed']);
    assert.deepEqual(told, [
      ['password of the database', 'orders.fail', 'tenant-1'],
      ['orders.odd answered number: expected a Uint8Array, a string or nothing', 'orders.odd', undefined],
      ['orders.nul answered null: expected a Uint8Array, a string or nothing', 'orders.nul', undefined],
    ]);
  });

  test(`nebula.call knows no name but those that are granted, ${executor}`, async (context) => {
    const nebula = await open(context, executor, { orders: { lookup: () => 'x' }, secrets: { read: () => 'secret' } });
    await deployCaller(nebula);
    const names = ['secrets.read', 'orders', 'orders.', 'orders.lookup.x', 'orders.toString', 'orders.__proto__'];
    for (const name of [...names, '__proto__', 'constructor', 'orders.lookup\0', 'x'.repeat(10_000)])
      assert.deepEqual(await ask(nebula, name), ['exit', 'denied: no function of this name is granted'], name);
    await deployCaller(nebula, { capabilities: { bindings: ['orders'], denial: 'end' } });
    const outcome = await nebula.invoke('caller', 'secrets.read');
    assert.deepEqual([outcome.kind, outcome.kind === 'denied' && outcome.capability], ['denied', 'bindings']);
  });

  test(`nebula.call ends at bindingRequestBytes and bindingAnswerBytes, ${executor}`, async (context) => {
    const nebula = await open(context, executor, {
      orders: { same: (bytes) => bytes, ten: () => new Uint8Array(10), much: () => new Uint8Array(9000) },
    });
    await deployCaller(nebula, { limits: { bindingRequestBytes: 4, bindingAnswerBytes: 9 } });
    assert.deepEqual(await ask(nebula, 'orders.same\nfour'), ['ok', 'four']);
    const longer = 'too-large: a request has 4 bytes at most, got 5';
    assert.deepEqual(await ask(nebula, 'orders.same\nfives'), ['exit', longer]);
    assert.deepEqual(await ask(nebula, 'orders.ten'), ['exit', 'too-large: an answer has 9 bytes at most, got 10']);
    assert.deepEqual(await ask(nebula, 'orders.much'), ['exit', 'too-large: an answer has 9 bytes at most, got 9000']);
  });

  test(`BindingContext names function, call and caller, ${executor}`, async (context) => {
    const seen: BindingContext[] = [];
    const nebula = await open(context, executor, { orders: { look: (_, given) => void seen.push(given) } });
    await deployCaller(nebula);
    await ask(nebula, '2 orders.look', { caller: 'tenant-1' });
    await ask(nebula, 'orders.look');
    const [first, second, third] = seen as [BindingContext, BindingContext, BindingContext];
    assert.deepEqual([first.functionName, first.caller, first.signal.aborted], ['caller', 'tenant-1', false]);
    assert.equal(first.callId, second.callId);
    assert.notEqual(first.callId, third.callId);
    assert.equal(third.caller, undefined);
  });

  test(`invoke by a binding is a call of its own, ${executor}`, async (context) => {
    let inner: Promise<readonly [string, string]> | undefined;
    const nebula = await open(context, executor, {
      orders: {
        again: () => {
          inner = ask(nebula, 'orders.same\ninner');
          return 'outer';
        },
        same: (bytes) => bytes,
      },
    });
    await deployCaller(nebula);
    assert.deepEqual(await ask(nebula, 'orders.again'), ['ok', 'outer']);
    assert.deepEqual(await inner, ['ok', 'inner']);
  });

  const cannotWait = executor === 'in-thread' && !CAN_SUSPEND;

  test(`nebula.call waits for a binding that answers later, ${executor}`, { skip: cannotWait }, async (context) => {
    let most = 0;
    let underWay = 0;
    let arrived = 0;
    let meet: (() => void) | undefined;
    const met = new Promise<void>((resolve) => (meet = resolve));
    const later = async (bytes: Uint8Array): Promise<string> => {
      most = Math.max(most, ++underWay);
      // Where guests can be suspended, the first to come wait for all others.
      if (CAN_SUSPEND && ++arrived === CALLS) meet?.();
      await (CAN_SUSPEND ? met : sleep(1));
      underWay--;
      return `late ${text(bytes)}`;
    };
    const nebula = await open(context, executor, {
      orders: { later, sometimes: (bytes) => (most % 2 ? 'now' : later(bytes)) },
    });
    await deployCaller(nebula);
    const answers = await Promise.all(Array.from({ length: CALLS }, (_, at) => ask(nebula, `2 orders.later\n${at}`)));
    assert.deepEqual(
      answers,
      Array.from({ length: CALLS }, (_, at) => ['ok', `late ${at}`]),
    );
    assert.equal(most, CAN_SUSPEND ? CALLS : 1);
    assert.equal((await ask(nebula, '9 orders.sometimes\nx'))[0], 'ok');
  });

  test(`BindingContext.signal aborts at a deadline, and no answer comes after it, ${executor}`, {
    skip: cannotWait,
  }, async (context) => {
    const given: BindingContext[] = [];
    const nebula = await open(context, executor, {
      orders: {
        never: (_, call) => {
          given.push(call);
          return new Promise<string>((resolve) => {
            call.signal.addEventListener('abort', () => setTimeout(resolve, 5, 'too late'));
          });
        },
        now: () => 'now',
      },
    });
    for (const budget of executor === 'worker' ? (['auto', false] as const) : (['auto'] as const)) {
      await deployCaller(nebula, { budget, limits: { timeoutMs: 100 } });
      assert.deepEqual((await ask(nebula, 'orders.never'))[0], 'timeout');
      assert.equal(given.at(-1)?.signal.aborted, true);
      const caller = new AbortController();
      const count = given.length;
      const call = ask(nebula, 'orders.never', { signal: caller.signal });
      while (given.length === count) await sleep(1);
      caller.abort();
      assert.deepEqual((await call)[0], 'aborted');
      assert.equal(given.at(-1)?.signal.aborted, true);
      await sleep(10);
      assert.deepEqual(await ask(nebula, 'orders.now'), ['ok', 'now']);
    }
    // Guests that count units, or were suspended, cost no thread.
    if (executor === 'worker' && CAN_SUSPEND) assert.equal(nebula.stats().executor.unitsReplaced, 0);
  });

  test(`nebula.call is busy at bindingCalls, of guests that have ended too, ${executor}`, {
    skip: cannotWait,
  }, async (context) => {
    const answers: (() => void)[] = [];
    const nebula = await open(context, executor, {
      orders: { hold: () => new Promise<string>((resolve) => answers.push(() => resolve('held'))), now: () => 'now' },
    });
    await deployCaller(nebula, { limits: { bindingCalls: 2, timeoutMs: 50 } });
    for (let count = 0; count < 2; count++) assert.deepEqual((await ask(nebula, 'orders.hold'))[0], 'timeout');
    const busy = "busy: 2 calls of this function's guests are under way";
    assert.deepEqual(await ask(nebula, 'orders.now'), ['exit', busy]);
    // Another version gives no places.
    await deployCaller(nebula, { limits: { bindingCalls: 2, timeoutMs: 5000 } });
    assert.deepEqual(await ask(nebula, 'orders.now'), ['exit', busy]);
    await deployCaller(nebula, { name: 'another' });
    assert.equal((await nebula.invoke('another', 'orders.now')).kind, 'ok');
    for (const answer of answers) answer();
    await sleep(5);
    assert.deepEqual(await ask(nebula, 'orders.now'), ['ok', 'now']);
  });
}

test('nebula.call costs no thread when its caller aborts as its guest begins to wait', async (context) => {
  let caller = new AbortController();
  const abort = (): void => caller.abort();
  const hold = (when: (run: () => void) => unknown) => (_: Uint8Array, given: BindingContext) => {
    when(abort);
    return new Promise<string>((resolve) => given.signal.addEventListener('abort', () => resolve('late')));
  };
  const nebula = await open(context, 'worker', {
    orders: {
      now: hold((run) => run()),
      soon: hold(queueMicrotask),
      next: hold(setImmediate),
    },
  });
  await deployCaller(nebula);
  for (let count = 0; count < 67; count++) {
    for (const name of ['now', 'soon', 'next']) {
      caller = new AbortController();
      assert.equal((await ask(nebula, `orders.${name}`, { signal: caller.signal }))[0], 'aborted');
    }
  }
  const { unitsReplaced, pauses } = nebula.stats().executor;
  assert.deepEqual({ unitsReplaced, pauses }, { unitsReplaced: 0, pauses: 0 });
});

test('nebula.call leaves what it waits out of cpuMs', { skip: !CAN_SUSPEND }, async (context) => {
  for (const executor of EXECUTORS) {
    const nebula = await open(context, executor, { orders: { spin, later: () => sleep(60, 'waited') } });
    await deployCaller(nebula, { limits: { cpuMs: 50 } });
    assert.deepEqual(await ask(nebula, 'orders.spin'), ['ok', 'spun']);
    assert.deepEqual(await ask(nebula, 'orders.later'), ['ok', 'waited']);
  }
});

test('nebula.call of a binding that answers later is an error in thread where no guest can be suspended', {
  skip: CAN_SUSPEND,
}, async (context) => {
  const nebula = await open(context, 'in-thread', { orders: { later: () => Promise.resolve('x') } });
  await deployCaller(nebula);
  assert.match((await ask(nebula, 'orders.later'))[1], /^unsuspendable: /);
  const refused = await open(context, 'in-thread', { orders: { later: async () => 'x' } });
  await assert.rejects(deployCaller(refused), {
    code: 'ERR_NEBULA_BINDING_REFUSED',
    message: /orders\.later.*Node 24/,
  });
});
