/** Observers are told of each call once at its start and once at its end, whatever it comes to, and wherever it runs. */

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Outcome } from '../../../host/outcome.ts';
import { createNebulaOn } from '../../../lib/nebula.ts';
import { CallsUnderWay } from '../../../lib/observe/calls-under-way.ts';
import type { Call, Observer } from '../../../lib/observe/observer.ts';
import { createInThreadExecutor } from '../../../pools/in-thread/executor.ts';
import { FakeExecutor, makeOutcome } from '../fake-executor.ts';
import { tinyModule } from '../tiny-module.ts';

const FUNCTIONS = join(import.meta.dirname, '../../../../functions');

/** Writes down what it is told, and holds each call's number by the call itself. */
class Told implements Observer {
  readonly said: string[];
  readonly #name: string;
  readonly #numbers: Map<Call, number> = new Map();
  #started = 0;

  constructor(name: string, said: string[] = []) {
    this.#name = name;
    this.said = said;
  }

  start(call: Call): void {
    assert.equal(this.#numbers.has(call), false);
    this.#numbers.set(call, ++this.#started);
    this.said.push(`${this.#name}: start ${call.function.name} ${call.function.version} ${this.#started}`);
  }

  end(call: Call, outcome: Outcome): void {
    this.said.push(`${this.#name}: end ${this.#take(call)} ${outcome.kind}`);
  }

  fail(call: Call, error: unknown): void {
    this.said.push(`${this.#name}: fail ${this.#take(call)} ${(error as Error).message}`);
  }

  #take(call: Call): number {
    const number = this.#numbers.get(call);
    assert.ok(number !== undefined);
    this.#numbers.delete(call);
    return number;
  }
}

const invocation = { input: new Uint8Array() };

test('CallsUnderWay tells observers of starts in their order and of ends the other way round', () => {
  const said: string[] = [];
  const observed = { name: 'f', version: 2, observers: [new Told('outer', said), new Told('inner', said)] };
  const calls = new CallsUnderWay();
  calls.start(observed, invocation).ended(makeOutcome());
  calls.start(observed, invocation).failed(new Error('lost'));
  assert.deepEqual(said, [
    'outer: start f 2 1',
    'inner: start f 2 1',
    'inner: end 1 ok',
    'outer: end 1 ok',
    'outer: start f 2 2',
    'inner: start f 2 2',
    'inner: fail 2 lost',
    'outer: fail 2 lost',
  ]);
});

test('CallsUnderWay uses a call again once it is over, and never one that is under way', () => {
  const observed = { name: 'f', version: 1, observers: [] };
  const calls = new CallsUnderWay();
  const first = calls.start(observed, invocation);
  const second = calls.start(observed, invocation);
  assert.notEqual(first, second);
  assert.deepEqual([first.function, first.invocation], [observed, invocation]);
  first.ended(makeOutcome());
  assert.notEqual(first.invocation, invocation, 'the input of a call that is over is not held');
  assert.equal(calls.start(observed, invocation), first);
  assert.notEqual(calls.start(observed, invocation), second);
});

test('createNebulaOn(executor, options, observers) tells them how calls of a pool came out', async () => {
  const told = new Told('o');
  const executor = new FakeExecutor();
  const nebula = await createNebulaOn(executor, {}, [told]);
  await nebula.deploy(tinyModule(), { name: 'tiny' });
  const first = nebula.invoke('tiny');
  const second = nebula.invoke('tiny');
  assert.deepEqual(told.said, ['o: start tiny 1 1', 'o: start tiny 1 2']);
  await Promise.all([first, second]);
  await nebula.deploy(tinyModule(), { name: 'tiny' });
  executor.run = () => Promise.reject(new Error('lost'));
  await assert.rejects(nebula.invoke('tiny'), /lost/);
  executor.run = () => {
    throw new Error('at once');
  };
  await assert.rejects(nebula.invoke('tiny'), /at once/);
  assert.deepEqual(told.said.slice(2), [
    'o: end 1 ok',
    'o: end 2 ok',
    'o: start tiny 2 3',
    'o: fail 3 lost',
    'o: start tiny 2 4',
    'o: fail 4 at once',
  ]);
  assert.deepEqual(nebula.stats().functions[0]?.outcomes.failed, 2);
  await nebula.close();
});

test('createNebulaOn(executor, options, observers) tells them the outcome of an in-thread call before invoke() returns', async () => {
  const told = new Told('o');
  await using nebula = await createNebulaOn(createInThreadExecutor(), {}, [told]);
  await nebula.deploy(join(FUNCTIONS, 'noop'));
  const first = nebula.invoke('noop');
  assert.deepEqual(told.said, ['o: start noop 1 1', 'o: end 1 ok']);
  assert.equal(nebula.stats().functions[0]?.outcomes.ok, 1);
  const second = nebula.invoke('noop', '', { signal: AbortSignal.abort() });
  assert.deepEqual(told.said.slice(2), ['o: start noop 1 2', 'o: end 2 aborted']);
  assert.deepEqual([(await first).kind, (await second).kind], ['ok', 'aborted']);
});

test('createNebulaOn(executor, options, observers) tells of no call that no executor is asked for', async () => {
  const told = new Told('o');
  const nebula = await createNebulaOn(new FakeExecutor(), {}, [told]);
  await nebula.deploy(tinyModule(), { name: 'tiny', limits: { inputBytes: 1 } });
  await assert.rejects(nebula.invoke('other'), { code: 'ERR_NEBULA_FUNCTION_NOT_FOUND' });
  await assert.rejects(nebula.invoke('tiny', 'too much'), { code: 'ERR_NEBULA_INPUT_TOO_LARGE' });
  assert.deepEqual(told.said, []);
  await nebula.close();
});
