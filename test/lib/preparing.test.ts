import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from '@bytecodealliance/jco-transpile/wasm-tools';
import { createNebula } from '../../lib/index.ts';
import { preparersOf } from '../host/preparation/processes.ts';
import { bodyOf, moduleOf } from '../host/module/binary-module.ts';
import { builtFunction } from './cli/command.ts';
import { tinyModule } from './tiny-module.ts';

/** A component of some 300 bytes that takes the transpiler a minute: a tuple of tuples, 2^depth values in all. */
async function nestedTuples(depth: number): Promise<Uint8Array> {
  const types = Array.from({ length: depth }, (_, at) => `(type $t${at + 1} (tuple $t${at} $t${at}))`).join('');
  return parse(`(component
    (core module $m (memory (export "memory") 1) (func (export "g") (param i32) (result i32) (i32.const 0))
      (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 0)))
    (core instance $i (instantiate $m)) (type $t0 (tuple u8 u8)) ${types}
    (func (export "f") (param "a" $t${depth}) (result $t${depth})
      (canon lift (core func $i "g") (memory (core memory $i "memory")) (realloc (core func $i "cabi_realloc")))))`);
}

test('deploy() of what takes long ends at deployMs, and calls of other functions are answered all the while', async () => {
  await using nebula = await createNebula({ threads: 1 });
  await nebula.deploy(tinyModule(), { name: 'neighbour' });
  const bomb = await nestedTuples(16);
  const over = new AbortController();
  // Time is to end it, and not memory.
  const limits = { deployMs: 1500, deployMemoryBytes: 8 * 2 ** 30 };
  const refusal = assert
    .rejects(nebula.deploy(bomb, { name: 'bomb', limits }), { code: 'ERR_NEBULA_DEPLOY_TIMEOUT' })
    .finally(() => over.abort());
  let answers = 0;
  for (; !over.signal.aborted; answers++) await nebula.invoke('neighbour');
  await refusal;
  // There is room for thousands; a thread that is held answers one.
  assert.ok(answers > 20, `${answers} answers beside the deploy`);
  assert.deepEqual(
    nebula.list().map(({ name }) => name),
    ['neighbour'],
  );
});

test('deploy() does not hold the event loop while a large module is scanned and rewritten', async () => {
  await using nebula = await createNebula({ threads: 1 });
  await nebula.deploy(tinyModule(), { name: 'first' });
  // Each memory.fill is a place to rewrite.
  const fills = bodyOf(0, [0x41, 0, 0x41, 0, 0x41, 0, 0xfc, 11, 0], 100_000);
  const bytes = moduleOf({ bodies: Array.from({ length: 5 }, () => fills) });
  let longestMs = 0;
  let lastMs = performance.now();
  const timer = setInterval(() => {
    const nowMs = performance.now();
    longestMs = Math.max(longestMs, nowMs - lastMs);
    lastMs = nowMs;
  }, 5);
  const startedMs = performance.now();
  await nebula.deploy(bytes, { name: 'large' });
  const tookMs = performance.now() - startedMs;
  clearInterval(timer);
  assert.ok(longestMs < tookMs / 2, `the event loop stood still for ${longestMs} ms of ${tookMs}`);
});

test('deploy() of what is too complex is refused with what, limit and got, and leaves nothing running', async () => {
  await using nebula = await createNebula({ threads: 1 });
  const branches = bodyOf(10_000, [0x02, 0x40, 0x41, 0, 0x0d, 0, 0x0b], 1000);
  await assert.rejects(nebula.deploy(moduleOf({ bodies: [branches] }), { name: 'bomb' }), {
    code: 'ERR_NEBULA_MODULE_COMPLEX',
    message: /^Cannot accept the module: function 0 has more values to merge .*: \d+, the limit is 16000000$/,
  });
  assert.ok(preparersOf(process.pid).length <= 1);
});

/** Descriptors that are open once a Nebula was used and closed. */
async function descriptorsAfterUse(): Promise<number> {
  const nebula = await createNebula({ threads: 1 });
  await nebula.deploy(tinyModule(), { name: 'tiny' });
  assert.ok(preparersOf(process.pid).length > 0, 'a preparing process waits for the next deploy');
  await nebula.close();
  assert.deepEqual(preparersOf(process.pid), []);
  return readdirSync('/proc/self/fd').length;
}

test('close() leaves no process and no descriptor behind', async () => {
  // What belongs to the process, such as the C library, is opened the first time.
  const first = await descriptorsAfterUse();
  assert.equal(await descriptorsAfterUse(), first);
});

test('deploy() has taken what it was given once it returns, also from a Buffer', async () => {
  await using nebula = await createNebula({ threads: 1 });
  for (const bytes of [tinyModule(), Buffer.from(tinyModule())]) {
    const deployed = nebula.deploy(bytes, { name: 'tiny' });
    bytes.fill(0);
    await deployed;
    assert.equal((await nebula.invoke('tiny')).kind, 'ok');
  }
});

test('deploy() from a path needs no working directory', async () => {
  const folder = builtFunction('fibonacci');
  const home = process.cwd();
  const gone = mkdtempSync(join(tmpdir(), 'nebula-gone-'));
  // Node starts no thread without one.
  await using nebula = await createNebula({ executor: 'in-thread' });
  try {
    process.chdir(gone);
    rmdirSync(gone);
    await nebula.deploy(folder);
    await nebula.deploy(join(folder, 'fibonacci.wasm'), { name: 'again' });
  } finally {
    process.chdir(home);
  }
  assert.equal((await nebula.invoke('again', '1')).kind, 'ok');
});
