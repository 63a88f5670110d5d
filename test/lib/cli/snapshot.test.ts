/** Snapshots from the command line: taken here, given to a function that is embedded, invoked or deployed to a server. */

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { decodeSnapshot, encodeSnapshot } from '../../../host/snapshot/codec.ts';
import type { Manifest } from '../../../lib/schema/manifest.ts';
import type { Nebula } from '../../../lib/api/nebula.ts';
import { NebulaClient } from '../../../lib/client/client.ts';
import { startServer } from '../../../lib/triggers/http/server.ts';
import { createNebula } from '../../../lib/nebula.ts';
import { temporaryDirectory } from '../tiny-module.ts';
import { builtFunction, nebula } from './command.ts';

interface Taken {
  readonly name: string;
  readonly path: string;
  readonly digest: string;
  readonly snapshotDigest: string;
  readonly sizeBytes: number;
  readonly memoryBytes: number;
  readonly imageBytes: number;
  readonly runs: number;
  readonly reads: readonly string[];
  readonly initialiseNs: number;
}

/** A built function copied into a folder of the test's, with another manifest. */
function copyFunction(context: TestContext, path: string, change: Partial<Manifest>): string {
  const folder = join(temporaryDirectory(context), basename(path));
  mkdirSync(folder);
  const built = builtFunction(path);
  cpSync(join(built, `${basename(path)}.wasm`), join(folder, `${basename(path)}.wasm`));
  const manifest = JSON.parse(readFileSync(join(built, 'nebula.json'), 'utf8')) as Manifest;
  const init = change.init === undefined ? manifest.init : { ...manifest.init, ...change.init };
  writeFileSync(join(folder, 'nebula.json'), JSON.stringify({ ...manifest, ...change, init }));
  return folder;
}

function digest(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

async function take(file: string, out: string, ...options: readonly string[]): Promise<Taken> {
  const { code, stdout, stderr } = await nebula(['snapshot', file, '-o', out, '--json', ...options]);
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout) as Taken;
}

async function open(context: TestContext): Promise<Nebula> {
  const embedded = await createNebula({ executor: 'in-thread' });
  context.after(() => embedded.close());
  return embedded;
}

async function serve(context: TestContext): Promise<{ readonly host: Nebula; readonly url: string }> {
  const host = await open(context);
  const server = await startServer(host, { token: 'secret' });
  context.after(() => server.close());
  return { host, url: server.url };
}

async function ask(host: Nebula, name: string, input: string = ''): Promise<string> {
  return new TextDecoder().decode(await host.invokeOrThrow(name, input)).trim();
}

test('nebula snapshot writes what deploy() starts from, in place of the initialisation', async (context) => {
  const folder = copyFunction(context, 'lookup', { init: { environment: { LOOKUP_MIB: '4' } } });
  const path = join(temporaryDirectory(context), 'table.snapshot');
  const taken = await take(folder, path);
  const file = readFileSync(path);
  assert.deepEqual(
    [taken.name, taken.path, taken.digest, taken.snapshotDigest, taken.sizeBytes, taken.reads],
    ['lookup', path, digest(readFileSync(join(folder, 'lookup.wasm'))), digest(file), file.length, []],
  );
  const decoded = decodeSnapshot(file);
  assert.deepEqual([taken.memoryBytes, taken.runs], [decoded.memoryBytes, decoded.runs.length]);
  assert.ok(taken.imageBytes >= 4 * 1024 * 1024 && taken.imageBytes <= taken.memoryBytes);
  assert.ok(taken.initialiseNs > 0);

  const host = await open(context);
  await host.deploy(folder, { name: 'initialised' });
  // The built function's own manifest asks for a table of 1 MiB, which has no such entry.
  const key = String(4 * 131_072 - 1);
  const expected = await ask(host, 'initialised', key);
  for (const snapshot of [path, new Uint8Array(file)]) {
    const record = await host.deploy(builtFunction('lookup'), { name: 'stored', snapshot });
    assert.equal(record.report.snapshotBytes, taken.imageBytes);
    assert.ok(record.report.initialiseNs > 0);
    for (let call = 0; call < 3; call++) assert.equal(await ask(host, 'stored', key), expected);
  }
  await host.deploy(builtFunction('lookup'), { name: 'small' });
  assert.equal((await host.invoke('small', key)).kind, 'exit');
});

