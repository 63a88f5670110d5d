import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FunctionDefinition } from '../../../host/definition/definition.ts';
import { isNebulaError, type NebulaError } from '../../../host/errors.ts';
import { initialise } from '../../../host/micro-vm/initialise.ts';
import { resolveLimits } from '../../../host/limits.ts';
import { inspectModule } from '../../../host/module/inspect.ts';
import { instrument } from '../../../host/module/instrument.ts';
import { readLayout } from '../../../host/module/layout.ts';
import { scanCode } from '../../../host/module/scan.ts';
import { assemble } from '../../wat.ts';
import { define, defineGuest, Deployed, deploy, type Given } from '../function.ts';

const WRITE = `(import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))`;
const READ = `(import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))`;

/** A reactor that notes each step's letter behind the last and answers them all. */
const steps = (functions: string): string => `(module ${WRITE} ${READ} (memory (export "memory") 1)
  (global $end (mut i32) (i32.const 100))
  (func $note (param i32) (i32.store8 (global.get $end) (local.get 0))
    (global.set $end (i32.add (global.get $end) (i32.const 1))))
  (func (export "handle")
    (i32.store (i32.const 0) (i32.const 100))
    (i32.store (i32.const 4) (i32.sub (global.get $end) (i32.const 100)))
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))))
  ${functions})`;

const step = (name: string, letter: string): string =>
  `(func (export "${name}") (call $note (i32.const ${letter.charCodeAt(0)})))`;

async function notesOf(functions: string, given: Given = {}): Promise<string> {
  const deployed = await deploy(steps(functions), given);
  deployed.run();
  const first = deployed.text;
  deployed.settle();
  deployed.run();
  assert.equal(deployed.text, first, 'the second call finds what the first found');
  return first;
}

async function refusalOf(module: string | Promise<FunctionDefinition>, given: Given = {}): Promise<NebulaError> {
  const definition = typeof module === 'string' ? await define(module, given) : await module;
  try {
    initialise(definition);
  } catch (error) {
    assert.ok(isNebulaError(error), `expected a NebulaError, got ${String(error)}`);
    return error;
  }
  throw assert.fail('the initialisation passed');
}

test('initialise() runs the start function, _initialize and the init export, each once and in this order', async () => {
  const start = '(func $s (call $note (i32.const 83))) (start $s)';
  const all = start + step('_initialize', 'I') + step('wizer.initialize', 'W') + step('prepare', 'P');
  assert.equal(await notesOf(all), 'SIW');
  assert.equal(await notesOf(all, { init: { export: 'prepare' } }), 'SIP');
  assert.equal(await notesOf(step('_initialize', 'I')), 'I');
  assert.equal(await notesOf(''), '');
});

const command = (
  extra: string,
): string => `(module ${WRITE} (memory (export "memory") 1) (global $g (mut i32) (i32.const 0))
  (func $s (global.set $g (i32.add (global.get $g) (i32.const 1)))) ${extra}
  (func (export "_start") (if (i32.ne (global.get $g) (i32.const 11)) (then unreachable)) (global.set $g (i32.const 99))))`;

test('initialise() runs the start function of a command, and wizer.initialize if it has one', async () => {
  const deployed = await deploy(
    command(`(start $s) (func (export "_initialize") unreachable)
      (func (export "wizer.initialize") (global.set $g (i32.add (global.get $g) (i32.const 10))))`),
  );
  for (let call = 0; call < 3; call++) {
    assert.deepEqual(deployed.run(), { kind: 'ok' });
    deployed.settle();
  }
});

test('initialise() runs the warm-up inputs of a reactor through its handler', async () => {
  const module = `(module ${READ} ${WRITE} (memory (export "memory") 1) (global $n (mut i32) (i32.const 100))
    (func (export "handle")
      (i32.store (i32.const 0) (i32.const 100)) (i32.store (i32.const 4) (i32.sub (global.get $n) (i32.const 100)))
      (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))
      (i32.store (i32.const 0) (global.get $n)) (i32.store (i32.const 4) (i32.const 50))
      (drop (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
      (global.set $n (i32.add (global.get $n) (i32.load (i32.const 8))))))`;
  const deployed = await deploy(module, { init: { warmUp: ['ab', 'cde'] } });
  for (let call = 0; call < 3; call++) {
    deployed.run('fghi');
    assert.equal(deployed.text, 'abcde');
    assert.equal(deployed.settle(), true);
  }
});

