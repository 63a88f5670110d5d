import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { parse } from '@bytecodealliance/jco-transpile/wasm-tools';
import { createNebula, type Nebula } from '../../../lib/index.ts';
import { assemble } from '../../wat.ts';
import { LIBRARY, WAITING } from './guests.ts';

const outcomesOf = (nebula: Nebula, name: string): unknown =>
  nebula.stats().functions.find((each) => each.name === name)?.outcomes;

const mismatch = (message: RegExp): object => ({ code: 'ERR_NEBULA_ENTRY_MISMATCH', message });

const TRAPS = { code: 'ERR_NEBULA_GUEST_FAILED', message: /unreachable/ };

for (const executor of ['worker', 'in-thread'] as const) {
  let nebula: Nebula;

  before(async () => {
    nebula = await createNebula({ threads: 1, executor });
    await nebula.deploy(await assemble(LIBRARY), { name: 'library', limits: { timeoutMs: 2000 } });
    await nebula.deploy(await assemble(WAITING), { name: 'waiting', limits: { timeoutMs: 2000 }, budget: true });
  });

  after(() => nebula.close());

  for (const name of ['library', 'waiting'] as const) {
    test(`FunctionHandle.call() carries values of each type both ways, of ${name}, ${executor}`, async () => {
      const library = nebula.fn(name);
      assert.equal(await library.call('add', 1, 2), 3);
      assert.equal(await library.call('add', 2 ** 32 - 1, 2), 1);
      assert.equal(await library.call('add', 2 ** 31 - 1, 1), -(2 ** 31));
      assert.equal(await library.call('nothing'), undefined);
      assert.deepEqual(await library.call('same', -1, -1n, 0.1, 0.1), [-1, -1n, Math.fround(0.1), 0.1]);
      assert.deepEqual(await library.call('same', 2 ** 32 - 1, 2n ** 64n - 1n, Infinity, -0), [-1, -1n, Infinity, -0]);
      assert.deepEqual(await library.call('same', -(2 ** 31), -(2n ** 63n), NaN, NaN), [
        -(2 ** 31),
        -(2n ** 63n),
        NaN,
        NaN,
      ]);
    });

    test(`FunctionHandle.call() has a fresh state for each call, of ${name}, ${executor}`, async () => {
      const counts = await Promise.all(Array.from({ length: 8 }, () => nebula.fn(name).call('count')));
      assert.deepEqual(counts, Array<number>(8).fill(11));
    });

    test(`FunctionHandle.call() refuses what does not fit before anything runs, of ${name}, ${executor}`, async () => {
      const library = nebula.fn(name);
      const before = outcomesOf(nebula, name);
      await assert.rejects(
        library.call('sub', 1, 2),
        mismatch(/expected the export "sub", got .*add\(i32, i32\) -> i32,/),
      );
      await assert.rejects(library.call('memory'), mismatch(/"memory"/));
      await assert.rejects(library.call('nebula:restore'), mismatch(/"nebula:restore"/));
      await assert.rejects(library.call('vector', 1, 2), mismatch(/i32, i64, f32, f64 alone, got vector\(i32, v128\)/));
      await assert.rejects(library.call('reference'), mismatch(/got reference\(\) -> externref/));
      const refusals: readonly (readonly [path: string, values: unknown[], name: string, message: RegExp])[] = [
        ['add', [1], 'RangeError', /`values\.length` to 1 .*the 2 parameters of add\(i32, i32\) -> i32/],
        ['add', [1, 2, 3], 'RangeError', /`values\.length` to 3/],
        ['add', [1, 2 ** 32], 'RangeError', /`values\[1\]` to 4294967296 .*from -2147483648 to 4294967295, an i32/],
        ['add', [-(2 ** 31) - 1, 1], 'RangeError', /`values\[0\]`/],
        ['add', [1, 1.5], 'RangeError', /`values\[1\]` to 1\.5/],
        ['add', [NaN, 1], 'RangeError', /`values\[0\]` to NaN/],
        ['add', [1n, 1], 'TypeError', /`values\[0\]` to 1 \(bigint\)/],
        ['add', ['1', 1], 'TypeError', /`values\[0\]` to "1" \(string\)/],
        ['add', [undefined, 1], 'TypeError', /`values\[0\]`/],
        [
          'same',
          [1, 1, 1, 1],
          'RangeError',
          /`values\[1\]` to 1 \(number\): must be a bigint from -\d+ to \d+, an i64/,
        ],
        ['same', [1, 2n ** 64n, 1, 1], 'TypeError', /`values\[1\]`/],
        ['same', [1, -(2n ** 63n) - 1n, 1, 1], 'TypeError', /`values\[1\]`/],
        ['same', [1, 1n, '1', 1], 'TypeError', /`values\[2\]` to "1" \(string\): must be a number, an f32/],
        ['same', [1, 1n, 1, null], 'TypeError', /`values\[3\]` to null \(null\): must be a number, an f64/],
      ];
      for (const [path, values, kind, message] of refusals) {
        await assert.rejects(library.call(path, ...values), { name: kind, code: 'ERR_NEBULA_ARGUMENT', message });
      }
      await assert.rejects(library.call(1 as never), { name: 'RangeError', code: 'ERR_NEBULA_ARGUMENT' });
      assert.deepEqual(outcomesOf(nebula, name), before);
    });

    test(`FunctionHandle.call() tells how a guest ended, of ${name}, ${executor}`, async () => {
      const library = nebula.fn(name);
      await assert.rejects(library.call('trap'), TRAPS);
      await assert.rejects(library.call('exit', 3), { code: 'ERR_NEBULA_GUEST_FAILED', message: /exit code 3/ });
      await assert.rejects(library.call('exit', 0), { code: 'ERR_NEBULA_GUEST_RESPONSE' });
      assert.equal(await library.call('count'), 11);
    });

    test(`FunctionHandle.invoke() answers with all of the Outcome, of ${name}, ${executor}`, async () => {
      const library = nebula.fn(name);
      const said = await library.invoke('say');
      assert.deepEqual([said.kind, said.value, Object.hasOwn(said, 'values')], ['ok', 7, false]);
      assert.deepEqual([String(Buffer.from(said.stdout)), String(Buffer.from(said.stderr))], ['hello', 'hello']);
      assert.equal(said.usage.hostCalls, 2);
      const left = await library.invoke('exit', 4);
      assert.deepEqual([left.kind === 'exit' && left.exitCode, Buffer.from(left.stdout).toString()], [4, 'hello']);
      assert.equal('value' in left, false);
      assert.equal((await library.invoke('trap')).kind, 'trap');
    });

    test(`FunctionHandle.with() gives its calls variables, a deadline and a signal, of ${name}, ${executor}`, async () => {
      const library = nebula.fn(name);
      const two = library.with({ environment: { A: '1', B: '2' } });
      assert.deepEqual([await library.call('variables'), await two.call('variables')], [0, 2]);
      const late = await two.with({ timeoutMs: 100 }).invoke('spin');
      assert.deepEqual(
        [late.kind === 'timeout' && late.timeoutMs, Buffer.from(late.stdout).toString()],
        [100, 'hello'],
      );
      await assert.rejects(library.with({ timeoutMs: 100 }).call('spin'), { code: 'ERR_NEBULA_DEADLINE' });
      const aborted = library.with({ signal: AbortSignal.abort() });
      await assert.rejects(aborted.call('count'), { code: 'ERR_NEBULA_CLIENT_CLOSED' });
      assert.equal((await aborted.invoke('count')).kind, 'aborted');
      assert.equal(await library.call('count'), 11);
      assert.throws(() => library.with({ timeoutMs: 0 }), { name: 'RangeError', message: /options\.timeoutMs/ });
      assert.throws(() => library.with({ timeout: 1 } as never), { name: 'RangeError', message: /options\.timeout/ });
    });
  }

  test(`FunctionHandle.call() waits in a function of the waiting lane, ${executor}`, async () => {
    const waiting = nebula.fn('waiting');
    assert.deepEqual(await Promise.all([1_000_000n, 2_000_000n].map((ns) => waiting.call('nap', ns))), [
      1000000n,
      2000000n,
    ]);
    const gone = new AbortController();
    const call = waiting.with({ signal: gone.signal }).invoke('nap', 1_000_000_000n);
    if (executor === 'worker') {
      gone.abort();
      assert.equal((await call).kind, 'aborted');
    } else await call;
  });

  test(`Nebula.invoke() refuses a library, which has no entry, ${executor}`, async () => {
    await assert.rejects(nebula.invoke('library'), {
      code: 'ERR_NEBULA_ENTRY_MISMATCH',
      message: /expected the export "_start" or "handle"/,
    });
    assert.equal(await nebula.fn('library').call('count'), 11);
  });
}

