/** The part of the suite about what a guest may use: its limits and its mounts. */

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import type { DeployOptions } from '../lib/schema/manifest.ts';
import { bytesOf, MIB, textOf, type Bench, type SuiteAnswer } from './suite-bench.ts';
import { assemble } from './wat.ts';

/** Grows its table until it is refused, then exits with the table's size as its code. */
const TABLE_GROWER = `(module
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (table 1 funcref)
  (memory (export "memory") 1)
  (func (export "_start")
    (loop (br_if 0 (i32.ne (table.grow 0 (ref.null func) (i32.const 1)) (i32.const -1))))
    (call $exit (table.size 0))))`;

function reader(openFiles: number): DeployOptions {
  const mounts = [{ guest: '/data', files: { a: 'text' }, access: 'read-only' }] as const;
  return { limits: { openFiles }, capabilities: { mounts } };
}

function inMemory(access: 'read-only' | 'read-write'): DeployOptions {
  return { capabilities: { mounts: [{ guest: '/data', files: { 'sub/a': 'text' }, access }] } };
}

export function describeLimits(bench: Bench): void {
  const reaches = async (from: string, limits: NonNullable<DeployOptions['limits']>): Promise<SuiteAnswer> =>
    (await bench.deploy(from, { limits }))();

  it('stops at timeoutMs, the limit and the shorter one of a call', async () => {
    const invoke = await bench.deploy('guests/forever', { limits: { timeoutMs: 80 } });
    const first = await invoke();
    assert.deepEqual([first.kind, first.timeoutMs], ['timeout', 80]);
    const shorter = await invoke({ timeoutMs: 30 });
    assert.deepEqual([shorter.kind, shorter.timeoutMs], ['timeout', 30]);
    const longer = await invoke({ timeoutMs: 60_000 });
    assert.deepEqual([longer.kind, longer.timeoutMs], ['timeout', 80]);
  });

  it('stops at memoryBytes', async () => {
    const { kind, limit, allowed } = await reaches('guests/grow-forever', { memoryBytes: 16 * MIB });
    assert.deepEqual([kind, limit, allowed], ['limit', 'memoryBytes', 16 * MIB]);
  });

  it('stops at outputBytes and at stderrBytes', async () => {
    const { kind, limit, allowed, stdout } = await reaches('guests/write-forever', { outputBytes: 100_000 });
    assert.deepEqual([kind, limit, allowed], ['limit', 'outputBytes', 100_000]);
    assert.ok((stdout?.length ?? 0) <= 100_000);
    const second = await reaches('guests/trap-unreachable', { stderrBytes: 6 });
    assert.deepEqual([second.kind, second.limit, second.allowed], ['limit', 'stderrBytes', 6]);
    if (second.stderr !== undefined) assert.equal(textOf(second.stderr), 'before');
  });

  it('lets no table grow beyond tableElements', async () => {
    const path = join(bench.directory, 'table-grower.wasm');
    writeFileSync(path, await assemble(TABLE_GROWER));
    const { kind, exitCode } = await reaches(path, { tableElements: 40 });
    assert.deepEqual([kind, exitCode], ['exit', 40]);
  });

  it('opens no more than openFiles', async () => {
    const input = bytesOf('/data/a');
    const enough = await (await bench.deploy('guests/read-file', reader(5)))({ input });
    assert.deepEqual([enough.kind, textOf(enough.stdout)], ['ok', 'text']);
    const tooFew = await (await bench.deploy('guests/read-file', reader(4)))({ input });
    assert.deepEqual([tooFew.kind, tooFew.exitCode], ['exit', 1]);
  });

  it('holds no more than filesystemBytes and filesystemEntries in memory', async () => {
    const capabilities = { mounts: [{ guest: '/data', files: {}, access: 'read-write' }] } as const;
    const input = bytesOf(`/data/new\n${'x'.repeat(1000)}`);
    for (const [limits, kind] of [
      [{ filesystemBytes: 1000, filesystemEntries: 1 }, 'ok'],
      [{ filesystemBytes: 999, filesystemEntries: 1 }, 'exit'],
      [{ filesystemBytes: 1000, filesystemEntries: 0 }, 'exit'],
    ] as const) {
      const answer = await (await bench.deploy('guests/write-file', { limits, capabilities }))({ input });
      assert.equal(answer.kind, kind, JSON.stringify(limits));
    }
  });

  it('takes no input above inputBytes, and no module above moduleBytes', async () => {
    const invoke = await bench.deploy('echo', { limits: { inputBytes: 10 } });
    assert.equal((await invoke({ input: new Uint8Array(10) })).kind, 'ok');
    await assert.rejects(invoke({ input: new Uint8Array(11) }), { code: 'ERR_NEBULA_INPUT_TOO_LARGE' });
    const deploying = bench.deploy('echo', { limits: { moduleBytes: 1000 } });
    await assert.rejects(deploying, { code: 'ERR_NEBULA_MODULE_TOO_LARGE' });
  });
}

export function describeMounts(bench: Bench): void {
  it('reads and writes a directory of the machine as far as it was granted', async () => {
    const machine = mkdtempSync(join(bench.directory, 'mount-'));
    writeFileSync(join(machine, 'a'), 'on the machine');
    const granted = (access: 'read-only' | 'read-write'): DeployOptions => ({
      capabilities: { mounts: [{ guest: '/data', machine, access }] },
    });
    const read = await bench.deploy('guests/read-file', granted('read-only'));
    assert.equal(textOf((await read({ input: bytesOf('/data/a') })).stdout), 'on the machine');
    const refused = await bench.deploy('guests/write-file', granted('read-only'));
    assert.equal((await refused({ input: bytesOf('/data/b\nno') })).kind, 'exit');
    const write = await bench.deploy('guests/write-file', granted('read-write'));
    assert.equal((await write({ input: bytesOf('/data/b\nyes') })).kind, 'ok');
    assert.equal(readFileSync(join(machine, 'b'), 'utf8'), 'yes');
  });

  it('makes a tree in memory anew for each call', async () => {
    const read = await bench.deploy('guests/read-file', inMemory('read-only'));
    assert.equal(textOf((await read({ input: bytesOf('/data/sub/a') })).stdout), 'text');
    const refused = await bench.deploy('guests/write-file', inMemory('read-only'));
    assert.equal((await refused({ input: bytesOf('/data/b\nno') })).kind, 'exit');
    const write = await bench.deploy('guests/write-file', inMemory('read-write'));
    assert.equal((await write({ input: bytesOf('/data/b\nyes') })).kind, 'ok');
    const list = await bench.deploy('guests/list-directory', inMemory('read-write'));
    for (let call = 0; call < 3; call++) {
      assert.equal(textOf((await list({ input: bytesOf('/data') })).stdout), 'sub directory\n');
    }
  });

  it('opens nothing outside of its mounts', async () => {
    const machine = mkdtempSync(join(bench.directory, 'mount-'));
    writeFileSync(join(bench.directory, 'outside'), 'secret of the machine');
    for (const mount of [
      { guest: '/data', machine, access: 'read-write' },
      { guest: '/data', files: {}, access: 'read-write' },
    ] as const) {
      const invoke = await bench.deploy('guests/open-outside', { capabilities: { mounts: [mount] } });
      const { kind, stdout } = await invoke();
      assert.equal(kind, 'ok');
      const told = textOf(stdout).trim().split('\n');
      assert.equal(told.length, 8 * 4);
      for (const line of told) assert.match(line, / errno \d+$/);
    }
  });
}
