/** A memory that grew, put back: what its guest sees of it afterwards is what a new one shows. */

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import * as fc from 'fast-check';
import { canClosePages } from '../../../host/linux/closed-pages.ts';
import { addressOf } from '../../../host/linux/memory.ts';
import { InstanceState } from '../../../host/snapshot/state.ts';
import { ERRNO } from '../../../host/wasi/errno.ts';
import { define, Deployed } from '../function.ts';
import { repetitions } from '../../repetitions.ts';

const PAGE = 65_536;
const OUT_OF_BOUNDS = { name: 'RuntimeError', message: 'memory access out of bounds' };
const options = { skip: canClosePages() ? false : 'pages cannot be closed here' };

const LOADS = [
  'i32.load',
  'i64.load',
  'f32.load',
  'f64.load',
  'i32.load8_s',
  'i32.load8_u',
  'i32.load16_s',
  'i32.load16_u',
  'i64.load8_s',
  'i64.load8_u',
  'i64.load16_s',
  'i64.load16_u',
  'i64.load32_s',
  'i64.load32_u',
  'v128.load',
  'v128.load8x8_s',
  'v128.load8x8_u',
  'v128.load16x4_s',
  'v128.load16x4_u',
  'v128.load32x2_s',
  'v128.load32x2_u',
  'v128.load8_splat',
  'v128.load16_splat',
  'v128.load32_splat',
  'v128.load64_splat',
  'v128.load32_zero',
  'v128.load64_zero',
];
const STORES = [
  'i32.store',
  'i64.store',
  'f32.store',
  'f64.store',
  'i32.store8',
  'i32.store16',
  'i64.store8',
  'i64.store16',
  'i64.store32',
  'v128.store',
];
const OFFSETS = ['', 'offset=100 ', 'offset=65536 ', 'offset=2147483648 ', 'offset=4294967295 '];
const VECTOR = '(v128.const i64x2 0 0)';

/** A function for each instruction that reads or writes memory, with each offset. */
function accesses(): string[] {
  return OFFSETS.flatMap((offset) => [
    ...LOADS.map((load) => `(func (export "${load} ${offset}") (param i32) (drop (${load} ${offset}(local.get 0))))`),
    ...STORES.map((store) => {
      const value = store.startsWith('v128') ? VECTOR : `(${store.slice(0, 3)}.const 1)`;
      return `(func (export "${store} ${offset}") (param i32) (${store} ${offset}(local.get 0) ${value}))`;
    }),
    ...['8', '16', '32', '64'].flatMap((lane) => [
      `(func (export "load${lane} ${offset}") (param i32) (drop (v128.load${lane}_lane ${offset}0 (local.get 0) ${VECTOR})))`,
      `(func (export "store${lane} ${offset}") (param i32) (v128.store${lane}_lane ${offset}0 (local.get 0) ${VECTOR}))`,
    ]),
  ]);
}

test('SizedMemory has each load and store trap behind its size, in both tiers of V8', options, async () => {
  const functions = accesses();
  const guest = new Deployed(
    await define(`(module (memory (export "memory") 1 5) ${functions.join('\n')}
      (func (export "_start") (drop (memory.grow (i32.const 3))) (i32.store (i32.const 200000) (i32.const 7))))`),
  );
  assert.equal(guest.run().kind, 'ok');
  assert.equal(guest.vm.restore(), true);
  const names = functions.map((text) => /export "([^"]+)"/.exec(text)?.[1] as string);
  // The optimising tier compiles a function that has trapped or run so often.
  for (const rounds of [1, 2000]) {
    for (const name of names) {
      const access = guest.vm.state.function(name);
      for (let round = 0; round < rounds; round++) {
        const at = [PAGE, PAGE - 1 + Number(/8/.test(name)), 2 * PAGE + 17, 4 * PAGE - 1][round % 4] as number;
        if (rounds === 1 || round % 100 < 4) assert.throws(() => access(at), OUT_OF_BOUNDS, `${name} at ${at}`);
        else if (!/offset=(65536|2147483648|4294967295)/.test(name)) access(round % 1000);
      }
    }
  }
});

