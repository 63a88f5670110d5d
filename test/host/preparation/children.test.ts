import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { getPriority } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { Worker } from 'node:worker_threads';
import { resolveLimits } from '../../../host/limits.ts';
import { endIdleProcesses, prepareApart } from '../../../host/preparation/children.ts';
import { dataBytes } from '../../../host/linux/limits.ts';
import { turnOf } from '../../../host/linux/turns.ts';
import { assemble } from '../../wat.ts';
import { webComponent } from '../component/components.ts';
import { temporaryDirectory } from '../../lib/tiny-module.ts';
import { guestModule } from '../function.ts';
import { bodyOf, moduleOf } from '../module/binary-module.ts';
import { gone, preparersOf } from './processes.ts';

const MIB = 1024 * 1024;
const HOST = join(import.meta.dirname, '..', '..', '..', 'host');

const limits = resolveLimits();
const moduleTask = async (text = '(module (memory 1) (func (export "_start")))') =>
  ({ kind: 'module', bytes: await assemble(text), limits }) as const;

/** Prepares the smallest module and then what `more` says, as a program of its own. */
const program = (more: string): string => `
  const { prepareModule } = await import(${JSON.stringify(join(HOST, 'preparation/module.js'))});
  const { resolveLimits } = await import(${JSON.stringify(join(HOST, 'limits.js'))});
  const tiny = Buffer.from('0061736d01000000010401600000030201000503010001070a01065f737461727400000a040102000b', 'hex');
  const { info } = await prepareModule(tiny, resolveLimits());
  ${more}`;

test('prepareApart() answers as the task itself does, with the bytes whole', async () => {
  const bytes = guestModule('fibonacci');
  const { rewriteModule } = await import('../../../host/module/rewrite.ts');
  const apart = await prepareApart({ kind: 'module', bytes, limits }, limits);
  const here = rewriteModule(bytes, limits);
  assert.deepEqual(apart.info, here.info);
  assert.equal(apart.digest, here.digest);
  assert.ok(Buffer.from(apart.bytes).equals(here.bytes));
});

test('prepareApart() has one process prepare one module after the other', async () => {
  const task = await moduleTask();
  await prepareApart(task, limits);
  const [first] = preparersOf(process.pid);
  for (let turn = 0; turn < 20; turn++) await prepareApart(task, limits);
  assert.deepEqual(preparersOf(process.pid), [first]);
});

test('prepareApart() lets calls go first: each thread of its process is nicer than this one', async () => {
  await prepareApart(await moduleTask(), limits);
  const [pid = 0] = preparersOf(process.pid);
  const threads = readdirSync(`/proc/${pid}/task`).map(Number);
  assert.ok(threads.length > 1);
  assert.deepEqual(new Set(threads.map((thread) => getPriority(thread))), new Set([Math.min(19, getPriority() + 5)]));
});

test('prepareApart() lets calls go first at once: each thread of its process has longer turns than those of this one', async (context) => {
  const own = turnOf(process.pid) ?? 0;
  // Before Linux 6.12 no thread has turns of its own.
  if (own === 0) return context.skip('no turns here');
  await prepareApart(await moduleTask(), limits);
  const [pid = 0] = preparersOf(process.pid);
  const turns = readdirSync(`/proc/${pid}/task`).map((thread) => turnOf(Number(thread)) ?? 0);
  assert.ok(Math.min(...turns) > own, `turns of ${turns.join()} ns, and ${own} here`);
});

/** Takes far longer than a millisecond to prepare, and far more memory to compile than it has bytes. */
const large = (count: number): Uint8Array => {
  const load = bodyOf(0, [0x41, 0, 0x28, 0, 0, 0x1a], 1);
  return moduleOf({ bodies: Array.from({ length: count }, () => load) });
};

test('prepareApart() ends at deployMs, names the step, and the next task is done', async () => {
  const task = { kind: 'module', bytes: large(60_000), limits } as const;
  await assert.rejects(prepareApart(task, { ...limits, deployMs: 1 }), (error: Error) => {
    assert.equal((error as { code?: unknown }).code, 'ERR_NEBULA_DEPLOY_TIMEOUT');
    assert.match(error.message, /^Cannot prepare the module: \w+ took longer than 1 ms \(limits\.deployMs\)$/);
    return true;
  });
  assert.equal((await prepareApart(task, limits)).info.functions, 60_000);
});

test('prepareApart() ends at deployMemoryBytes and names the step, and the next task is done', async () => {
  const task = { kind: 'module', bytes: large(200_000), limits } as const;
  await assert.rejects(prepareApart(task, { ...limits, deployMemoryBytes: 4 * MIB }), (error: Error) => {
    assert.equal((error as { code?: unknown }).code, 'ERR_NEBULA_DEPLOY_MEMORY');
    assert.match(error.message, /: \w+ needs more memory than 4194304 bytes \(limits\.deployMemoryBytes\)$/);
    return true;
  });
  assert.equal((await prepareApart(task, limits)).info.functions, 200_000);
});

const descriptors = (): number => readdirSync('/proc/self/fd').length;

const settled = async (isSo: () => boolean): Promise<void> => {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 20));
};

