import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parse } from '@bytecodealliance/jco-transpile/wasm-tools';
import { ComponentVm } from '../../../../host/component/vm/component-vm.ts';
import { transpileComponent, prepareComponent } from '../../../../host/preparation/component.ts';
import { WASI_03 } from '../../../../host/wasi/versions.ts';
import type { NebulaError } from '../../../../host/errors.ts';
import { resolveLimits } from '../../../../host/limits.ts';
import { createNebula } from '../../../../lib/index.ts';
import { commandComponent, defineComponent, request, runCommand, webComponent } from '../components.ts';

test('ComponentVm.run() gives a command its input and takes its output', async () => {
  const definition = await defineComponent(await commandComponent('echo'));
  assert.equal(definition.component.kind, 'command');
  const { ending, stdout, stderr } = runCommand(definition, { input: 'hélló\n' });
  assert.deepEqual([ending, stdout, stderr], [{ kind: 'ok' }, 'hélló\n', '']);
});

test('ComponentVm.run() gives each instance of a thread its own streams, arguments and environment', async () => {
  const definition = await defineComponent(await commandComponent('guests/env-dump'));
  const capabilities = (environment: Record<string, string>): typeof definition => ({
    ...definition,
    capabilities: { ...definition.capabilities, environment },
  });
  const [left, right] = [new ComponentVm(capabilities({ A: '1' })), new ComponentVm(capabilities({ B: '2' }))];
  const call = { input: new Uint8Array(), arguments: [] };
  assert.equal(left.run({ ...call, environment: { A: '1' } }, 0).kind, 'ok');
  assert.equal(right.run({ ...call, environment: { B: '2' } }, 0).kind, 'ok');
  const [first, second] = [left, right].map((vm) => Buffer.from(vm.stdout()).toString()) as [string, string];
  assert.match(first, /"A" "1"/);
  assert.doesNotMatch(first, /"B"/);
  assert.match(second, /"B" "2"/);
  assert.doesNotMatch(second, /"A"/);
  left.close();
  right.close();
});

test('ComponentVm.run() takes wasi:cli/exit for an outcome, and the process goes on', async () => {
  // The adapter tells only whether the code was 0: exit-with-code is no stable part of WASI 0.2.
  const { ending } = runCommand(await defineComponent(await commandComponent('guests/exit-3')));
  assert.deepEqual(ending, { kind: 'exit', exitCode: 1 });
});

test('ComponentVm.run() tells a trap, and the end of the stack', async () => {
  const trapped = runCommand(await defineComponent(await commandComponent('guests/trap-unreachable'))).ending;
  assert.equal(trapped.kind === 'trap' && trapped.reason, 'unreachable');
  const overflown = runCommand(await defineComponent(await commandComponent('guests/stack-overflow'))).ending;
  assert.equal(overflown.kind === 'trap' && overflown.reason, 'stack-overflow');
});

test('ComponentVm.run() holds memory and output to their limits', async () => {
  const memoryBytes = 32 * 1024 * 1024;
  const grower = await defineComponent(await commandComponent('guests/grow-forever'), { limits: { memoryBytes } });
  assert.deepEqual(runCommand(grower).ending, { kind: 'limit', limit: 'memoryBytes', allowed: memoryBytes });
  const limits = { outputBytes: 100_000 };
  const writer = await defineComponent(await commandComponent('guests/write-forever'), { limits });
  const { ending, stdout } = runCommand(writer);
  assert.deepEqual(ending, { kind: 'limit', limit: 'outputBytes', allowed: 100_000 });
  assert.equal(stdout.length, 100_000);
});

test('ComponentVm.run() ends a loop at its deadline', async () => {
  const { ending } = runCommand(await defineComponent(await commandComponent('guests/forever')), {}, 100);
  assert.deepEqual(ending, { kind: 'timeout', timeoutMs: 100 });
});

test('ComponentVm.run() answers requests with a head, a body and its end', async () => {
  const vm = new ComponentVm(await defineComponent(webComponent()));
  const { ending, head, body, isWhole } = request(vm, '/describe?a=1', 'the body');
  assert.deepEqual([ending.kind, head?.status, isWhole], ['ok', 200, true]);
  const described = JSON.parse(body) as { method: string; path: string; body: string };
  assert.deepEqual([described.method, described.path, described.body], ['POST', '/describe?a=1', 'the body']);
  vm.close();
});