test('FunctionHandle.call() calls exports of commands and reactors, in the state that their initialisation left', async () => {
  await using nebula = await createNebula({ threads: 1 });
  const reactor = `(module (memory (export "memory") 1) (global $g (mut i64) (i64.const 0))
    (func (export "_initialize") (global.set $g (i64.const 40)))
    (func (export "handle")) (func (export "more") (param i64) (result i64) (i64.add (local.get 0) (global.get $g))))`;
  await nebula.deploy(await assemble(reactor), { name: 'reactor' });
  assert.equal(await nebula.fn<{ more: (by: bigint) => bigint }>('reactor').call('more', 2n), 42n);
  await nebula.deploy(await assemble(reactor.replace('"handle"', '"other"')), { name: 'reactor' });
  assert.equal(await nebula.fn('reactor').call('more', 3n), 43n);
  await nebula.deploy(
    await assemble('(module (func (export "_start")) (func (export "one") (result i32) (i32.const 1)))'),
    {
      name: 'command',
    },
  );
  assert.equal(await nebula.fn('command').call('one'), 1);
  await assert.rejects(nebula.fn('nobody').call('one'), { code: 'ERR_NEBULA_FUNCTION_NOT_FOUND' });
});

test('Nebula.deploy() refuses inputs to warm a library up with, which has nothing that takes them', async () => {
  await using nebula = await createNebula({ executor: 'in-thread' });
  await assert.rejects(nebula.deploy(await assemble(LIBRARY), { name: 'library', init: { warmUp: ['a'] } }), {
    code: 'ERR_NEBULA_INIT_FAILED',
    message: /init\.warmUp must be left out/,
  });
});