test('nebula snapshot says in words what it wrote', async (context) => {
  const path = join(temporaryDirectory(context), 'table.snapshot');
  const { code, stdout, stderr } = await nebula(['snapshot', builtFunction('lookup'), '-o', path]);
  assert.equal(code, 0, stderr);
  assert.match(
    stdout,
    /^snapshot +.*table\.snapshot, \d+ bytes, digest [0-9a-f]{64}\nof +lookup, module [0-9a-f]{64}\nmemory +\d+ KiB, \d+ KiB of it not zero in \d+ runs of pages\ninit +in [\d.]+ ms, read neither random nor clock\n$/,
  );
});

test('nebula snapshot refuses what would be frozen, unless the manifest allows it; then deploy need not', async (context) => {
  const out = temporaryDirectory(context);
  const path = join(out, 'random.snapshot');
  const refused = await nebula(['snapshot', builtFunction('guests/init-random'), '-o', path]);
  assert.equal(refused.code, 3);
  assert.match(refused.stderr, /^nebula: Cannot snapshot function "init-random": its initialisation read randomness; /);
  assert.deepEqual(readdirSync(out), []);

  const allowing = join(copyFunction(context, 'guests/init-random', { init: { allow: ['random'] } }), 'nebula.json');
  const module = builtFunction('guests/init-random/init-random.wasm');
  const taken = await take(module, path, '--manifest', allowing);
  assert.deepEqual([taken.name, taken.reads], ['init-random', ['random']]);
  assert.deepEqual(readdirSync(out), ['random.snapshot']);

  // The built function's manifest allows nothing: its initialisation, were it run, would be refused.
  const { host, url } = await serve(context);
  const access = ['--url', url, '--token', 'secret'];
  const bare = await nebula(['deploy', builtFunction('guests/init-random'), ...access]);
  assert.match(bare.stderr, /its initialisation read randomness/);
  const deployed = await nebula(['deploy', builtFunction('guests/init-random'), '--snapshot', path, ...access]);
  assert.equal(deployed.code, 0, deployed.stderr);
  const drawn = await ask(host, 'init-random');
  assert.match(drawn, /^[0-9a-f]{16}$/);
  const here = await nebula(['invoke', builtFunction('guests/init-random'), '--snapshot', path]);
  assert.deepEqual(here, { code: 0, stdout: `${drawn}\n`, stderr: '' });
  const there = await nebula(['invoke', 'init-random', ...access]);
  assert.deepEqual(there, here);
});

test('nebula snapshot writes the file that the manifest names, and deploy and invoke read it', async (context) => {
  const folder = copyFunction(context, 'guests/init-random', {
    snapshot: 'state.snapshot',
    init: { allow: ['random'] },
  });
  assert.ok(!existsSync(join(folder, 'state.snapshot')));
  await take(folder, join(folder, 'state.snapshot'));
  const manifest = join(folder, 'nebula.json');
  const fields = JSON.parse(readFileSync(manifest, 'utf8')) as Manifest;
  writeFileSync(manifest, JSON.stringify({ ...fields, init: { export: 'nebula_init' } }));

  const { host, url } = await serve(context);
  const deployed = await nebula(['deploy', folder, '--url', url, '--token', 'secret', '--json']);
  assert.equal(deployed.code, 0, deployed.stderr);
  const drawn = `${await ask(host, 'init-random')}\n`;
  assert.equal((await nebula(['invoke', folder])).stdout, drawn);
  const module = join(folder, 'init-random.wasm');
  assert.equal((await nebula(['invoke', module, '--manifest', manifest])).stdout, drawn);
});