test('SizedMemory has bulk instructions keep to its size, to the byte', options, async () => {
  const guest = new Deployed(
    await define(`(module (memory (export "memory") 1 5) (data $d "0123456789")
      (func (export "fill") (param i32 i32 i32) (memory.fill (local.get 0) (local.get 1) (local.get 2)))
      (func (export "copy") (param i32 i32 i32) (memory.copy (local.get 0) (local.get 1) (local.get 2)))
      (func (export "init") (param i32 i32 i32) (memory.init $d (local.get 0) (local.get 1) (local.get 2)))
      (func (export "_start") (drop (memory.grow (i32.const 3)))))`),
  );
  const call = (name: string, ...values: number[]): unknown => guest.vm.state.function(name)(...values);
  for (let round = 0; round < 2; round++) {
    for (const [name, ...values] of [
      ['fill', PAGE - 9, 1, 10],
      ['fill', PAGE + 1, 1, 0],
      ['fill', 4 * PAGE - 1, 1, 1],
      ['fill', -1, 1, 2],
      ['copy', PAGE - 9, 0, 10],
      ['copy', 0, PAGE - 9, 10],
      ['copy', 0, -1, 1],
      ['copy', 1, 0, -1],
      ['init', PAGE - 9, 0, 10],
      ['init', 0, 1, 10],
      ['init', PAGE + 1, 0, 0],
    ] as const) {
      assert.throws(() => call(name, ...values), OUT_OF_BOUNDS, `${name} ${values.join(' ')}`);
    }
    call('fill', PAGE - 10, 1, 10);
    call('fill', PAGE, 1, 0);
    call('copy', PAGE - 10, 0, 10);
    call('copy', 0, PAGE, 0);
    call('init', PAGE - 10, 0, 10);
    assert.equal(Buffer.from(guest.vm.state.bytes.subarray(PAGE - 10)).toString(), '0123456789');
    assert.equal(guest.run().kind, 'ok');
    call('fill', 4 * PAGE - 10, 1, 10);
    assert.equal(guest.vm.restore(), true);
  }
});

test('SizedMemory has the host take a pointer behind its size for a fault', options, async () => {
  const guest = new Deployed(
    await define(`(module (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
      (memory (export "memory") 1 5)
      (func (export "handle") (param i32 i32) (result i32) (call $random (local.get 0) (local.get 1)))
      (func (export "_start") (drop (memory.grow (i32.const 3))) (drop (call $random (i32.const 100000) (i32.const 100)))))`),
  );
  const random = (pointer: number, length: number): unknown => guest.vm.state.function('handle')(pointer, length);
  for (let round = 0; round < 3; round++) {
    assert.equal(random(PAGE - 8, 8), ERRNO.success);
    for (const [pointer, length] of [
      [PAGE - 7, 8],
      [PAGE, 1],
      [2 * PAGE, 8],
      [4 * PAGE - 1, 1],
    ] as const)
      assert.equal(random(pointer, length), ERRNO.fault);
    assert.equal(guest.run().kind, 'ok');
    assert.equal(random(2 * PAGE, 8), ERRNO.success);
    assert.equal(guest.vm.restore(), true);
  }
});

const GUEST = `(module (memory (export "memory") 2 12) (data $d "data of a segment")
  (func (export "grow") (param i32 i32) (result i32) (memory.grow (local.get 0)))
  (func (export "size") (param i32 i32) (result i32) (memory.size))
  (func (export "load") (param i32 i32) (result i32) (i32.load8_u (local.get 0)))
  (func (export "store") (param i32 i32) (result i32) (i32.store (local.get 0) (local.get 1)) (local.get 1))
  (func (export "fill") (param i32 i32) (result i32) (memory.fill (local.get 0) (i32.const 3) (local.get 1)) (i32.const 0))
  (func (export "copy") (param i32 i32) (result i32) (memory.copy (local.get 0) (local.get 1) (i32.const 70000)) (i32.const 0))
  (func (export "init") (param i32 i32) (result i32)
    (memory.init $d (local.get 0) (i32.const 0) (i32.and (local.get 1) (i32.const 15))) (i32.const 0))
  (func (export "_start")))`;

const address = fc.oneof(
  fc.nat(13 * PAGE),
  fc.nat(13).map((page) => page * PAGE),
  fc.nat(13).map((page) => page * PAGE - 1),
  fc.integer(),
);
const step = fc.record({
  name: fc.constantFrom('grow', 'grow', 'size', 'load', 'load', 'store', 'store', 'fill', 'copy', 'init'),
  first: address,
  second: address,
  pages: fc.oneof(
    { weight: 8, arbitrary: fc.nat(4) },
    { weight: 1, arbitrary: fc.constantFrom(11, 65_535, -1, 2 ** 31 - 1) },
  ),
});

