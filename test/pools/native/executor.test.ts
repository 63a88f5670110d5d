/** Decisions of the executor of native guests, over a backend whose guests end when the test says so. */

import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { NebulaError } from '../../../host/errors.ts';
import { monotonicNs } from '../../../host/monotonic.ts';
import type { Executor } from '../../../pools/executor.ts';
import type { GuestEnd, Launch, NativeBackend, NativeDefinition, NativeGuest } from '../../../pools/native/backend.ts';
import { NativeExecutor } from '../../../pools/native/executor.ts';
import { bytesOf, call, endingOf, nativeDefinition, textOf } from './native-suite.ts';

/** A guest that runs until it is told to end, or is killed. */
class FakeGuest implements NativeGuest {
  readonly ended: Promise<GuestEnd>;
  readonly launch: Launch;
  isKilled = false;
  #end!: (end: GuestEnd) => void;

  constructor(launch: Launch) {
    this.launch = launch;
    this.ended = new Promise((resolve) => (this.#end = resolve));
  }

  answer(text: string): void {
    this.launch.onStdout(bytesOf(text));
    this.#end({ kind: 'exit', exitCode: 0, endedNs: monotonicNs() });
  }

  write(): void {}

  kill(): Promise<void> {
    this.isKilled = true;
    this.#end({ kind: 'lost', detail: 'killed', endedNs: monotonicNs() });
    return Promise.resolve();
  }

  remove(): Promise<void> {
    return this.kill();
  }

  usage(): undefined {
    return undefined;
  }
}

class FakeBackend implements NativeBackend<NativeDefinition, string> {
  readonly kind = 'process' as const;
  readonly launched: FakeGuest[] = [];

  prepare({ name }: NativeDefinition): Promise<string> {
    return Promise.resolve(name);
  }

  discard(): Promise<void> {
    return Promise.resolve();
  }

  launch(_definition: NativeDefinition, _prepared: string, launch: Launch): Promise<NativeGuest> {
    const guest = new FakeGuest(launch);
    this.launched.push(guest);
    return Promise.resolve(guest);
  }

  lost(name: string, detail: string): NebulaError {
    return new NebulaError('PROCESS_LOST', { name, detail });
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

function openFake(
  context: TestContext,
  guests: number,
): { backend: FakeBackend; executor: Executor<NativeDefinition> } {
  const backend = new FakeBackend();
  const executor = new NativeExecutor(backend, { guests, awaitRemoval: false });
  context.after(() => executor.close(0));
  return { backend, executor };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('NativeExecutor.invoke() ends a call at its deadline while it waits for a full executor, and starts no guest for it', async (context) => {
  const { backend, executor } = openFake(context, 1);
  const [busy, quick] = [nativeDefinition('busy'), nativeDefinition('quick')];
  for (const definition of [busy, quick]) await executor.deploy(definition);
  const first = executor.invoke(busy, call());
  const waiting = await executor.invoke(quick, call('', { timeoutMs: 30 }));
  assert.deepEqual(endingOf(waiting), { kind: 'timeout', timeoutMs: 30 });
  assert.ok(waiting.phases.queue >= 25e6 && waiting.phases.run === 0, JSON.stringify(waiting.phases));
  assert.deepEqual([executor.stats().waiting, executor.stats().running, backend.launched.length], [0, 1, 1]);
  backend.launched[0]?.answer('done');
  assert.equal(textOf((await first).stdout), 'done');
  await turn();
  assert.equal(backend.launched.length, 1);
});

test('NativeExecutor.invoke() starts no guest for a call whose time was up while the event loop stood still', async (context) => {
  const { backend, executor } = openFake(context, 1);
  const [busy, quick] = [nativeDefinition('busy'), nativeDefinition('quick')];
  for (const definition of [busy, quick]) await executor.deploy(definition);
  const first = executor.invoke(busy, call());
  const waiting = executor.invoke(quick, call('', { timeoutMs: 5 }));
  await turn();
  const untilNs = monotonicNs() + 10e6;
  while (monotonicNs() < untilNs);
  // The place is free before any timer may run.
  backend.launched[0]?.answer('done');
  assert.deepEqual(endingOf(await waiting), { kind: 'timeout', timeoutMs: 5 });
  assert.equal(textOf((await first).stdout), 'done');
  assert.deepEqual([backend.launched.length, executor.stats().unitsReplaced, executor.stats().running], [1, 0, 0]);
});

test('NativeExecutor.invoke() counts the limit from the start of the guest, not from the call', async (context) => {
  const { backend, executor } = openFake(context, 1);
  const definition = nativeDefinition('limited', { limits: { timeoutMs: 400 } });
  const busy = nativeDefinition('busy', { limits: { timeoutMs: 0 } });
  for (const each of [definition, busy]) await executor.deploy(each);
  const first = executor.invoke(busy, call());
  const second = executor.invoke(definition, call('', { timeoutMs: 60_000 }));
  await new Promise((resolve) => setTimeout(resolve, 450));
  backend.launched[0]?.answer('');
  await first;
  assert.equal(executor.stats().running, 1, 'it has waited for longer than its limit, and runs now');
  const outcome = await second;
  assert.deepEqual(endingOf(outcome), { kind: 'timeout', timeoutMs: 400 });
  assert.ok(outcome.phases.run >= 390e6, `it ran for ${outcome.phases.run} ns`);
});

test('NativeExecutor.stats() counts a guest once that is stopped for two reasons', async (context) => {
  const { backend, executor } = openFake(context, 1);
  const definition = nativeDefinition('slow-to-die', { limits: { timeoutMs: 20 } });
  await executor.deploy(definition);
  const controller = new AbortController();
  const outcome = executor.invoke(definition, call('', { timeoutMs: 40 }), controller.signal);
  await turn();
  const guest = backend.launched[0] as FakeGuest;
  const dead = new Promise<void>((resolve) => setTimeout(resolve, 120));
  guest.kill = () => dead;
  setTimeout(() => controller.abort(), 60);
  assert.deepEqual(endingOf(await outcome), { kind: 'timeout', timeoutMs: 20 });
  assert.equal(executor.stats().unitsReplaced, 1);
  guest.answer('');
});
