import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { test, type TestContext } from 'node:test';
import { NebulaError } from '../../host/errors.ts';
import type { Nebula } from '../../lib/api/nebula.ts';
import type { NebulaOptions } from '../../lib/schema/nebula-options.ts';
import { createNebulaOn } from '../../lib/nebula.ts';
import { FakeExecutor, makeOutcome } from './fake-executor.ts';
import { temporaryDirectory, tinyModule } from './tiny-module.ts';

async function open(
  context: TestContext,
  options: NebulaOptions = {},
): Promise<{ nebula: Nebula; executor: FakeExecutor }> {
  const executor = new FakeExecutor();
  const nebula = await createNebulaOn(executor, options);
  context.after(() => nebula.close());
  return { nebula, executor };
}

/** Node 20 has no Promise.withResolvers. */
function deferred(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve!: () => void;
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}

async function versionThatRan(nebula: Nebula, name: string): Promise<string> {
  const { stderr } = await nebula.invoke(name);
  return new TextDecoder().decode(stderr).replace(/#.*/, '');
}

test('deploy() takes bytes, a module, a manifest, a folder and the URL of one', async (context) => {
  const { nebula, executor } = await open(context, { limits: { inputBytes: 5, timeoutMs: 7 } });
  const folder = join(temporaryDirectory(context), 'thing');
  mkdirSync(folder);
  writeFileSync(join(folder, 'thing.wasm'), tinyModule());
  const manifest = {
    name: 'thing',
    limits: { timeoutMs: 9 },
    capabilities: { mounts: [{ guest: '/d', machine: 'data', access: 'read-only' }] },
  };
  writeFileSync(join(folder, 'nebula.json'), JSON.stringify(manifest));

  const bytes = await nebula.deploy(tinyModule(), { name: 'bytes' });
  assert.equal(bytes.version, 1);
  assert.equal(bytes.sizeBytes, tinyModule().length);
  assert.match(bytes.digest, /^[0-9a-f]{64}$/);
  assert.equal((await nebula.deploy(join(folder, 'thing.wasm'))).name, 'thing');
  const fromFolder = await nebula.deploy(folder, { strategy: 'fresh', limits: { outputBytes: 3 } });
  assert.equal(fromFolder.version, 2);
  assert.equal(fromFolder.limits.timeoutMs, 9);
  assert.equal(fromFolder.limits.inputBytes, 5);
  assert.equal(fromFolder.limits.outputBytes, 3);
  assert.equal((await nebula.deploy(join(folder, 'nebula.json'), { name: 'other' })).name, 'other');
  assert.equal((await nebula.deploy(pathToFileURL(folder), { name: 'third' })).name, 'third');
  const definition = [...executor.deployed.values()].find(({ name }) => name === 'thing');
  assert.equal(definition?.strategy, 'fresh');
  assert.deepEqual(definition?.capabilities.mounts, [
    { guest: '/d', machine: join(folder, 'data'), access: 'read-only' },
  ]);
  assert.deepEqual(
    nebula.list().map(({ name }) => name),
    ['bytes', 'other', 'thing', 'third'],
  );
});

const badDeploys: readonly (readonly [string, (nebula: Nebula, folder: string) => Promise<unknown>, object])[] = [
  [
    'no name for bytes',
    (nebula) => nebula.deploy(tinyModule()),
    { code: 'ERR_NEBULA_MANIFEST_INVALID', message: /"name" must be/ },
  ],
  [
    'a missing file',
    (nebula) => nebula.deploy('/not/there.wasm'),
    { code: 'ERR_NEBULA_FILE_UNREADABLE', message: /there\.wasm/ },
  ],
  [
    'the URL of another machine',
    (nebula) => nebula.deploy(new URL('https://x/y.wasm')),
    { code: 'ERR_NEBULA_ARGUMENT', message: /https:.*must be .* a file: URL/ },
  ],
  ['a number', (nebula) => nebula.deploy(5 as never), { name: 'RangeError', code: 'ERR_NEBULA_ARGUMENT' }],
  [
    'options that are no object',
    (nebula) => nebula.deploy(tinyModule(), 'f' as never),
    { name: 'TypeError', message: /`options`/ },
  ],
  [
    'two modules',
    (nebula) => nebula.deploy(tinyModule(), { name: 'f', module: 'x' } as never),
    { name: 'TypeError', message: /`options.module`/ },
  ],
  [
    'what is no module',
    (nebula) => nebula.deploy(new Uint8Array(9), { name: 'f' }),
    { code: 'ERR_NEBULA_MODULE_INVALID' },
  ],
  [
    'a module above its limit',
    (nebula) => nebula.deploy(tinyModule(), { name: 'f', limits: { moduleBytes: 8 } }),
    { code: 'ERR_NEBULA_MODULE_TOO_LARGE' },
  ],
  [
    'a folder without manifest',
    (nebula, folder) => nebula.deploy(folder),
    { code: 'ERR_NEBULA_FILE_UNREADABLE', message: /nebula\.json/ },
  ],
  [
    'an unknown option',
    (nebula) => nebula.deploy(tinyModule(), { name: 'f', nmae: 'g' } as never),
    { code: 'ERR_NEBULA_MANIFEST_INVALID', message: /unknown field "nmae"/ },
  ],
];

for (const [what, deploy, expected] of badDeploys) {
  test(`deploy() refuses ${what}`, async (context) => {
    const { nebula } = await open(context);
    await assert.rejects(deploy(nebula, temporaryDirectory(context)), expected);
    assert.deepEqual(nebula.list(), []);
  });
}

test('deploy() names the file of a manifest that does not fit', async (context) => {
  const { nebula } = await open(context);
  const path = join(temporaryDirectory(context), 'bad.json');
  writeFileSync(path, '{"name":"a","entri":1}');
  await assert.rejects(nebula.deploy(path), { message: /unknown field "entri".*\(in .*bad\.json\)/ });
});

test('deploy() swaps at once: calls in flight finish on the old version, which is dropped after them', async (context) => {
  const { nebula, executor } = await open(context);
  await nebula.deploy(tinyModule('1'), { name: 'f' });
  const release = deferred();
  const { run } = executor;
  executor.run = async (definition, invocation) => {
    await release.promise;
    return run(definition, invocation);
  };
  const inFlight = versionThatRan(nebula, 'f');
  const record = await nebula.deploy(tinyModule('2'), { name: 'f' });
  assert.deepEqual([record.version, record.previous], [2, [1]]);
  assert.equal(executor.undeployed.length, 0);
  const after = versionThatRan(nebula, 'f');
  release.resolve();
  assert.equal(await inFlight, 'f@1');
  assert.equal(await after, 'f@2');
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(
    executor.undeployed.map((id) => id.replace(/#.*/, '')),
    ['f@1'],
  );
});

test('deploy() that fails leaves the version that runs', async (context) => {
  const { nebula, executor } = await open(context);
  await nebula.deploy(tinyModule('1'), { name: 'f' });
  executor.initialise = () => {
    throw new NebulaError('INIT_FAILED', { name: 'f', detail: 'x' });
  };
  await assert.rejects(nebula.deploy(tinyModule('2'), { name: 'f' }), { code: 'ERR_NEBULA_INIT_FAILED' });
  assert.equal(await versionThatRan(nebula, 'f'), 'f@1');
  assert.deepEqual(nebula.get('f').previous, []);
});

test('deploy() that cannot be stored leaves the version that runs, and drops the new one', async (context) => {
  const store = temporaryDirectory(context);
  const { nebula, executor } = await open(context, { store });
  await nebula.deploy(tinyModule('1'), { name: 'f' });
  const folder = join(store, 'functions', 'f');
  renameSync(folder, join(store, 'aside'));
  writeFileSync(folder, 'a file where the folder should be');
  await assert.rejects(nebula.deploy(tinyModule('2'), { name: 'f' }), {
    code: 'ERR_NEBULA_STORE_FAILED',
    message: /Cannot save the function in the store/,
  });
  assert.equal(await versionThatRan(nebula, 'f'), 'f@1');
  assert.deepEqual(
    executor.undeployed.map((id) => id.replace(/#.*/, '')),
    ['f@2'],
  );
});

test('deploy() calls of one function happen one after the other, and 5 previous versions are kept', async (context) => {
  const { nebula, executor } = await open(context);
  const records = await Promise.all(
    Array.from({ length: 8 }, (_, index) => nebula.deploy(tinyModule(String(index)), { name: 'f' })),
  );
  assert.deepEqual(
    records.map(({ version }) => version),
    [1, 2, 3, 4, 5, 6, 7, 8],
  );
  assert.deepEqual(nebula.get('f').previous, [7, 6, 5, 4, 3]);
  assert.equal(executor.deployed.size, 1);
});

for (const persistent of [false, true]) {
  const where = persistent ? 'with a store' : 'without a store';
  test(`rollback() returns to the version before, until there is none, ${where}`, async (context) => {
    const store = persistent ? { store: temporaryDirectory(context) } : {};
    const { nebula } = await open(context, store);
    for (const tag of ['1', '2', '3']) await nebula.deploy(tinyModule(tag), { name: 'f', description: tag });
    const back = await nebula.rollback('f');
    assert.deepEqual([back.version, back.manifest.description, back.previous], [2, '2', [1]]);
    assert.equal(await versionThatRan(nebula, 'f'), 'f@2');
    // A number is never given twice.
    assert.equal((await nebula.deploy(tinyModule('4'), { name: 'f' })).version, 4);
    assert.equal((await nebula.rollback('f')).version, 2);
    assert.equal((await nebula.rollback('f')).version, 1);
    await assert.rejects(nebula.rollback('f'), { code: 'ERR_NEBULA_NO_PREVIOUS_VERSION' });
    assert.equal(await versionThatRan(nebula, 'f'), 'f@1');
    await assert.rejects(nebula.rollback('g'), { code: 'ERR_NEBULA_FUNCTION_NOT_FOUND' });
  });
}

test('undeploy() forgets a function, and its files', async (context) => {
  const store = temporaryDirectory(context);
  const { nebula, executor } = await open(context, { store });
  await nebula.deploy(tinyModule(), { name: 'f' });
  await nebula.undeploy('f');
  assert.equal(executor.deployed.size, 0);
  await assert.rejects(nebula.invoke('f'), { code: 'ERR_NEBULA_FUNCTION_NOT_FOUND' });
  await assert.rejects(nebula.undeploy('f'), { code: 'ERR_NEBULA_FUNCTION_NOT_FOUND' });
  assert.throws(() => nebula.get('f'), { code: 'ERR_NEBULA_FUNCTION_NOT_FOUND' });
  assert.deepEqual(readdirSync(join(store, 'functions')), []);
});

test('createNebula() brings back what its store holds, versions and all', async (context) => {
  const store = temporaryDirectory(context);
  const first = await createNebulaOn(new FakeExecutor(), { store });
  const files = { 'a.bin': new Uint8Array([1, 2, 255]) };
  await first.deploy(tinyModule('1'), { name: 'f' });
  await first.deploy(tinyModule('2'), {
    name: 'f',
    capabilities: { mounts: [{ guest: '/d', files, access: 'read-only' }] },
  });
  await first.deploy(tinyModule('3'), { name: 'g', snapshot: new Uint8Array([7]) });
  const before = first.list();
  await first.close();

  const { nebula, executor } = await open(context, { store });
  assert.deepEqual(nebula.list(), before);
  assert.equal(nebula.stats().unavailable, undefined);
  const deployed = [...executor.deployed.values()];
  const mount = deployed.find(({ name }) => name === 'f')?.capabilities.mounts[0];
  assert.ok(mount !== undefined && 'files' in mount);
  assert.deepEqual(mount.files, files);
  assert.deepEqual(deployed.find(({ name }) => name === 'g')?.snapshot?.[0], 7);
  assert.equal((await nebula.rollback('f')).version, 1);
});

test('createNebula() keeps the other functions when one cannot be brought back, and says why', async (context) => {
  const store = temporaryDirectory(context);
  const first = await createNebulaOn(new FakeExecutor(), { store });
  for (const name of ['corrupt', 'refused', 'good']) await first.deploy(tinyModule(name), { name });
  await first.deploy(tinyModule('refused 2'), { name: 'refused' });
  await first.close();
  writeFileSync(join(store, 'functions', 'corrupt', 'record.json'), '{');

  const executor = new FakeExecutor();
  executor.initialise = ({ id, name }) => {
    if (id.startsWith('refused@2')) throw new NebulaError('INIT_FAILED', { name, detail: 'it does not want to' });
  };
  const nebula = await createNebulaOn(executor, { store });
  context.after(() => nebula.close());
  assert.equal(await versionThatRan(nebula, 'good'), 'good@1');
  await assert.rejects(nebula.invoke('corrupt'), { code: 'ERR_NEBULA_STORE_CORRUPT' });
  await assert.rejects(nebula.invoke('refused'), { code: 'ERR_NEBULA_INIT_FAILED' });
  const told = nebula.stats().unavailable?.map(({ name, error }) => [name, error.key]);
  assert.deepEqual(told?.sort(), [
    ['corrupt', 'STORE_CORRUPT'],
    ['refused', 'INIT_FAILED'],
  ]);
  assert.equal((await nebula.rollback('refused')).version, 1);
  assert.equal((await nebula.deploy(tinyModule(), { name: 'corrupt' })).version, 1);
  assert.equal(nebula.stats().unavailable, undefined);
});

test('invoke() hands over input, arguments, environment, deadline and signal', async (context) => {
  const { nebula, executor } = await open(context);
  await nebula.deploy(tinyModule(), { name: 'f' });
  const { signal } = new AbortController();
  const options = { arguments: ['-v'], environment: { A: 'ä' }, timeoutMs: 5 };
  assert.deepEqual(
    (await nebula.invoke('f', 'héllo', { ...options, signal })).stdout,
    new TextEncoder().encode('héllo'),
  );
  await nebula.invoke('f', new Uint8Array([1]));
  await nebula.invoke('f');
  assert.deepEqual(
    executor.invocations.map(({ invocation, signal }) => ({ ...invocation, signal })),
    [
      { input: new TextEncoder().encode('héllo'), ...options, signal },
      { input: new Uint8Array([1]), signal: undefined },
      { input: new Uint8Array(0), signal: undefined },
    ],
  );
});

test('invoke() keeps what it was given when its caller changes that for the next call', async (context) => {
  const { nebula, executor } = await open(context);
  await nebula.deploy(tinyModule(), { name: 'f' });
  const options = { arguments: ['first'], environment: { A: 'first' } };
  await nebula.invoke('f', '', options);
  options.arguments[0] = options.environment.A = 'second';
  await nebula.invoke('f', '', options);
  assert.deepEqual(
    executor.invocations.map(({ invocation }) => [invocation.arguments, invocation.environment]),
    [
      [['first'], { A: 'first' }],
      [['second'], { A: 'second' }],
    ],
  );
  // A guest is told of new arguments by their being another list.
  assert.notEqual(executor.invocations[0]?.invocation.arguments, executor.invocations[1]?.invocation.arguments);
});

test('invoke() refuses a name that is none, an unknown one, and an input above the limit', async (context) => {
  const { nebula } = await open(context);
  await nebula.deploy(tinyModule(), { name: 'f', limits: { inputBytes: 2 } });
  await assert.rejects(nebula.invoke(undefined as never), { name: 'TypeError', message: /`name`/ });
  await assert.rejects(nebula.invoke('nope'), { code: 'ERR_NEBULA_FUNCTION_NOT_FOUND', message: /"nope"/ });
  await assert.rejects(nebula.invoke('f', 'abc'), { code: 'ERR_NEBULA_INPUT_TOO_LARGE' });
  assert.equal((await nebula.invoke('f', 'ab')).kind, 'ok');
});

const endings = [
  [{ kind: 'exit', exitCode: 3 }, 'GUEST_FAILED', /Function "f" ended with exit code 3/],
  [{ kind: 'trap', reason: 'unreachable', message: 'x' }, 'GUEST_FAILED', /a trap: unreachable/],
  [{ kind: 'timeout', timeoutMs: 5 }, 'DEADLINE', /within 5 ms/],
  [{ kind: 'limit', limit: 'outputBytes', allowed: 9 }, 'GUEST_LIMIT', /outputBytes of 9/],
  [{ kind: 'denied', capability: 'sock_accept' }, 'GUEST_DENIED', /sock_accept/],
  [{ kind: 'aborted' }, 'CLIENT_CLOSED', /./],
] as const;

test('invokeOrThrow() returns stdout, and throws every other ending with the outcome as its cause', async (context) => {
  const { nebula, executor } = await open(context);
  await nebula.deploy(tinyModule(), { name: 'f' });
  assert.deepEqual(await nebula.invokeOrThrow('f', 'x'), new TextEncoder().encode('x'));
  for (const [ending, key, message] of endings) {
    const outcome = makeOutcome(ending);
    executor.run = async () => outcome;
    await assert.rejects(nebula.invokeOrThrow('f'), { code: `ERR_NEBULA_${key}`, message, cause: outcome });
  }
});

test('stats() counts each outcome, and failures, across versions', async (context) => {
  const { nebula, executor } = await open(context);
  await nebula.deploy(tinyModule('1'), { name: 'f' });
  await nebula.invoke('f');
  await nebula.deploy(tinyModule('2'), { name: 'f' });
  executor.run = async () => makeOutcome({ kind: 'exit', exitCode: 1 });
  await nebula.invoke('f');
  executor.run = async () => {
    throw new NebulaError('QUEUE_FULL', { name: 'f', limit: 1 });
  };
  await assert.rejects(nebula.invoke('f'), { code: 'ERR_NEBULA_QUEUE_FULL' });
  const [stats] = nebula.stats().functions;
  assert.deepEqual([stats?.outcomes.ok, stats?.outcomes.exit, stats?.outcomes.failed], [1, 1, 1]);
  assert.equal(stats?.latency['run']?.count, 2);
  assert.equal(stats?.latency['total']?.p50Us, 5);
});

test('close() drains, gives up the store, and refuses everything after', async (context) => {
  const store = temporaryDirectory(context);
  const { nebula, executor } = await open(context, { store });
  await nebula.deploy(tinyModule(), { name: 'f' });
  const release = deferred();
  executor.run = async () => {
    await release.promise;
    return makeOutcome();
  };
  const inFlight = nebula.invoke('f');
  await assert.rejects(nebula.close({ drainMs: -1 }), { name: 'RangeError' });
  const closed = nebula.close();
  setTimeout(release.resolve, 5);
  await closed;
  assert.equal((await inFlight).kind, 'ok');
  await nebula.close();
  await assert.rejects(nebula.invoke('f'), { code: 'ERR_NEBULA_CLOSED' });
  await assert.rejects(nebula.deploy(tinyModule(), { name: 'g' }), { code: 'ERR_NEBULA_CLOSED' });
  await assert.rejects(nebula.undeploy('f'), { code: 'ERR_NEBULA_CLOSED' });
  await assert.rejects(nebula.rollback('f'), { code: 'ERR_NEBULA_CLOSED' });
  assert.deepEqual(readdirSync(store), ['functions']);
});