test('SizedMemory shows a guest what a new memory would, whatever calls before it did', options, async () => {
  const definition = await define(GUEST, { limits: { memoryBytes: 9 * PAGE } });
  let [putBack, grown] = [0, 0];
  fc.assert(
    fc.property(fc.array(fc.array(step, { maxLength: 12 }), { minLength: 2, maxLength: 6 }), (calls) => {
      const guest = new Deployed(definition);
      for (const steps of calls) {
        const fresh = new InstanceState(
          definition.prepared.compiled,
          new WebAssembly.Instance(definition.prepared.compiled),
        );
        assert.equal(guest.run().kind, 'ok');
        for (const { name, first, second, pages } of steps) {
          const values = name === 'grow' ? [pages, 0] : [first, second];
          const answer = (state: InstanceState): unknown => {
            try {
              return state.function(name)(...values);
            } catch (error) {
              return (error as Error).message;
            }
          };
          assert.equal(answer(guest.vm.state), answer(fresh), `${name} ${values.join(' ')}`);
        }
        assert.ok(Buffer.from(guest.vm.state.bytes).equals(fresh.bytes));
        if (fresh.bytes.length > 2 * PAGE) grown++;
        assert.equal(guest.vm.restore(), true);
        assert.equal(guest.vm.state.bytes.length, 2 * PAGE);
        putBack++;
      }
      guest.vm.close();
    }),
    { numRuns: repetitions(60) },
  );
  assert.ok(grown > putBack / 4, `${grown} of ${putBack} grew`);
});

/** What of a memory is resident: the process as a whole has garbage come and go meanwhile. */
function residentBytes(memory: WebAssembly.Memory): number {
  const from = addressOf(memory.buffer);
  let [isWithin, bytes] = [false, 0];
  for (const line of readFileSync('/proc/self/smaps', 'latin1').split('\n')) {
    const mapping = /^([0-9a-f]+)-[0-9a-f]+ /.exec(line);
    if (mapping !== null) {
      const start = Number.parseInt(mapping[1] as string, 16);
      isWithin = start >= from && start < from + memory.buffer.byteLength;
    } else if (isWithin && line.startsWith('Rss:')) bytes += Number.parseInt(line.slice(4)) * 1024;
  }
  return bytes;
}

test('SizedMemory keeps none of the pages that calls grew by', options, async () => {
  const guest = new Deployed(
    await define(
      `(module (memory (export "memory") 1)
        (func (export "_start") (drop (memory.grow (i32.const 64))) (memory.fill (i32.const 65536) (i32.const 7) (i32.const 4194304))))`,
      { limits: { timeoutMs: 60_000 } },
    ),
  );
  for (let run = 0; run < 5; run++) {
    assert.equal(guest.run().kind, 'ok');
    const memory = guest.vm.state.memories[0] as WebAssembly.Memory;
    const ranBytes = residentBytes(memory);
    assert.ok(ranBytes >= 64 * PAGE, `run ${run} took ${ranBytes} bytes`);
    assert.equal(guest.vm.restore(), true);
    const leftBytes = residentBytes(memory);
    assert.ok(leftBytes <= PAGE, `run ${run}: ${leftBytes} bytes are left`);
  }
  assert.equal(guest.vm.state.memories[0]?.buffer.byteLength, 65 * PAGE);
});

/** Later ones end the process when it is as short of memory as that takes. */
const copying = {
  skip:
    options.skip !== false ? options.skip : Number.parseInt(process.versions.node) > 20 && 'this V8 copies no memory',
};

interface Moving {
  readonly hasMoved: boolean;
  readonly isRestored: boolean;
  readonly told: readonly string[];
}

/** Runs the program once; undefined where V8 itself had no memory left. */
async function moveMemory(pages: string): Promise<Moving | undefined> {
  const program = join(import.meta.dirname, 'moving-memory.js');
  try {
    return JSON.parse((await promisify(execFile)(process.execPath, [program, pages])).stdout) as Moving;
  } catch (error) {
    if (/out of memory/.test((error as { stderr?: string }).stderr ?? '')) return undefined;
    throw error;
  }
}

/** Whether V8 is short of memory at that moment depends on what its other threads hold. */
const MOST_TRIES = 20;

for (const pages of ['open', 'closed']) {
  const what = `SizedMemory whose pages are ${pages} when V8 copies it elsewhere is not put back, and no call finds what another left`;
  test(what, copying, async () => {
    let hasMoved = false;
    // Where pages are closed it may not come to that: opening them is refused.
    for (let tries = pages === 'open' ? MOST_TRIES : 1; tries > 0 && !hasMoved; tries--) {
      const moving = await moveMemory(pages);
      if (moving === undefined) continue;
      hasMoved = moving.hasMoved;
      if (hasMoved) assert.equal(moving.isRestored, false);
      assert.deepEqual(
        moving.told.filter((each) => !/^(ok 00000000|trap |limit )$/.test(each)),
        [],
        moving.told.join(', '),
      );
    }
    if (pages === 'open') assert.ok(hasMoved, `in none of ${MOST_TRIES} runs did V8 copy the memory`);
  });
}