test('initialise() gives init-time variables only, and mounts only when they are allowed', async () => {
  const entry = `(import "wasi_snapshot_preview1" "environ_sizes_get" (func $env (param i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_prestat_get" (func $prestat (param i32 i32) (result i32)))`;
  const module = `(module ${entry} (memory (export "memory") 1) (func (export "handle") (result i32) (i32.load (i32.const 64)))
    (func (export "_initialize") (drop (call $env (i32.const 0) (i32.const 4)))
      (i32.store (i32.const 64) (i32.add (i32.load (i32.const 0)) (i32.mul (i32.const 10) (call $prestat (i32.const 3) (i32.const 8)))))))`;
  const capabilities = {
    environment: { SECRET: '1', OTHER: '2' },
    mounts: [{ guest: '/data', files: {}, access: 'read-only' as const }],
  };
  const without = await deploy(module, { capabilities, init: { environment: { A: 'x' } } });
  assert.deepEqual(without.run(), { kind: 'exit', exitCode: 1 + 10 * 8 }, 'one variable, and errno badf');
  const allowed = await deploy(module, { capabilities, init: { allow: ['mounts'] } });
  assert.deepEqual(allowed.run(), { kind: 'ok' }, 'no variable, and a mount');
});

test('initialise() refuses an initialisation that fails, and says how', async () => {
  const failing: [string, RegExp, Given?][] = [
    ['(func (export "_initialize") unreachable)', /_initialize ended with a trap \(unreachable\)/],
    ['(func (export "_initialize") (call $exit (i32.const 4)))', /_initialize ended with exit code 4/],
    ['(func (export "go") (result i32) (i32.const 9))', /go ended with exit code 9/, { init: { export: 'go' } }],
    ['(func (export "wizer.initialize") (loop (br 0)))', /deadline of 50 ms/, { limits: { timeoutMs: 50 } }],
    ['(func $s unreachable) (start $s)', /its start function ended with a trap \(unreachable\)/],
    ['(func $s (loop (br 0))) (start $s)', /deadline of 50 ms/, { limits: { timeoutMs: 50 } }],
    ['', /exports no function "nowhere"/, { init: { export: 'nowhere' } }],
    ['', /exports no function "memory"/, { init: { export: 'memory' } }],
    ['(data (i32.const 65536) "x")', /data segment/],
    ['(func (export "_initialize") (param i64))', /takes parameters/],
    ['(func (export "_initialize") (result v128) (v128.const i64x2 1 1))', /cannot be called/],
  ];
  for (const [functions, message, given] of failing) {
    const refusal = await refusalOf(
      `(module (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
        (memory (export "memory") 1) (func (export "handle")) ${functions})`,
      given,
    );
    assert.equal(refusal.key, 'INIT_FAILED', functions);
    assert.match(refusal.message, message);
  }
  const warmUp = await refusalOf('(module (func (export "handle") (result i32) (i32.const 2)))', {
    init: { warmUp: ['x'] },
  });
  assert.match(warmUp.message, /handle ended with exit code 2/);
});

test('initialise() stops a committed guest that never ends its initialisation, within its limit', async () => {
  const refusal = await refusalOf(defineGuest('guests/init-forever', { limits: { timeoutMs: 100 } }));
  assert.equal(refusal.key, 'INIT_FAILED');
  assert.match(refusal.message, /deadline of 100 ms/);
  assert.equal((await refusalOf(defineGuest('guests/init-trap'))).key, 'INIT_FAILED');
});

const DRAWS = `(module (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "clock_time_get" (func $clock (param i32 i64 i32) (result i32)))
  (memory (export "memory") 1) (func (export "handle"))
  (func (export "random") (drop (call $random (i32.const 0) (i32.const 8))))
  (func (export "clock") (drop (call $clock (i32.const 0) (i64.const 0) (i32.const 0))))
  (func (export "both") (drop (call $random (i32.const 0) (i32.const 8)))
    (drop (call $clock (i32.const 1) (i64.const 0) (i32.const 0)))))`;