test('a server refuses snapshots that are damaged, of another version, or of another module', async (context) => {
  const path = join(temporaryDirectory(context), 'table.snapshot');
  await take(builtFunction('lookup'), path);
  const file = readFileSync(path);
  const damaged = Buffer.from(file).fill(255, file.length - 40, file.length - 36);
  const newer = Buffer.from(file).fill(9, 8, 9);
  const lookup = readFileSync(builtFunction('lookup/lookup.wasm'));
  const noop = readFileSync(builtFunction('noop/noop.wasm'));
  const { host, url } = await serve(context);
  const client = new NebulaClient({ url, token: 'secret' });
  context.after(() => client.close());
  for (const [name, module, snapshot, status, key] of [
    ['lookup', lookup, damaged, 422, 'SNAPSHOT_CORRUPT'],
    ['lookup', lookup, file.subarray(0, 100), 422, 'SNAPSHOT_CORRUPT'],
    ['lookup', lookup, Buffer.alloc(0), 422, 'SNAPSHOT_CORRUPT'],
    ['lookup', lookup, newer, 422, 'SNAPSHOT_VERSION'],
    ['noop', noop, file, 409, 'SNAPSHOT_MISMATCH'],
  ] as const) {
    const code = `ERR_NEBULA_${key}`;
    await assert.rejects(client.deploy(name, module, { snapshot }), { code });
    const answer = await fetch(`${url}/functions/${name}`, {
      method: 'PUT',
      headers: { authorization: 'Bearer secret', 'content-type': 'application/json' },
      body: JSON.stringify({ module: module.toString('base64'), snapshot: snapshot.toString('base64') }),
    });
    assert.equal(answer.status, status);
    assert.equal(((await answer.json()) as { code: string }).code, code);
  }
  assert.deepEqual(host.list(), []);
  const mismatched = await nebula([
    'deploy',
    builtFunction('noop'),
    '--snapshot',
    path,
    '--url',
    url,
    '--token',
    'secret',
  ]);
  assert.equal(mismatched.code, 3);
  assert.match(
    mismatched.stderr,
    /^nebula: Cannot use the snapshot: it was taken from module .* \(take it again .*\)\n$/,
  );
  const record = await client.deploy('lookup', lookup, { snapshot: encodeSnapshot(decodeSnapshot(file)) });
  assert.equal(record.version, 1);
});

test('nebula snapshot refuses what has no snapshot, and what it could not write or finish', async (context) => {
  const folder = temporaryDirectory(context);
  const component = join(folder, 'component.wasm');
  writeFileSync(component, Uint8Array.of(0, 0x61, 0x73, 0x6d, 0x0d, 0, 1, 0));
  const native = copyFunction(context, 'guests/exit-3', { runtime: 'process' });
  const endless = copyFunction(context, 'guests/init-forever', { limits: { timeoutMs: 200 } });
  const out = join(folder, 'never.snapshot');
  for (const [file, code, message, options] of [
    [component, 3, /Cannot store a snapshot of the module: it is a component: expected a core module/, []],
    [native, 3, /Cannot store a snapshot of the module: its runtime is "process": expected "wasm"/, []],
    [builtFunction('guests/init-trap'), 3, /Cannot initialise function "init-trap": nebula_init ended with/, []],
    [endless, 3, /Cannot initialise function "init-forever": nebula_init ended with/, []],
    [builtFunction('lookup'), 3, /it needs 1114112 bytes, and the limit is 1048576/, ['--memory-mib', '1']],
    [builtFunction('lookup'), 2, /Cannot set `out` .* must be a file in a folder/, ['-o', folder]],
    [builtFunction('lookup'), 2, /Cannot set `out` .* must be a file in a folder/, ['-o', join(folder, 'a', 'b')]],
  ] as const) {
    const result = await nebula(['snapshot', file, '-o', out, ...options]);
    assert.equal(result.code, code, result.stderr);
    assert.equal(result.stdout, '');
    assert.match(result.stderr, message);
  }
  assert.deepEqual(readdirSync(folder), ['component.wasm']);
});

test('deploy() refuses a snapshot for what takes none', async (context) => {
  const host = await createNebula({ executor: 'in-thread', runtimes: ['wasm', 'process'] });
  context.after(() => host.close());
  const component = Uint8Array.of(0, 0x61, 0x73, 0x6d, 0x0d, 0, 1, 0);
  const snapshot = new Uint8Array(4);
  await assert.rejects(host.deploy(component, { name: 'c', snapshot }), {
    code: 'ERR_NEBULA_MANIFEST_INVALID',
    message: /field "snapshot" must be left out: the module is a component/,
  });
  await assert.rejects(host.deploy(component, { name: 'p', runtime: 'process', snapshot }), {
    code: 'ERR_NEBULA_MANIFEST_INVALID',
    message: /field "snapshot" must be left out: the runtime is "process"/,
  });
});
