import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { FUNCTIONS_FOLDER, functionNames, guestNames, readFunctionManifest, readModule } from './cases.ts';

const LARGEST_BYTES = 200_000;

type Digests = Readonly<Record<string, { readonly wasmSha256: string; readonly sourceSha256: string }>>;

const digests = JSON.parse(readFileSync(join(FUNCTIONS_FOLDER, 'digests.json'), 'utf8')) as Digests;

test('digests.json names every function and guest, and nothing else', () => {
  assert.deepEqual(Object.keys(digests).sort(), [...functionNames(), ...guestNames()].sort());
});

for (const name of [...functionNames(), ...guestNames()]) {
  test(`${name}.wasm is the recorded one, below ${LARGEST_BYTES} bytes`, () => {
    const bytes = readModule(name);
    assert.equal(createHash('sha256').update(bytes).digest('hex'), digests[name]?.wasmSha256);
    assert.ok(bytes.length < LARGEST_BYTES, `${bytes.length} bytes`);
  });

  test(`${name} has a manifest with its folder's name and a description`, async () => {
    const manifest = await readFunctionManifest(name);
    assert.equal(manifest.name, name.replace('guests/', ''));
    assert.ok((manifest.description ?? '').length > 10);
  });
}

for (const name of functionNames()) {
  test(`${name} imports no randomness, and no clock but that of its stamps`, async () => {
    const module = await WebAssembly.compile(new Uint8Array(readModule(name)));
    const imports = WebAssembly.Module.imports(module).map((given) => given.name);
    const sources = imports.filter((given) => given === 'random_get' || given.startsWith('clock_'));
    assert.deepEqual(sources, ['clock_time_get']);
  });
}
