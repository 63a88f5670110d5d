import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { runWithin } from '../../host/deadline.ts';
import { countFds, skip } from './filesystem/machine-fixture.ts';
import { deploy } from './function.ts';

const LOOPS: readonly (readonly [what: string, module: string])[] = [
  ['an empty loop', '(module (func (export "_start") (loop (br 0))))'],
  ['a loop of calls', '(module (func $f) (func (export "_start") (loop (call $f) (br 0))))'],
  ['endless tail calls', '(module (func $f (export "_start") (return_call $f)))'],
  [
    'a loop of host calls',
    '(module (import "wasi_snapshot_preview1" "sched_yield" (func $y (result i32))) (func (export "_start") (loop (drop (call $y)) (br 0))))',
  ],
  [
    'a loop of large memory.fill, which V8 alone would let go on for seconds',
    '(module (memory 100) (func (export "_start") (loop (memory.fill (i32.const 0) (i32.const 1) (i32.const 6553600)) (br 0))))',
  ],
  [
    'a loop of large memory.copy',
    '(module (memory 100) (func (export "_start") (loop (memory.copy (i32.const 1) (i32.const 0) (i32.const 6553599)) (br 0))))',
  ],
  [
    'a loop of large table.fill',
    '(module (table 900000 funcref) (func (export "_start") (loop (table.fill 0 (i32.const 0) (ref.null func) (i32.const 900000)) (br 0))))',
  ],
  [
    'a guest that catches everything',
    '(module (func (export "_start") (loop try (loop (br 0)) catch_all end (br 0))))',
  ],
  [
    'a wait for a clock',
    `(module (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
      (memory (export "memory") 1) (func (export "_start") (i32.store (i32.const 16) (i32.const 1))
      (i64.store (i32.const 24) (i64.const 60000000000))
      (drop (call $poll (i32.const 0) (i32.const 64) (i32.const 1) (i32.const 128)))))`,
  ],
];

for (const [what, module] of LOOPS) {
  test(`MicroVm.run() stops ${what} at its deadline`, async () => {
    const guest = await deploy(module);
    const startMs = performance.now();
    assert.deepEqual(guest.run('', 50), { kind: 'timeout', timeoutMs: 50 });
    const tookMs = performance.now() - startMs;
    assert.ok(tookMs >= 49 && tookMs < 30_000, `${tookMs} ms`);
    assert.equal(guest.settle(), false);
  });
}

/** Bulk instructions, each of which takes long enough that a thousand of them would outlast their deadline many times. */
const BULKS: readonly (readonly [instruction: string, code: string])[] = [
  ['memory.fill', '(memory.fill (i32.const 65536) (i32.const 1) (i32.const 67108864))'],
  ['memory.copy', '(memory.copy (i32.const 65536) (i32.const 65537) (i32.const 67108864))'],
  ['memory.init', '(memory.init $d (i32.const 65536) (i32.const 0) (i32.const 4000000))'],
  ['table.fill', '(table.fill $t (i32.const 0) (ref.func $f) (i32.const 400000))'],
  ['table.copy', '(table.copy $t $t (i32.const 0) (i32.const 1) (i32.const 399999))'],
  ['table.init', '(table.init $t $e (i32.const 0) (i32.const 0) (i32.const 20000))'],
];
const IN_A_ROW = 2000;

for (const [instruction, code] of BULKS) {
  test(`MicroVm.run() stops ${IN_A_ROW} times ${instruction} in a row, without a loop or a call, at its deadline`, async () => {
    const progress = '(i32.store (i32.const 0) (i32.add (i32.load (i32.const 0)) (i32.const 1)))';
    const guest = await deploy(
      `(module (memory (export "memory") 1026) (table $t 400000 funcref) (func $f) (elem declare func $f)
        (data $d "${'x'.repeat(instruction === 'memory.init' ? 4_000_000 : 1)}")
        (elem $e func ${'$f '.repeat(instruction === 'table.init' ? 20_000 : 1)})
        (func (export "_start") ${`${code}${progress}`.repeat(IN_A_ROW)}))`,
    );
    assert.deepEqual(guest.run('', 50), { kind: 'timeout', timeoutMs: 50 });
    const done = new DataView((guest.vm.state.memory as WebAssembly.Memory).buffer).getInt32(0, true);
    assert.ok(done < IN_A_ROW / 2, `${done} of ${IN_A_ROW}`);
    guest.vm.close();
  });
}

const endedThen = (
  after: string,
): string => `(module (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (func (export "_start") try (call $exit (i32.const 3)) catch_all end ${after}))`;

test('MicroVm.run() stops a guest that goes on after it was ended, at its next host call or at its deadline', async () => {
  assert.deepEqual((await deploy(endedThen('(call $exit (i32.const 0)) unreachable'))).run(), {
    kind: 'exit',
    exitCode: 3,
  });
  assert.deepEqual((await deploy(endedThen('(loop (br 0))'))).run('', 50), { kind: 'timeout', timeoutMs: 50 });
});

test('runWithin() passes on what is thrown and what is returned in time', () => {
  let ran = 0;
  assert.equal(
    runWithin(1000, () => void ran++),
    true,
  );
  assert.equal(ran, 1);
  const error = new Error('of the guest');
  assert.throws(
    () =>
      runWithin(1000, () => {
        throw error;
      }),
    (thrown) => thrown === error,
  );
  assert.equal(
    runWithin(1000, () => void ran++),
    true,
  );
});

test('runWithin() may be called inside of itself', () => {
  const order: string[] = [];
  const inTime = runWithin(1000, () => {
    order.push('outer');
    assert.equal(
      runWithin(500, () => void order.push('inner')),
      true,
    );
    order.push('after');
  });
  assert.equal(inTime, true);
  assert.deepEqual(order, ['outer', 'inner', 'after']);
});

test('MicroVm.close() closes what a guest had open when its deadline came in the middle of a call', {
  skip,
}, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'nebula-deadline-'));
  writeFileSync(join(folder, 'f'), 'x');
  const mounts = [{ guest: '/data', machine: folder, access: 'read-only' as const }];
  const deployed = await deploy(
    `(module
      (import "wasi_snapshot_preview1" "path_open" (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
      (import "wasi_snapshot_preview1" "path_filestat_get" (func $stat (param i32 i32 i32 i32 i32) (result i32)))
      (import "wasi_snapshot_preview1" "fd_close" (func $close (param i32) (result i32)))
      (memory (export "memory") 1) (data (i32.const 0) "f")
      (func (export "_start") (loop
        (drop (call $open (i32.const 3) (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 0) (i64.const 2) (i64.const 0) (i32.const 0) (i32.const 16)))
        (drop (call $stat (i32.const 3) (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 64)))
        (drop (call $close (i32.load (i32.const 16))))
        (br 0))))`,
    { capabilities: { mounts } },
  );
  for (let round = 0; round < 60; round++) {
    assert.equal(deployed.run('', 5).kind, 'timeout');
    assert.equal(deployed.settle(), false);
    // The micro-VM that is there now has the mount itself open.
    assert.equal(countFds(folder), 1, `round ${round}`);
  }
  deployed.vm.close();
  assert.equal(countFds(folder), 0);
  rmSync(folder, { recursive: true });
});