/** Answers with an err, its variables' count or nothing; loops for ever. */
const COMPONENT = `(component
  (core module $m
    (memory (export "memory") 1)
    (func (export "half") (param i32) (result i32)
      (i32.store8 (i32.const 8) (i32.and (local.get 0) (i32.const 1)))
      (i32.store (i32.const 12) (i32.shr_u (local.get 0) (i32.const 1)))
      (i32.const 8))
    (func (export "spin") (loop $l (br $l))))
  (core instance $i (instantiate $m))
  (func (export "half") (param "a" u32) (result (result u32 (error u32)))
    (canon lift (core func $i "half") (memory (core memory $i "memory"))))
  (func (export "spin") (canon lift (core func $i "spin"))))`;

for (const executor of ['worker', 'in-thread'] as const) {
  test(`FunctionHandle.invoke() and with() are the same for a component, ${executor}`, async () => {
    await using nebula = await createNebula({ threads: 1, executor });
    await nebula.deploy(await parse(COMPONENT), { name: 'component', budget: true });
    const component = nebula.fn('component');
    const half = await component.invoke('half', 10);
    assert.deepEqual([half.kind, half.value, 'error' in half], ['ok', 5, false]);
    const odd = await component.invoke('half', 11);
    assert.deepEqual([odd.kind, odd.error, 'value' in odd], ['ok', 5, false]);
    const late = component.with({ timeoutMs: 50 });
    const { kind } = await late.invoke('spin');
    assert.equal(kind, 'timeout');
    await assert.rejects(late.call('spin'), { code: 'ERR_NEBULA_DEADLINE', message: /within 50 ms/ });
    await assert.rejects(component.with({ signal: AbortSignal.abort() }).call('half', 1), {
      code: 'ERR_NEBULA_CLIENT_CLOSED',
    });
    await assert.rejects(component.invoke('half'), { name: 'TypeError', code: 'ERR_NEBULA_ARGUMENT' });
    assert.equal(await component.call('half', 4), 2);
  });
}
