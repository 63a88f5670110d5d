import assert from 'node:assert/strict';
import { test } from 'node:test';
import { componentEmbed, componentNew, parse } from '@bytecodealliance/jco-transpile/wasm-tools';
import {
  refuseUnknownExports,
  refuseUnknownImports,
  refuseUnknownWorld,
} from '../../../../host/component/prepare/entries.ts';
import { transpileComponent } from '../../../../host/preparation/component.ts';
import { isNebulaError } from '../../../../host/errors.ts';
import { commandComponent, textComponent, webComponent } from '../components.ts';

interface Refused {
  readonly key: string;
  readonly message: string;
}

/** How a component is refused, or undefined when it is not. */
function refusalOf(check: () => void): Refused | undefined {
  try {
    check();
    return undefined;
  } catch (error) {
    if (!isNebulaError(error)) throw error;
    return { key: error.key, message: error.message };
  }
}

async function refused(text: string): Promise<Refused | undefined> {
  const bytes = await parse(text);
  return refusalOf(() => refuseUnknownWorld(bytes));
}

/** A component that exports an instance with one function of a type, lifted from a core function. */
function exporting(name: string, fn: string, type: string, core: string, options = ''): string {
  return `(component
    (core module $m (memory (export "memory") 1)
      (func (export "f") ${core})
      (func (export "callback") (param i32 i32 i32) (result i32) unreachable))
    (core instance $i (instantiate $m))
    (func $f ${type} (canon lift (core func $i "f") ${options}))
    (instance $e (export "${fn}" (func $f)))
    (export "${name}" (instance $e)))`;
}

const RUN = '(result (result))';
const ZERO = '(result i32) (i32.const 0)';
const NODE = /WASI 0\.3.*Node 24/;

test('refuseUnknownWorld() takes the commands, handlers and libraries that there are', async () => {
  for (const bytes of [
    await commandComponent('echo'),
    webComponent(),
    textComponent('dial'),
    textComponent('hello'),
    textComponent('trailers'),
  ]) {
    refuseUnknownWorld(bytes);
  }
  assert.equal(await refused(exporting('wasi:cli/run@0.2.0', 'run', RUN, ZERO)), undefined);
  assert.equal(await refused(exporting('wasi:cli/run@0.2.99', 'run', RUN, ZERO)), undefined);
  assert.equal(await refused(exporting('test:own/run@0.3.0', 'run', '(param "x" u32)', '(param i32)')), undefined);
});

test('refuseUnknownWorld() refuses an asynchronous export, as a 188-byte component has it, and says which Node it needs', async () => {
  const async = exporting('wasi:cli/run@0.3.0', 'run', `async ${RUN}`, ZERO);
  const lifted = exporting(
    'wasi:cli/run@0.2.0',
    'run',
    `async ${RUN}`,
    '(result i32) unreachable',
    'async (callback (core func $i "callback"))',
  );
  for (const text of [async, lifted, exporting('test:own/x', 'f', `async ${RUN}`, ZERO)]) {
    const refusal = await refused(text);
    assert.equal(refusal?.key, 'MODULE_UNSUPPORTED');
    assert.match(refusal.message, NODE);
  }
});

test('refuseUnknownWorld() refuses streams, futures and error-contexts wherever a type has one', async () => {
  const types = [
    '(type (stream u8))',
    '(type (future))',
    '(type (list error-context))',
    '(type (func async (result u32)))',
    '(type $t (stream)) (type (record (field "a" $t)))',
    '(import "test:own/x" (instance (type (future u8)) (export "f" (func))))',
    '(import "test:own/x" (instance (export "f" (func async))))',
    '(type (component (import "f" (func async))))',
    '(component (type (stream u8)))',
    '(core func (canon backpressure.inc))',
    '(core func (canon task.cancel))',
  ];
  for (const each of types) {
    const refusal = await refused(`(component ${each})`);
    assert.equal(refusal?.key, 'MODULE_UNSUPPORTED', each);
    assert.match(refusal.message, NODE, each);
  }
});

test('refuseUnknownWorld() refuses entries of another version, and interfaces of WASI that are none', async () => {
  for (const name of [
    'wasi:cli/run@9.9.9',
    'wasi:cli/run',
    'wasi:cli/run@0.20.0',
    'wasi:cli/runs@0.2.0',
    'wasi:clocks/wall-clock@0.2.0',
  ]) {
    const refusal = await refused(exporting(name, 'run', RUN, ZERO));
    assert.equal(refusal?.key, 'UNKNOWN_EXPORT', name);
    assert.ok(refusal.message.includes(`exports ${name}, expected wasi:cli/run@0.2`), refusal.message);
    assert.doesNotMatch(refusal.message, /0\.3/);
  }
  for (const name of [
    'wasi:cli/run@0.3.0',
    'wasi:cli/run@0.3.0-rc-2026-03-15',
    'wasi:http/incoming-handler@0.3.0',
    'wasi:http/handler@0.3.0',
  ]) {
    const refusal = await refused(exporting(name, 'run', RUN, ZERO));
    assert.equal(refusal?.key, 'UNKNOWN_EXPORT', name);
    assert.match(refusal.message, NODE);
  }
});