test('prepareApart() takes a crash of a process that had grown for want of memory, and one that had not for a loss', async () => {
  const task = { kind: 'module', bytes: large(60_000), limits } as const;
  const crashed = async (deployMemoryBytes: number): Promise<string> => {
    const before = new Set(preparersOf(process.pid));
    const failed = prepareApart(task, { ...limits, deployMemoryBytes }).then(
      () => 'done',
      (error: { key: string }) => error.key,
    );
    const mine = (): number | undefined => preparersOf(process.pid).find((pid) => !before.has(pid));
    await settled(() => dataBytes(mine() ?? 0) > 32 * MIB);
    const pid = mine() as number;
    process.kill(pid, 'SIGSTOP');
    await new Promise((resolve) => setTimeout(resolve, 300));
    for (const signal of ['SIGSEGV', 'SIGCONT'] as const) process.kill(pid, signal);
    return failed;
  };
  await endIdleProcesses();
  assert.equal(await crashed(64 * MIB), 'DEPLOY_MEMORY');
  assert.equal(await crashed(64 * 1024 * MIB), 'PREPARER_LOST');
});

test('prepareApart() leaves neither processes nor descriptors behind tasks that are ended', {
  timeout: 120_000,
}, async () => {
  const task = { kind: 'module', bytes: large(60_000), limits } as const;
  const ended = (): Promise<unknown> => assert.rejects(prepareApart(task, { ...limits, deployMs: 1 }));
  const before = descriptors() - 3 * preparersOf(process.pid).length;
  for (let turn = 0; turn < 3; turn++) await Promise.all(Array.from({ length: 5 }, ended));
  await settled(() => preparersOf(process.pid).length === 0);
  // Their pipes are closed by the event loop, a little later.
  await settled(() => descriptors() <= before);
});

test('prepareApart() transpiles within little more memory than it needs', async () => {
  // The minifier reserves a gibibyte, which is not used; what is needed are 350 to 550 MiB, by Node and by when it collects garbage.
  const task = { kind: 'transpile', bytes: webComponent() } as const;
  const { cores } = await prepareApart(task, { ...limits, deployMemoryBytes: 800 * MIB });
  assert.ok(cores.length > 0);
});

test('prepareApart() gives its process nothing of the environment', async () => {
  await prepareApart(await moduleTask(), limits);
  const [pid] = preparersOf(process.pid);
  assert.equal(readFileSync(`/proc/${pid}/environ`, 'latin1'), 'MIMALLOC_ARENA_EAGER_COMMIT=0\0');
});

test('prepareApart() does not keep a process that has nothing else to do', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [
    '--input-type=module',
    '-e',
    program('console.log(info.kind)'),
  ]);
  assert.equal(stdout, 'command\n');
});

test('prepareApart() serves a process that was started with options of its own', async () => {
  const options = ['--expose-gc', '--stack-size=800', '--max-old-space-size=200', '--inspect=0', '--input-type=module'];
  const { stdout } = await promisify(execFile)(process.execPath, [...options, '-e', program('console.log(info.kind)')]);
  assert.equal(stdout, 'command\n');
});

test('prepareApart() says what kept its process from starting, each time', async () => {
  const source = `
    process.execPath = '/nowhere/node';
    const { prepareModule } = await import(${JSON.stringify(join(HOST, 'preparation/module.js'))});
    const { resolveLimits } = await import(${JSON.stringify(join(HOST, 'limits.js'))});
    for (let turn = 0; turn < 6; turn++) await prepareModule(new Uint8Array(8), resolveLimits()).catch((error) => console.log(error.message));`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', source]);
  const message = 'Cannot prepare the module: the process for it ended while starting: spawn /nowhere/node ENOENT\n';
  assert.equal(stdout, message.repeat(6));
});

test('prepareApart() does not start without end where process.execPath is the program itself', async (context) => {
  const folder = temporaryDirectory(context);
  const [starts, self, main] = ['starts', 'self', 'main.mjs'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  // As a single executable does: whatever it is told to run, it runs itself.
  writeFileSync(self, `#!/bin/sh\nexec "${process.execPath}" "${main}" "$@"\n`, { mode: 0o755 });
  writeFileSync(
    main,
    `import { appendFileSync, readFileSync } from 'node:fs';
    appendFileSync(${JSON.stringify(starts)}, '.');
    if (readFileSync(${JSON.stringify(starts)}).length > 4) process.exit();
    process.execPath = ${JSON.stringify(self)};
    ${program('')}`,
  );
  const failed = promisify(execFile)(self);
  await assert.rejects(failed, { stderr: /NebulaError: .* is no Node that runs a file, but a program of its own/ });
  assert.equal(readFileSync(starts, 'utf8'), '..');
});

test('prepareApart() serves a worker thread, and its process ends with it', async () => {
  const source = `import('node:worker_threads').then(async ({ parentPort }) => {
    ${program('parentPort.postMessage(info.kind); setInterval(() => {}, 1000);')}
  })`;
  const before = new Set(preparersOf(process.pid));
  const worker = new Worker(source, { eval: true });
  assert.deepEqual(await once(worker, 'message'), ['command']);
  const mine = preparersOf(process.pid).filter((pid) => !before.has(pid));
  assert.equal(mine.length, 1);
  await worker.terminate();
  for (const pid of mine) await gone(pid);
});

test('prepareApart() leaves no process behind one that is killed', async () => {
  const child = spawn(process.execPath, [
    '--input-type=module',
    '-e',
    program('console.log(info.kind); setInterval(() => {}, 1000);'),
  ]);
  await once(child.stdout, 'data');
  const [preparer] = preparersOf(child.pid as number);
  assert.ok(preparer !== undefined);
  child.kill('SIGKILL');
  await gone(preparer);
});