test('ComponentVm.run() gives each instance a fresh state', async () => {
  const definition = await defineComponent(webComponent());
  for (let round = 0; round < 2; round++) {
    const vm = new ComponentVm(definition);
    assert.equal(request(vm, '/count').body, '1\n');
    assert.equal(vm.restore(), false);
    vm.close();
  }
});

test('ComponentVm.run() tells of a fetch-event component that cannot be reused, instead of waiting for ever', async () => {
  const vm = new ComponentVm(await defineComponent(webComponent(), { reuse: 2 }));
  assert.equal(request(vm, '/hello').body, 'Hello, world!\n');
  assert.equal(vm.restore(), true);
  const second = request(vm, '/hello');
  assert.deepEqual(second.ending, { kind: 'exit', exitCode: 1 });
  assert.match(second.stderr, /respondWith can't be called twice/);
  assert.equal(vm.restore(), false);
  vm.close();
});

test('ComponentVm.run() refuses requests to a command, and runs to a component without wasi:cli/run', async () => {
  const command = new ComponentVm(await defineComponent(await commandComponent('echo')));
  assert.throws(() => request(command, '/'), { code: 'ERR_NEBULA_ENTRY_MISMATCH' });
  command.close();
  const web = await defineComponent(webComponent());
  assert.throws(() => runCommand(web), { code: 'ERR_NEBULA_ENTRY_MISMATCH' });
});

test('transpileComponent() refuses a malformed component, naming where', async () => {
  const whole = await commandComponent('echo');
  await assert.rejects(transpileComponent(whole.subarray(0, whole.length / 2)), {
    code: 'ERR_NEBULA_MODULE_INVALID',
    message: /at byte \d+/,
  });
});

test('prepareComponent() refuses unknown imports, all of them listed', async () => {
  const wit = [
    'world root {',
    '  import wasi:cli/environment@0.2.12;',
    '  import wasi:nn/tensor@0.2.0;',
    '  import wasi:http/types@0.3.0;',
    '  import log: func(text: string);',
    '',
    '  export wasi:cli/run@0.2.12;',
    '}',
  ].join('\n');
  const transpiled = { digest: '', sizeBytes: 0, glue: '', cores: [], wit };
  await assert.rejects(prepareComponent(transpiled, resolveLimits()), {
    code: 'ERR_NEBULA_UNKNOWN_IMPORT',
    fields: { count: 3, imports: `wasi:nn/tensor@0.2.0, wasi:http/types@0.3.0, log (${WASI_03})` },
  });
});

/** A component whose core module does something when it is instantiated. */
async function startingComponent(start: string): Promise<Uint8Array> {
  return new Uint8Array(
    await parse(`(component
      (core module $m (memory (export "memory") 1) (func $s ${start}) (start $s) (func (export "f") (result i32) (i32.const 3)))
      (core instance $i (instantiate $m))
      (func (export "f") (result u32) (canon lift (core func $i "f"))))`),
  );
}

test('ComponentVm() ends a start function at the deadline of a call, in words, and on traps of every kind', async () => {
  const ways: readonly (readonly [start: string, detail: RegExp])[] = [
    ['(loop (br 0))', /its instantiation ended with its deadline of 300 ms/],
    ['return_call $s', /its deadline of 300 ms/],
    ['call $s', /a trap \(stack-overflow\)/],
    ['unreachable', /a trap \(unreachable\)/],
  ];
  for (const [start, detail] of ways) {
    const definition = await defineComponent(await startingComponent(start), { limits: { timeoutMs: 300 } });
    assert.throws(
      () => new ComponentVm(definition),
      (error: NebulaError) => error.code === 'ERR_NEBULA_INIT_FAILED' && detail.test(error.message),
      start,
    );
  }
});

test('deploy() of a component that never ends its start function fails, and its thread serves others', async () => {
  const never = await startingComponent('(loop (br 0))');
  const other = await startingComponent('nop');
  for (const executor of ['worker', 'in-thread'] as const) {
    await using nebula = await createNebula({ executor, threads: 1 });
    await nebula.deploy(other, { name: 'other' });
    const limits = { timeoutMs: 300 };
    await assert.rejects(nebula.deploy(never, { name: 'never', limits }), { code: 'ERR_NEBULA_INIT_FAILED' });
    assert.equal(await nebula.fn('other').call('f'), 3);
  }
});