test('refuseUnknownWorld() refuses wasi:cli/run of another type', async () => {
  const others = [
    ['run', '(param "x" u32)', '(param i32)'],
    ['run', '(param "x" u32) (result (result))', '(param i32) (result i32) (i32.const 0)'],
    ['run', '', ''],
    ['run', '(result u32)', ZERO],
    ['run', '(result bool)', ZERO],
    ['start', RUN, ZERO],
  ] as const;
  for (const [fn, type, core] of others) {
    const refusal = await refused(exporting('wasi:cli/run@0.2.0', fn, type, core));
    assert.equal(refusal?.key, 'UNKNOWN_EXPORT', type);
    assert.match(
      refusal.message,
      fn === 'run' ? /of another type.*run: func\(\) -> result/ : /without a function "run"/,
    );
  }
  const payload = exporting(
    'wasi:cli/run@0.2.0',
    'run',
    '(result (result (error u32)))',
    ZERO,
    '(memory (core memory $i "memory"))',
  );
  assert.equal((await refused(payload))?.key, 'UNKNOWN_EXPORT');
  const empty = '(component (instance $e) (export "wasi:cli/run@0.2.0" (instance $e)))';
  assert.equal((await refused(empty))?.key, 'UNKNOWN_EXPORT');
});

const HTTP = `package test:guest;
interface types { resource incoming-request; resource response-outparam; }
world handles { import wasi:http/types@0.2.0; export wasi:http/incoming-handler@0.2.0; }
package wasi:http@0.2.0 {
  interface types { resource incoming-request; resource response-outparam; resource fields; }
  interface incoming-handler { use types.{incoming-request, response-outparam, fields}; HANDLE }
}`;

/** How a component is refused whose incoming-handler has this function. */
async function handler(handle: string): Promise<Refused | undefined> {
  const core = await componentEmbed({
    dummy: true,
    witSource: HTTP.replace('HANDLE', handle),
    stringEncoding: 'utf8',
  });
  const bytes = await componentNew(core, []);
  return refusalOf(() => refuseUnknownWorld(bytes));
}

test('refuseUnknownWorld() refuses wasi:http/incoming-handler of another type', async () => {
  const right = 'handle: func(request: incoming-request, response-out: response-outparam);';
  assert.equal(await handler(right), undefined);
  assert.equal(await handler(`${right} other: func();`), undefined);
  for (const handle of [
    'handle: func(request: incoming-request);',
    'handle: func(request: response-outparam, response-out: incoming-request);',
    'handle: func(request: incoming-request, response-out: fields);',
    'handle: func(request: borrow<incoming-request>, response-out: response-outparam);',
    'handle: func(request: u32, response-out: response-outparam);',
    'handle: func(request: incoming-request, response-out: response-outparam) -> u32;',
    'serve: func(request: incoming-request, response-out: response-outparam);',
  ]) {
    assert.equal((await handler(handle))?.key, 'UNKNOWN_EXPORT', handle);
  }
});

test('refuseUnknownWorld() follows what nests and what is aliased, and gives up on what goes on for ever', async () => {
  // Each level instantiates the one below ten times: 10 to the 12th instances, of which one is asked for.
  let text = exporting('wasi:cli/run@0.2.0', 'run', RUN, ZERO).replace('(component', '(component $c0');
  for (let level = 1; level <= 12; level++) {
    const instances = Array.from({ length: 10 }, (_, at) => `(instance $j${at} (instantiate $c${level - 1}))`).join(
      ' ',
    );
    text = `(component $c${level} ${text} ${instances} (alias export $j3 "wasi:cli/run@0.2.0" (instance $e)) (export "wasi:cli/run@0.2.0" (instance $e)))`;
  }
  assert.equal(await refused(text), undefined);
  const lines = Array.from({ length: 2000 }, (_, at) => `(export $e${at + 1} "x${at}" (func $e${at}))`).join('\n');
  const chain = `(component (core module $m (func (export "f") ${ZERO})) (core instance $i (instantiate $m))
    (func $e0 ${RUN} (canon lift (core func $i "f"))) ${lines}
    (instance $e (export "run" (func $e2000))) (export "wasi:cli/run@0.2.0" (instance $e)))`;
  assert.equal((await refused(chain))?.key, 'MODULE_INVALID');
});

test('refuseUnknownWorld() refuses an encoding of strings that the transpiler does not have', async () => {
  const text = exporting(
    'test:own/x',
    'f',
    '(result string)',
    ZERO,
    'string-encoding=latin1+utf16 (memory (core memory $i "memory"))',
  );
  assert.match((await refused(text))?.message ?? '', /it uses strings in latin1\+utf16, which/);
});

test('transpileComponent() refuses before it transpiles, in the words of the check', async () => {
  const bytes = await parse(exporting('wasi:cli/run@9.9.9', 'run', RUN, ZERO));
  await assert.rejects(transpileComponent(bytes), { code: 'ERR_NEBULA_UNKNOWN_EXPORT' });
});

test('refuseUnknownImports() and refuseUnknownExports() say WASI 0.3 of names alone, as prepared folders have them', () => {
  refuseUnknownExports(['wasi:cli/run@0.2.6', 'test:own/x@9.9.9', 'f']);
  assert.throws(() => refuseUnknownImports(['wasi:cli/stdout@0.3.0']), NODE);
  assert.throws(() => refuseUnknownExports(['wasi:cli/run@0.3.0']), NODE);
  assert.throws(() => refuseUnknownExports(['wasi:cli/run@1.2.0']), { key: 'UNKNOWN_EXPORT' });
});
