import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { InvokeOptions } from '../../lib/schema/invoke-options.ts';
import type { Nebula } from '../../lib/api/nebula.ts';
import type { NebulaOptions } from '../../lib/schema/nebula-options.ts';
import { createNebula, createNebulaOn } from '../../lib/nebula.ts';
import { FakeExecutor } from './fake-executor.ts';
import { tinyModule } from './tiny-module.ts';

async function open(context: TestContext): Promise<{ nebula: Nebula; executor: FakeExecutor }> {
  const executor = new FakeExecutor();
  const nebula = await createNebulaOn(executor);
  context.after(() => nebula.close());
  return { nebula, executor };
}

const badInvocations: readonly (readonly [unknown, unknown, RegExp])[] = [
  [5, undefined, /Cannot set `input` to 5 \(number\): must be a Uint8Array or a string/],
  [null, undefined, /`input` to null/],
  ['', null, /`options` to null/],
  ['', { timeoutMs: 0 }, /`options.timeoutMs` to 0 \(number\): must be a number of milliseconds above 0/],
  ['', { timeoutMs: Number.NaN }, /`options.timeoutMs`/],
  [
    '',
    { timeout: 5 },
    /`options.timeout` to 5 .* expected arguments, environment, requestId, timeoutMs, caller or signal/,
  ],
  ['', { arguments: 'x' }, /`options.arguments`/],
  ['', { arguments: ['a\0b'] }, /`options.arguments.0` .*: must be a text without NUL/],
  ['', { environment: { 'A=B': '' } }, /`options.environment`/],
  ['', { environment: { A: 5 } }, /`options.environment.A` to 5/],
  ['', { signal: {} }, /`options.signal` .*: must be an AbortSignal/],
  [
    '',
    { signals: 1 },
    /`options.signals` to 1 \(number\): must be left out: expected arguments, environment, requestId, timeoutMs, caller or signal/,
  ],
  ['', [], /`options` .*: must be an object/],
];

for (const [input, options, message] of badInvocations) {
  test(`toInvocation() refuses ${JSON.stringify(input)} ${JSON.stringify(options)} before any work`, async (context) => {
    const { nebula, executor } = await open(context);
    await nebula.deploy(tinyModule(), { name: 'f' });
    await assert.rejects(nebula.invoke('f', input as string, options as InvokeOptions), {
      code: 'ERR_NEBULA_ARGUMENT',
      message,
    });
    assert.equal(executor.invocations.length, 0);
  });
}

test('toInvocation() takes what is left undefined as left out, known or not', async (context) => {
  const { nebula } = await open(context);
  await nebula.deploy(tinyModule(), { name: 'f' });
  const options = { timeoutMs: undefined, signals: undefined, arguments: ['x'] } as unknown as InvokeOptions;
  assert.equal((await nebula.invoke('f', '', options)).kind, 'ok');
});

test('toInvocation() looks at the own fields of options only, where they are unknown', async (context) => {
  const { nebula, executor } = await open(context);
  await nebula.deploy(tinyModule(), { name: 'f' });
  const options = Object.assign(Object.create({ traced: true }) as object, { arguments: ['x'] });
  assert.equal((await nebula.invoke('f', '', options)).kind, 'ok');
  assert.deepEqual(executor.invocations.at(-1)?.invocation.arguments, ['x']);
});

const badOptions: readonly (readonly [object | null, RegExp])[] = [
  [null, /`options` to null/],
  [{ executor: 'cloud' }, /`options.executor` to "cloud" \(string\): must be "worker" or "in-thread"/],
  [{ threads: 0 }, /`options.threads` to 0/],
  [{ limits: { bytes: undefined } }, /`options.limits.bytes` to undefined .*: must be left out/],
  [{ mostThreads: 0 }, /`options.mostThreads` to 0/],
  [{ spareThreads: 1.5 }, /`options.spareThreads` to 1.5/],
  [{ memories: -1 }, /`options.memories`/],
  [{ store: '' }, /`options.store`/],
  [{ audit: 'yes' }, /`options.audit`/],
  [{ limits: { timeoutMs: 'x' } }, /`options.limits.timeoutMs` to "x" \(string\): must be an integer from 0 to/],
  [{ runtimes: ['wasm', 'vm'] }, /`options.runtimes.1` to "vm" \(string\): must be one of "wasm"/],
  [{ token: 'two words' }, /`options.token` to "\(hidden\)" \(string\): must be one or more printable/],
  [{ markers: { start() {} } }, /`options.markers` .*: must be an object with the functions start and end/],
  [{ thread: 1 }, /`options.thread`.*expected executor, threads/],
];

for (const [options, message] of badOptions) {
  test(`checkNebulaOptions() refuses ${JSON.stringify(options)}`, async () => {
    await assert.rejects(createNebula(options as NebulaOptions), { code: 'ERR_NEBULA_ARGUMENT', message });
  });
}
