import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { promisify } from 'node:util';
import type { Worker } from 'node:worker_threads';
import { resolveLimits } from '../../../host/limits.ts';
import { endIdlePreparations, prepareBeside } from '../../../host/preparation/beside.ts';
import { prepareCompiled } from '../../../host/preparation/compiled.ts';
import { webComponent } from '../component/components.ts';
import { temporaryDirectory } from '../../lib/tiny-module.ts';
import { bodyOf, moduleOf } from '../module/binary-module.ts';
import { preparersOf } from './processes.ts';

const HOST = join(import.meta.dirname, '..', '..', '..', 'host');
const limits = resolveLimits();

const load = bodyOf(0, [0x41, 0, 0x28, 0, 0, 0x1a], 1);
/** Half a megabyte. */
const largeModule = moduleOf({ bodies: Array.from({ length: 60_000 }, () => load) });
const small = { kind: 'module', bytes: moduleOf({ bodies: [load] }), limits } as const;
const large = { kind: 'module', bytes: largeModule, limits } as const;

/** The threads that are started while something is done. */
async function threadsOf(work: () => Promise<unknown>): Promise<number> {
  const started: Worker[] = [];
  const count = (worker: Worker): number => started.push(worker);
  process.on('worker', count);
  await work();
  process.off('worker', count);
  return started.length;
}

/** Whether this thread has a process while something is under way. */
function hasProcess(): boolean {
  return process.getActiveResourcesInfo().includes('ProcessWrap');
}

test('prepareBeside() leaves the process of what is large to one thread, which takes all else while it is there', async () => {
  // The transpiler, which is loaded here too, starts a thread of its own meanwhile.
  await prepareBeside(small, limits);
  await endIdlePreparations();
  assert.equal(await threadsOf(() => prepareBeside(small, limits)), 0);
  assert.equal(await threadsOf(() => prepareBeside(large, limits)), 1);
  const again = (): Promise<unknown> => Promise.all([large, small, large].map((task) => prepareBeside(task, limits)));
  assert.equal(await threadsOf(again), 0);
  const underWay = [prepareBeside(large, limits), prepareBeside(small, limits)];
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(hasProcess(), false);
  await Promise.all(underWay);
  await endIdlePreparations();
  const here = prepareBeside(small, limits);
  assert.equal(hasProcess(), true);
  await here;
});

test('prepareBeside() answers the same from the thread as from here', async () => {
  const [beside, here] = await Promise.all([prepareBeside(large, limits), prepareCompiled(large, limits)]);
  assert.deepEqual([beside.digest, beside.info], [here.digest, here.info]);
  assert.deepEqual(WebAssembly.Module.exports(beside.compiled), WebAssembly.Module.exports(here.compiled));
});

test('prepareBeside() shares what a component is transpiled to, and prepares it from that', async () => {
  const transpiled = await prepareBeside({ kind: 'transpile', bytes: webComponent() }, limits);
  assert.ok(transpiled.cores.length > 0);
  for (const { bytes } of transpiled.cores) assert.ok(bytes.buffer instanceof SharedArrayBuffer);
  const { cores, kind } = await prepareBeside({ kind: 'component', transpiled, limits }, limits);
  assert.equal(kind, 'http');
  assert.deepEqual(
    cores.map(({ file }) => file),
    transpiled.cores.map(({ file }) => file),
  );
  for (const { compiled } of cores) assert.ok(compiled instanceof WebAssembly.Module);
});

test('prepareBeside() fails as the task does, and the next is done', async () => {
  const refused = { ...large, bytes: new Uint8Array(2 ** 20) };
  await assert.rejects(prepareBeside(refused, limits), { code: 'ERR_NEBULA_MODULE_INVALID' });
  await assert.rejects(prepareBeside(large, { ...limits, deployMs: 1 }), { code: 'ERR_NEBULA_DEPLOY_TIMEOUT' });
  const deployMemoryBytes = 2 ** 20;
  await assert.rejects(prepareBeside(large, { ...limits, deployMemoryBytes }), { code: 'ERR_NEBULA_DEPLOY_MEMORY' });
  assert.equal((await prepareBeside(large, limits)).info.functions, 60_000);
});

test('endIdlePreparations() ends the thread and its processes, but not under a task', async () => {
  const underWay = prepareBeside(large, limits);
  await endIdlePreparations();
  assert.equal((await underWay).info.functions, 60_000);
  assert.ok(preparersOf(process.pid).length > 0);
  await endIdlePreparations();
  assert.deepEqual(preparersOf(process.pid), []);
});

/** A program that prepares something large, and says so. */
async function run(context: TestContext, options: readonly string[], more: string = ''): Promise<string> {
  const path = join(temporaryDirectory(context), 'large.wasm');
  writeFileSync(path, largeModule);
  const source = `
    const { prepareModule } = await import(${JSON.stringify(join(HOST, 'preparation/module.js'))});
    const { resolveLimits } = await import(${JSON.stringify(join(HOST, 'limits.js'))});
    ${more}
    const { readFileSync } = await import('node:fs');
    const { info } = await prepareModule(readFileSync(${JSON.stringify(path)}), resolveLimits());
    console.log(info.functions);`;
  const { stdout } = await promisify(execFile)(process.execPath, [...options, '--input-type=module', '-e', source]);
  return stdout;
}

test('prepareBeside() does not keep a process that has nothing else to do', async (context) => {
  assert.equal(await run(context, ['--expose-gc', '--stack-size=800', '--inspect=0']), '60000\n');
});

test('prepareBeside() does without a thread where none may be started', async (context) => {
  const allowed = process.allowedNodeEnvironmentFlags;
  const permission = allowed.has('--permission') ? '--permission' : '--experimental-permission';
  // Its process has pipes, which Node counts as net where it asks for that.
  const net = allowed.has('--allow-net') ? ['--allow-net'] : [];
  const options = [permission, '--allow-fs-read=*', '--allow-child-process', ...net, '--no-warnings'];
  assert.equal(await run(context, options), '60000\n');
});

test('prepareBeside() starts the same Node as its starter would', async (context) => {
  await assert.rejects(run(context, [], `process.execPath = '/nowhere/node';`), {
    stderr: /spawn \/nowhere\/node ENOENT/,
  });
});
