import assert from 'node:assert/strict';
import { readdirSync, readFileSync, rmSync, writeFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { digestOf } from '../../../lib/registry/digest.ts';
import { Store, type StoredFunction } from '../../../lib/registry/store.ts';
import { temporaryDirectory, tinyModule } from '../tiny-module.ts';

function stored(name: string, ...tags: readonly string[]): StoredFunction {
  const versions = tags.map((tag, index) => ({
    version: tags.length - index,
    digest: digestOf(tinyModule(tag)),
    sizeBytes: tinyModule(tag).length,
    deployedAt: '2024-01-01T00:00:00.000Z',
    manifest: { name, description: tag },
  }));
  return { name, nextVersion: tags.length + 1, versions: versions as unknown as StoredFunction['versions'] };
}

test('Store gives back what it was given, after it is opened anew', async (context) => {
  const directory = join(temporaryDirectory(context), 'not', 'there', 'yet');
  const store = await Store.open(directory);
  const first = stored('f', 'one');
  await store.write(first, { module: tinyModule('one') });
  const both = stored('f', 'two', 'one');
  await store.write(both, { module: tinyModule('two'), snapshot: new Uint8Array([1]) });
  await store.write(stored('g', 'x'), { module: tinyModule('x') });
  await store.close();

  const again = await Store.open(directory);
  const { functions, corrupt } = await again.load();
  assert.equal(corrupt.size, 0);
  assert.deepEqual(
    [...functions].sort((a, b) => (a.name < b.name ? -1 : 1)),
    [both, stored('g', 'x')],
  );
  assert.deepEqual(new Uint8Array((await again.readFiles('f', both.versions[0])).module), tinyModule('two'));
  await again.remove('g');
  assert.deepEqual(
    (await again.load()).functions.map(({ name }) => name),
    ['f'],
  );
  await again.close();
});

test('Store.write() deletes the modules of versions that are no longer kept', async (context) => {
  const directory = temporaryDirectory(context);
  const store = await Store.open(directory);
  await store.write(stored('f', 'one'), { module: tinyModule('one') });
  await store.write(stored('f', 'two'), { module: tinyModule('two') });
  assert.deepEqual(
    readdirSync(join(directory, 'functions', 'f')).sort(),
    [`${digestOf(tinyModule('two'))}.wasm`, 'record.json'].sort(),
  );
  await store.close();
});

test('Store.open() deletes what an interrupted write left', async (context) => {
  const directory = temporaryDirectory(context);
  const store = await Store.open(directory);
  await store.write(stored('f', 'one'), { module: tinyModule('one') });
  await store.close();
  const functions = join(directory, 'functions');
  mkdirSync(join(functions, '.tmp-1-x-1'));
  writeFileSync(join(functions, '.tmp-1-x-1', 'half.wasm'), 'half');
  writeFileSync(join(functions, 'f', '.tmp-1-x-2'), 'half');
  writeFileSync(join(functions, 'f', 'orphan.wasm'), 'x');
  const again = await Store.open(directory);
  await again.load();
  assert.deepEqual(readdirSync(functions), ['f']);
  assert.equal(readdirSync(join(functions, 'f')).length, 2);
  await again.close();
});

test('Store.open() refuses a directory that is open already, and takes over from a process that died', async (context) => {
  const directory = temporaryDirectory(context);
  const store = await Store.open(directory);
  await assert.rejects(Store.open(directory), {
    code: 'ERR_NEBULA_STORE_FAILED',
    message: new RegExp(`process ${process.pid} has it open`),
  });
  await store.close();
  // The number of this process with another start time: an owner whose number was given again.
  for (const dead of ['999999999 1\n', `${process.pid} 1\n`, 'nonsense']) {
    writeFileSync(join(directory, 'lock'), dead);
    await (await Store.open(directory)).close();
  }
  assert.deepEqual(readdirSync(directory), ['functions']);
});

test('Store.open() says which directory it cannot use', async (context) => {
  const path = join(temporaryDirectory(context), 'file');
  writeFileSync(path, '');
  await assert.rejects(Store.open(path), {
    code: 'ERR_NEBULA_STORE_FAILED',
    message: /Cannot open in the store at ".*file"/,
  });
});

const damages: readonly (readonly [string, (record: string) => void])[] = [
  ['no record', (record) => rmSync(record)],
  ['an empty record', (record) => writeFileSync(record, '')],
  ['half a record', (record) => writeFileSync(record, readFileSync(record, 'utf8').slice(0, 90))],
  ['one changed letter', (record) => writeFileSync(record, readFileSync(record, 'utf8').replace('one', 'onf'))],
  [
    'another format',
    (record) => writeFileSync(record, readFileSync(record, 'utf8').replace('"format":1', '"format":9')),
  ],
  ['an array', (record) => writeFileSync(record, '[]')],
  ['a directory', (record) => (rmSync(record), mkdirSync(record))],
];

for (const [damage, inflict] of damages) {
  test(`Store.load() reports ${damage} as STORE_CORRUPT and still reads the other functions`, async (context) => {
    const directory = temporaryDirectory(context);
    const store = await Store.open(directory);
    await store.write(stored('bad', 'one'), { module: tinyModule('one') });
    await store.write(stored('good', 'one'), { module: tinyModule('one') });
    inflict(join(directory, 'functions', 'bad', 'record.json'));
    const { functions, corrupt } = await store.load();
    assert.deepEqual(functions, [stored('good', 'one')]);
    assert.equal(corrupt.get('bad')?.code, 'ERR_NEBULA_STORE_CORRUPT');
    await store.close();
  });
}

test('Store.readFiles() refuses a module that is not what its digest says, or missing', async (context) => {
  const directory = temporaryDirectory(context);
  const store = await Store.open(directory);
  const record = stored('f', 'one');
  await store.write(record, { module: tinyModule('one') });
  const path = join(directory, 'functions', 'f', `${record.versions[0].digest}.wasm`);
  writeFileSync(path, tinyModule('ONE'));
  await assert.rejects(store.readFiles('f', record.versions[0]), {
    code: 'ERR_NEBULA_STORE_CORRUPT',
    message: /SHA-256/,
  });
  rmSync(path);
  await assert.rejects(store.readFiles('f', record.versions[0]), {
    code: 'ERR_NEBULA_STORE_CORRUPT',
    message: /ENOENT/,
  });
  await store.close();
});