test('initialise() refuses randomness and clocks that are not allowed, and reports those that are', async () => {
  for (const [name, sources] of [
    ['random', 'randomness'],
    ['clock', 'a clock'],
    ['both', 'randomness and a clock'],
  ] as const) {
    const refusal = await refusalOf(DRAWS, { init: { export: name } });
    assert.equal(refusal.key, 'INIT_NONDETERMINISTIC');
    assert.equal(refusal.fields['sources'], sources);
  }
  const half = await refusalOf(DRAWS, { init: { export: 'both', allow: ['clock'] } });
  assert.equal(half.fields['sources'], 'randomness');
  const allowed = initialise(await define(DRAWS, { init: { export: 'both', allow: ['clock', 'random'] } }));
  assert.deepEqual([...allowed.reads].sort(), ['clock', 'random']);
  assert.deepEqual(initialise(await define(DRAWS)).reads, []);
});

test('initialise() refuses a committed guest that draws randomness, unless it is allowed', async () => {
  assert.equal((await refusalOf(defineGuest('guests/init-random'))).key, 'INIT_NONDETERMINISTIC');
  const manifest = { init: { export: 'nebula_init', allow: ['random'] as const } };
  const allowed = new Deployed(await defineGuest('guests/init-random', manifest));
  assert.deepEqual(allowed.deployment.reads, ['random']);
});

test('instrument() exposes the memory WASI works on when there are several', async () => {
  const bytes = await assemble(
    '(module (memory 1) (memory (export "memory") 1) (func (export "_start") (drop (memory.grow 1 (i32.const 1)))))',
  );
  const layout = readLayout(bytes);
  const rewritten = readLayout(
    instrument(layout, scanCode(layout), { memoryPages: 7, tableElements: 7, isShared: false, isSized: true }),
  );
  assert.equal(rewritten.exports.find(({ name }) => name === 'nebula:memory')?.index, 1);
  assert.deepEqual(
    rewritten.memories.map(({ maximum }) => maximum),
    [6, 6],
  );
});

/** (type $t (func)) (table 1 (ref null $t)) (func $f (export "handle") (table.set 0 (i32.const 0) (ref.func $f))) */
const TYPED_TABLE = Buffer.from(
  '0061736d01000000' +
    '010401600000' +
    '03020100' +
    '0405016300' +
    '0001' +
    '070a010668616e646c650000' +
    '0a0a01080041' +
    '00d200' +
    '26000b',
  'hex',
);

function reasonOf(bytes: Uint8Array): string {
  const layout = readLayout(bytes);
  const { restorable, restorableReason } = inspectModule(layout, scanCode(layout), resolveLimits());
  assert.equal(restorable, false);
  return restorableReason;
}

test('inspectModule() tells what cannot be put back: several memories, a changed table of typed references', async () => {
  assert.equal(reasonOf(TYPED_TABLE), 'it changes a table of typed references');
  assert.equal(
    reasonOf(await assemble('(module (memory 1) (memory 1) (func (export "_start")))')),
    'it has more than one memory',
  );
});

/** A definition as of a module whose state cannot all be put back: V8 of Node 20 compiles none of those. */
async function notRestorable(module: string): Promise<FunctionDefinition> {
  const definition = await define(module);
  const info = { ...definition.prepared.info, restorable: false, restorableReason: 'it has more than one memory' };
  return { ...definition, prepared: { ...definition.prepared, info } };
}

test('initialise() keeps nothing of an initialisation that it cannot read back', async () => {
  const refusal = await refusalOf(
    notRestorable('(module (memory 1) (func (export "_initialize")) (func (export "handle")))'),
  );
  assert.equal(refusal.key, 'SNAPSHOT_UNSUPPORTED');
  assert.match(refusal.message, /it has more than one memory/);
});

test('deployHere() makes a module anew for each call when its state cannot all be put back', async () => {
  const deployed = new Deployed(await notRestorable('(module (memory 1) (func (export "_start")))'));
  assert.equal(deployed.strategy, 'fresh');
  assert.match(deployed.deployment.calibration.reason, /only fresh is exact: it has more than one memory/);
  assert.deepEqual(deployed.run(), { kind: 'ok' });
  assert.equal(deployed.settle(), false);
});
