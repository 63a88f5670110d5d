import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { evaluateGlue } from '../../../../host/component/vm/glue-realm.ts';

/** Not held to any shape: what the realm keeps from whoever got past the check. */
function run(body: string, ...given: readonly unknown[]): unknown {
  return (evaluateGlue(`(function(a,b){${body}})`, 'glue.js') as (...values: readonly unknown[]) => unknown)(...given);
}

const WAYS_TO_CODE: readonly string[] = [
  `return [].constructor.constructor('return 1')()`,
  `return (function(){}).constructor('return 1')()`,
  `return (async function(){}).constructor('return 1')()`,
  `return (function*(){}).constructor('return 1')()`,
  `return (class{}).constructor('return 1')()`,
  `return console.log.constructor('return 1')()`,
  `return WebAssembly.promising.constructor('return 1')()`,
  `return Error.constructor('return 1')()`,
  `return eval('1')`,
  `return Function('return 1')()`,
  `return setTimeout('1')`,
  `return new WebAssembly.Module(new Uint8Array([0,97,115,109,1,0,0,0]))`,
];

test('evaluateGlue() gives glue no way to make code of text', () => {
  for (const body of WAYS_TO_CODE) assert.throws(() => run(body), body);
});

test('evaluateGlue() gives glue nothing of Node', () => {
  const names = [
    'process',
    'require',
    'fetch',
    'setTimeout',
    'queueMicrotask',
    'Reflect',
    'Proxy',
    'Function',
    'eval',
    'Atomics',
    'Intl',
  ];
  for (const name of names) assert.equal(run(`return typeof ${name}`), 'undefined', name);
  assert.deepEqual(run(`return Object.keys(globalThis)`)?.toString(), 'WebAssembly');
});

test('evaluateGlue() refuses import()', async () => {
  await assert.rejects(run(`return import('node:fs')`) as Promise<unknown>, /dynamic import/i);
});

test('evaluateGlue() gives each glue a realm of its own, whose errors the host tells', () => {
  const arrays = [run('return []'), run('return []'), []].map((each) => Object.getPrototypeOf(each) as object);
  assert.equal(new Set(arrays).size, 3);
  assert.throws(() => run('null.x'), TypeError);
  assert.throws(
    () => run('throw new RangeError("a")'),
    (error) => error instanceof RangeError && !(error instanceof TypeError),
  );
  assert.throws(() => run('throw new WebAssembly.RuntimeError("a")'), WebAssembly.RuntimeError);
  assert.throws(() => run('BigInt("x")'), SyntaxError);
});

test('evaluateGlue() settles no promise of the glue, rejects none, and tells it of nothing that was collected', async () => {
  const told: string[] = [];
  const rejected = (): void => void told.push('unhandled');
  process.on('unhandledRejection', rejected);
  run(
    `Promise.resolve(1).then(() => a('then'));
     Promise.reject(1).catch(() => a('catch'));
     new Promise((resolve, reject) => reject(1)).finally(() => a('finally'));
     Promise.withResolvers().reject(1);
     const collected = new FinalizationRegistry(() => a('collected'));
     for (let at = 0; at < 10000; at++) collected.register({}, at);`,
    (what: string) => told.push(what),
  );
  for (let turn = 0; turn < 5; turn++) {
    globalThis.gc?.();
    await new Promise((resolve) => setImmediate(resolve));
  }
  process.off('unhandledRejection', rejected);
  assert.deepEqual(told, []);
});

test('evaluateGlue() has glue tell the errors of the host, and of its own', () => {
  assert.equal(run('return a instanceof Error', new TypeError('a')), true);
  assert.equal(run('return a instanceof Error', { message: 'a' }), false);
  assert.equal(run('return new TypeError instanceof Error'), true);
  assert.equal(run('return new Error instanceof TypeError'), false);
});

test('evaluateGlue() does the same in a worker', async () => {
  const file = new URL('../../../../host/component/vm/glue-realm.js', import.meta.url).href;
  const ways = JSON.stringify(WAYS_TO_CODE);
  const source = `import(${JSON.stringify(file)}).then(({ evaluateGlue }) => {
    const held = ${ways}.filter((body) => { try { evaluateGlue('(function(a,b){' + body + '})', 'glue.js')(); return false; } catch { return true; } });
    require('node:worker_threads').parentPort.postMessage(held.length);
  });`;
  const worker = new Worker(source, { eval: true });
  const held = await new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
  assert.equal(held, WAYS_TO_CODE.length);
  await worker.terminate();
});
