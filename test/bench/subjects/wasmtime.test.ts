/** Against a fake of its C API, which a C compiler makes: this says nothing of what the real one does. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type * as Koffi from 'koffi';
import { root } from '../../../bench/measurement/root.ts';
import { wasmtime } from '../../../bench/subjects/wasmtime.ts';
import { requirePart } from '../../require.ts';

const skip = requirePart('gcc', spawnSync('gcc', ['--version']).status === 0, 'it is not installed');

let folder: string;
let library: string;
/** What the fake has counted. */
let counted: Readonly<Record<'live' | 'stores' | 'calls', () => number>>;

before(async () => {
  if (skip !== false) return;
  folder = await mkdtemp(join(tmpdir(), 'nebula-wasmtime-'));
  library = join(folder, 'libwasmtime.so');
  const source = join(root, 'test', 'bench', 'subjects', 'fake-wasmtime.c');
  const { status, stderr } = spawnSync('gcc', ['-shared', '-fPIC', '-o', library, source], { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  const fake = (createRequire(import.meta.url)('koffi') as typeof Koffi).load(library);
  const count = (name: string): (() => number) => fake.func(`long ${name}()`);
  counted = { live: count('fake_live'), stores: count('fake_stores'), calls: count('fake_calls') };
});
after(async () => {
  if (skip === false) await rm(folder, { recursive: true });
});

/** A case whose module has so many bytes, which is what the fake's guests differ by. */
async function caseOf(sizeBytes: number, input = '55\n'): Promise<Parameters<typeof wasmtime>[1]> {
  const path = join(folder, `${sizeBytes}.wasm`);
  await writeFile(path, new Uint8Array(sizeBytes));
  return { path, input, expected: input };
}

test('wasmtime() is undefined where no library is named', () => {
  assert.equal(wasmtime(undefined, { path: '', input: '', expected: '' }), undefined);
  assert.equal(wasmtime('', { path: '', input: '', expected: '' }), undefined);
});

test('wasmtime() has each call in a store of its own, and nothing is left of it', { skip }, async () => {
  const subject = wasmtime(library, await caseOf(8));
  assert.ok(subject !== undefined);
  const [stores, calls, live] = [counted.stores(), counted.calls(), counted.live()];
  for (let round = 0; round < 3; round++) subject.run();
  assert.deepEqual([counted.stores() - stores, counted.calls() - calls, counted.live() - live], [3, 3, 0]);
  subject.close?.();
  assert.equal(counted.live(), 0);
});

test('wasmtime() hands over no input as well, and refuses an answer that is not the expected one', {
  skip,
}, async () => {
  wasmtime(library, await caseOf(8, ''))?.close?.();
  const wrong = { ...(await caseOf(8)), expected: '56\n' };
  assert.throws(() => wasmtime(library, wrong), /Cannot measure wasmtime: expected "56\\n", got "55\\n"/);
});

test('wasmtime() takes an exit with code 0 for an end, and tells of any other failure', { skip }, async () => {
  const live = counted.live();
  const ended = wasmtime(library, await caseOf(3));
  ended?.run();
  ended?.close?.();
  assert.equal(counted.live(), live);
  for (const [sizeBytes, text] of [
    [1, /it is no module/],
    [2, /wasm trap: unreachable/],
    [4, /Exited with i32 exit status 3/],
  ] as const) {
    const given = await caseOf(sizeBytes);
    assert.throws(() => wasmtime(library, given), text);
  }
});
