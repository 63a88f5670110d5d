/** What the host does for a guest that counts units is charged by what it is given, and ends when the guest is to end. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isNebulaError } from '../../../../host/errors.ts';
import { initialise } from '../../../../host/micro-vm/initialise.ts';
import { monotonicNs } from '../../../../host/monotonic.ts';
import type { Ending, Usage } from '../../../../host/outcome.ts';
import { RUN } from '../../../../host/wasi/session/stop-cell.ts';
import { callTerms } from '../../../../host/wasi/session/terms.ts';
import { callOf, define, deploy, type Given } from '../../function.ts';

const MEMORY_PAGES = 512;
const WASI = '"wasi_snapshot_preview1"';

const guest = (body: string, more = ''): string => `(module
  (import ${WASI} "random_get" (func $random (param i32 i32) (result i32)))
  (import ${WASI} "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import ${WASI} "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (import ${WASI} "fd_pread" (func $pread (param i32 i32 i32 i64 i32) (result i32)))
  (import ${WASI} "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
  (import ${WASI} "path_create_directory" (func $mkdir (param i32 i32 i32) (result i32)))
  (memory (export "memory") ${MEMORY_PAGES}) ${more}
  (func (export "handle") ${body}))`;

interface Ran {
  readonly ending: Ending;
  readonly usage: Usage;
}

async function run(body: string, given: Given = {}, said: number = RUN.underWay): Promise<Ran> {
  const deployed = await deploy(guest(body), { wish: 'always', ...given });
  const cells = new Int32Array(new SharedArrayBuffer(8));
  cells[0] = said;
  const stop = { cells, index: 0, signal: new Int32Array(cells.buffer, 4, 1) };
  const now = monotonicNs();
  const terms = callTerms({ askedMs: 0, limitMs: given.limits?.timeoutMs ?? 0 }, now, now, stop);
  const ending = deployed.vm.run({ ...callOf(), terms }, 0);
  const usage = deployed.vm.usage();
  deployed.vm.close();
  return { ending, usage };
}

const unitsOf = async (body: string, given?: Given): Promise<number> => {
  const { ending, usage } = await run(body, given);
  assert.equal(ending.kind, 'ok');
  return usage.units as number;
};

/** So many small calls, in no loop. */
const calls = (count: number): string => '(drop (call $random (i32.const 0) (i32.const 1)))'.repeat(count);

/** Calls that take long by what they are given: with a length, and how many units that is at least. */
const LENGTHY = {
  'random_get of 16 MiB': ['(drop (call $random (i32.const 0) (i32.const 16777216)))', 2_000_000],
  'fd_write of a million iovecs': [
    '(drop (call $write (i32.const 1) (i32.const 64) (i32.const 1000000) (i32.const 0)))',
    4_000_000,
  ],
  'fd_read of a million iovecs': [
    '(drop (call $read (i32.const 0) (i32.const 64) (i32.const 1000000) (i32.const 0)))',
    4_000_000,
  ],
  'poll_oneoff of 100,000 subscriptions': [
    '(drop (call $poll (i32.const 64) (i32.const 8000000) (i32.const 100000) (i32.const 0)))',
    3_000_000,
  ],
} as const;

for (const [what, [body, leastUnits]] of Object.entries(LENGTHY)) {
  test(`a host call costs units by what it is given, the same every time: ${what}`, async () => {
    const units = await unitsOf(body);
    assert.ok(units >= leastUnits, String(units));
    assert.equal(await unitsOf(body), units);
    const limits = { units: leastUnits / 2 };
    const { ending } = await run(body, { limits });
    assert.deepEqual(ending, { kind: 'limit', limit: 'units', allowed: limits.units });
  });

  test(`a guest that is to be stopped ends in the host call: ${what}`, async () => {
    const { ending, usage } = await run(body, {}, RUN.aborted);
    assert.deepEqual(ending, { kind: 'aborted' });
    assert.equal(usage.hostCalls, 1);
  });
}

test('a small host call costs what any call of the host does', async () => {
  const nothing = await unitsOf('(drop (call $random (i32.const 0) (i32.const 0)))');
  assert.equal(await unitsOf('(drop (call $random (i32.const 0) (i32.const 256)))'), nothing);
  const write = (iovecs: number): Promise<number> =>
    unitsOf(`(drop (call $write (i32.const 1) (i32.const 64) (i32.const ${iovecs}) (i32.const 0)))`);
  assert.equal(await write(9), await write(0));
});

test('a guest that is to be stopped ends within sixteen calls of the host, and within one of a file', async () => {
  const { ending, usage } = await run(calls(40), {}, RUN.aborted);
  assert.deepEqual(ending, { kind: 'aborted' });
  assert.equal(usage.hostCalls, 16);
  const file = await run('(drop (call $mkdir (i32.const 3) (i32.const 0) (i32.const 1)))', {}, RUN.aborted);
  assert.deepEqual([file.ending.kind, file.usage.hostCalls], ['aborted', 1]);
});

test('asking whether a guest may go on costs it no units', async () => {
  const one = (await unitsOf(calls(2))) - (await unitsOf(calls(1)));
  assert.equal((await unitsOf(calls(100))) - (await unitsOf(calls(1))), one * 99);
});

test('a guest that catches what ends it in the host gets no further than its next check', async () => {
  const call = '(drop (call $random (i32.const 0) (i32.const 1048576)))';
  const { ending, usage } = await run(`(loop $l (try (do ${call}) (catch_all)) (br $l))`, {}, RUN.aborted);
  assert.deepEqual(ending, { kind: 'aborted' });
  assert.ok(usage.hostCalls < 5000, String(usage.hostCalls));
});

test('a guest that draws without end is ended at its deadline', async () => {
  const body = '(loop $l (drop (call $random (i32.const 0) (i32.const 33554432))) (br $l))';
  for (const random of [{ kind: 'secure' }, { kind: 'seeded', seed: 1 }] as const) {
    const { ending } = await run(body, { capabilities: { random }, limits: { timeoutMs: 50 } });
    assert.deepEqual(ending, { kind: 'timeout', timeoutMs: 50 });
  }
});

test('a seeded guest that counts draws what it draws otherwise', async () => {
  const body = `(drop (call $random (i32.const 100) (i32.const 200003)))
    (i32.store (i32.const 0) (i32.const 100)) (i32.store (i32.const 4) (i32.const 200003))
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))`;
  const texts = ['always', 'never'].map(async (wish) => {
    const random = { kind: 'seeded', seed: 7 } as const;
    const deployed = await deploy(guest(body), { wish: wish as 'always' | 'never', capabilities: { random } });
    assert.equal(deployed.run().kind, 'ok');
    return deployed.text;
  });
  assert.equal(await texts[0], await texts[1]);
});

test('an initialisation that draws without end is refused', async () => {
  const draws = '(func $s (loop $l (drop (call $random (i32.const 0) (i32.const 33554432))) (br $l))) (start $s)';
  const given = { wish: 'always', limits: { timeoutMs: 100 }, init: { allow: ['random'] } } as const;
  const definition = await define(guest('', draws), given);
  assert.throws(
    () => initialise(definition),
    (error) => isNebulaError(error) && error.key === 'INIT_FAILED' && /100 ms/.test(error.message),
  );
});
