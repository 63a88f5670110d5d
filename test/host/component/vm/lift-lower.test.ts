import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parse } from '@bytecodealliance/jco-transpile/wasm-tools';
import { ComponentVm } from '../../../../host/component/vm/component-vm.ts';
import type { ComponentDefinition } from '../../../../host/component/vm/component-definition.ts';
import { decodeResult } from '../../../../host/component/vm/exported-function.ts';
import type { Ending } from '../../../../host/outcome.ts';
import { callIn, commandComponent, defineComponent, runCommand, type Given } from '../components.ts';

/** A `realloc` that notes alignment and size of each call from address 8 on; the count is at 0. */
const RECORDING = `
  (memory (export "memory") 4)
  (global $next (mut i32) (i32.const 0x10000))
  (func (export "realloc") (param i32 i32 i32 i32) (result i32)
    (local $at i32)
    (local.set $at (i32.add (i32.const 8) (i32.mul (i32.load (i32.const 0)) (i32.const 8))))
    (i32.store (local.get $at) (local.get 2))
    (i32.store offset=4 (local.get $at) (local.get 3))
    (i32.store (i32.const 0) (i32.add (i32.load (i32.const 0)) (i32.const 1)))
    (global.set $next (i32.and
      (i32.add (global.get $next) (i32.sub (local.get 2) (i32.const 1)))
      (i32.sub (i32.const 0) (local.get 2))))
    (global.get $next)
    (global.set $next (i32.add (global.get $next) (local.get 3))))`;

/** Answers what the `realloc` of a component noted: a list at address 8 of pairs. */
const NOTED = `(func $noted (export "noted") (result i32)
    (i32.store (i32.const 0x8004) (i32.load (i32.const 0)))
    (i32.store (i32.const 0x8000) (i32.const 8))
    (i32.const 0x8000))`;

/** Functions f0, f1 and so on of one parameter each; what the types are flattened to is what the core functions take. */
function taking(types: readonly (readonly [type: string, flat: string])[], encoding: string): string {
  const cores = types.map(([, flat], at) => `(func (export "f${at}") (param ${flat}) (result i32) (call $noted))`);
  const lifts = types.map(
    ([type], at) => `(func (export "f${at}") (param "value" ${type}) (result (list (tuple u32 u32)))
      (canon lift (core func $i "f${at}") (memory (core memory $i "memory"))
        (realloc (core func $i "realloc")) string-encoding=${encoding}))`,
  );
  return `(component
    (core module $m ${RECORDING} ${NOTED} ${cores.join('\n')})
    (core instance $i (instantiate $m))
    ${lifts.join('\n')})`;
}

type Case = readonly [type: string, flat: string, value: unknown, noted: readonly (readonly number[])[]];

/** Calls a function for each case, which lowers its value, and compares what realloc was asked for. */
async function assertNoted(cases: readonly Case[], encoding = 'utf8'): Promise<void> {
  const text = taking(
    cases.map(([type, flat]) => [type, flat]),
    encoding,
  );
  const definition = await defineComponent(await parse(text));
  cases.forEach(([type, , value, noted], at) => {
    assert.deepEqual(callIn(definition, `f${at}`, value).result, { kind: 'value', value: noted }, type);
  });
}

const PAIR = 'i32 i32';

test('lowerUtf8() asks realloc for every string, also of no length', async () => {
  await assertNoted([
    ['string', PAIR, '', [[1, 0]]],
    [
      '(list string)',
      PAIR,
      ['', 'é', ''],
      [
        [4, 24],
        [1, 0],
        [1, 2],
        [1, 0],
      ],
    ],
    [
      '(tuple string (option string))',
      'i32 i32 i32 i32 i32',
      ['', ''],
      [
        [1, 0],
        [1, 0],
      ],
    ],
    ['(result string (error string))', 'i32 i32 i32', { tag: 'err', val: '' }, [[1, 0]]],
    [
      '(list (tuple string (list u64)))',
      PAIR,
      [['', []]],
      [
        [4, 16],
        [1, 0],
        [8, 0],
      ],
    ],
  ]);
});

test('lowerUtf16() asks realloc for every string, also of no length', async () => {
  await assertNoted(
    [
      ['string', PAIR, '', [[2, 0]]],
      ['string', PAIR, 'a\ud83d\ude00', [[2, 6]]],
      [
        '(list string)',
        PAIR,
        [''],
        [
          [4, 8],
          [2, 0],
        ],
      ],
    ],
    'utf16',
  );
});

test('boundedGlue() leaves a realloc for lists of no length, of every kind of element and nested', async () => {
  const aligns = { u8: 1, s8: 1, bool: 1, u16: 2, s16: 2, u32: 4, s32: 4, f32: 4, char: 4, u64: 8, s64: 8, f64: 8 };
  const flat = Object.entries(aligns).map(([type, align]): Case => [`(list ${type})`, PAIR, [], [[align, 0]]]);
  const nested = Object.entries(aligns).map(
    ([type, align]): Case => [
      `(list (list ${type}))`,
      PAIR,
      [[], []],
      [
        [4, 16],
        [align, 0],
        [align, 0],
      ],
    ],
  );
  await assertNoted([
    ...flat,
    ...nested,
    ['(list u32)', PAIR, new Uint32Array(), [[4, 0]]],
    [
      '(list (list (list string)))',
      PAIR,
      [[], [[]]],
      [
        [4, 16],
        [4, 0],
        [4, 8],
        [4, 0],
      ],
    ],
  ]);
});

/** Runs `get-environment` and `get-arguments` and answers what its realloc noted. */
const READS = `(component
  (import "wasi:cli/environment@0.2.0" (instance $env
    (export "get-environment" (func (result (list (tuple string string)))))
    (export "get-arguments" (func (result (list string))))))
  (core module $memory ${RECORDING} ${NOTED})
  (core instance $mem (instantiate $memory))
  (core func $variables (canon lower (func $env "get-environment")
    (memory (core memory $mem "memory")) (realloc (core func $mem "realloc"))))
  (core func $arguments (canon lower (func $env "get-arguments")
    (memory (core memory $mem "memory")) (realloc (core func $mem "realloc"))))
  (core module $main
    (import "env" "variables" (func $variables (param i32)))
    (import "env" "arguments" (func $arguments (param i32)))
    (import "env" "noted" (func $noted (result i32)))
    (func (export "read") (result i32)
      (call $variables (i32.const 0x9000))
      (call $arguments (i32.const 0x9000))
      (call $noted)))
  (core instance $i (instantiate $main (with "env" (instance
    (export "variables" (func $variables)) (export "arguments" (func $arguments))
    (export "noted" (func $mem "noted"))))))
  (func (export "read") (result (list (tuple u32 u32)))
    (canon lift (core func $i "read") (memory (core memory $mem "memory")))))`;

test('lowerUtf8() asks realloc for the empty strings and lists that host functions answer', async () => {
  const definition = await defineComponent(await parse(READS));
  const vm = new ComponentVm(definition);
  let bytes: Uint8Array = new Uint8Array();
  const sink = { result: (given: Uint8Array): void => void (bytes = given) };
  const component = { kind: 'function', interface: undefined, name: 'read', arguments: [], sink } as const;
  vm.run({ input: new Uint8Array(), arguments: [''], environment: { A: '' }, component }, 0);
  vm.close();
  assert.deepEqual(decodeResult(bytes), {
    kind: 'value',
    // The list of variables, "A" and its value; the list of arguments, the program's name and the empty one.
    value: [
      [4, 16],
      [1, 1],
      [1, 0],
      [4, 16],
      [1, 4],
      [1, 0],
    ],
  });
});

test('lowerUtf8() leaves an adapted command its variables and arguments, empty ones included', async () => {
  const environment = { A: '', B: 'x', C: '', D: '' };
  const dump = await defineComponent(await commandComponent('guests/env-dump'), { capabilities: { environment } });
  const { stdout } = runCommand(dump, { arguments: ['', 'one', '', ''] });
  const variables = Object.entries(environment).map(([name, value]) => `variable "${name}" "${value}"\n`);
  const given = ['test', '', 'one', '', ''].map((each) => `argument "${each}"\n`);
  assert.equal(stdout, [...given, ...variables].join(''));
});

const PAGES = 1600;

/** Functions f0, f1 and so on that answer a string or list of a length, said to be at a pointer. */
async function answering(
  types: readonly (readonly [type: string, pointer: number, length: number])[],
  encoding = 'utf8',
  given: Given = {},
): Promise<ComponentDefinition> {
  const cores = types.map(
    ([, pointer, length], at) => `(func (export "f${at}") (result i32)
      (i32.store (i32.const 0) (i32.const ${pointer}))
      (i32.store (i32.const 4) (i32.const ${length}))
      (i32.const 0))`,
  );
  const lifts = types.map(
    ([type], at) => `(func (export "f${at}") (result ${type})
      (canon lift (core func $i "f${at}") (memory (core memory $i "memory")) string-encoding=${encoding}))`,
  );
  const text = `(component
    (core module $m (memory (export "memory") ${PAGES}) ${cores.join('\n')})
    (core instance $i (instantiate $m))
    ${lifts.join('\n')})`;
  return defineComponent(await parse(text), given);
}

const outputBytes = 1024 * 1024;
const LIMITED: Given = { limits: { outputBytes } };
const TOO_MUCH: Ending = { kind: 'limit', limit: 'outputBytes', allowed: outputBytes };

test('countResult() ends a guest whose result would take too much of the host, before it is made', async () => {
  const results = {
    '(list u8)': 100_000_000,
    string: 100_000_000,
    '(list (list u8))': 12_000_000,
    '(list (list (list u8)))': 12_000_000,
    '(list string)': 12_000_000,
    '(list bool)': 100_000_000,
    '(list (option u8))': 50_000_000,
    '(list (tuple u8 u8))': 50_000_000,
    '(list (tuple (tuple (tuple (tuple u8)))))': 100_000_000,
    '(list (option (option (option u8))))': 25_000_000,
  };
  const cases = Object.entries(results).map(([type, length]) => [type, 8, length] as const);
  const definition = await answering(cases, 'utf8', LIMITED);
  const before = process.memoryUsage().rss;
  cases.forEach(([type], at) => {
    const { ending, result } = callIn(definition, `f${at}`);
    assert.deepEqual([ending, result], [TOO_MUCH, undefined], type);
  });
  assert.ok(process.memoryUsage().rss - before < 400 * 1024 * 1024);
});

test('callFunction() holds a result to outputBytes as it travels', async () => {
  const cases = [
    ['(list u8)', 8, outputBytes],
    ['(list u8)', 8, outputBytes - 100],
  ] as const;
  const definition = await answering(cases, 'utf8', LIMITED);
  assert.deepEqual(callIn(definition, 'f0').ending, TOO_MUCH);
  const { result } = callIn(definition, 'f1');
  assert.equal(result?.kind === 'value' && (result.value as Uint8Array).length, outputBytes - 100);
});

test('Lifts trap for what does not lie in the memory, is not aligned or is not Unicode', async () => {
  const size = PAGES * 65_536;
  const outside = ['string', '(list u8)', '(list u32)'].flatMap(
    (type) =>
      [
        [type, 8, size],
        [type, 8, -1],
        [type, -16, 1],
      ] as const,
  );
  // The first byte of the length is 0xff, which no UTF-8 has.
  const wrong = [
    ['(list u32)', 9, 1],
    ['(list string)', 9, 1],
    ['string', 4, 255],
  ] as const;
  const cases = [...outside, ['(list string)', size - 4, 1] as const, ...wrong];
  const definition = await answering(cases);
  cases.forEach(([type, pointer, length], at) => {
    const { ending } = callIn(definition, `f${at}`);
    const reason = at > outside.length ? 'other' : 'memory-out-of-bounds';
    assert.equal(ending.kind === 'trap' && ending.reason, reason, `${type} ${pointer} ${length}`);
  });
  const { ending } = callIn(await answering([['string', 8, size]], 'utf16'), 'f0');
  assert.equal(ending.kind === 'trap' && ending.reason, 'memory-out-of-bounds');
});

/** A function that answers the string it was given. */
function echo(encoding: string): string {
  return `(component
    (core module $m ${RECORDING}
      (func (export "f") (param i32 i32) (result i32)
        (i32.store (i32.const 0x8000) (local.get 0))
        (i32.store (i32.const 0x8004) (local.get 1))
        (i32.const 0x8000)))
    (core instance $i (instantiate $m))
    (func (export "f") (param "s" string) (result string)
      (canon lift (core func $i "f") (memory (core memory $i "memory"))
        (realloc (core func $i "realloc")) string-encoding=${encoding})))`;
}

test('Lifts keep a byte order mark, and every scalar value of a string', async () => {
  for (const encoding of ['utf8', 'utf16']) {
    const definition = await defineComponent(await parse(echo(encoding)));
    for (const text of ['', '\ufeffa', 'é\u2028\0z', '\u{10ffff}\ud7ff\ue000']) {
      assert.deepEqual(callIn(definition, 'f', text).result, { kind: 'value', value: text }, encoding);
    }
    assert.deepEqual(callIn(definition, 'f', 'a\ud800').result, { kind: 'value', value: 'a\ufffd' }, encoding);
  }
});

test('bytesOf() refuses numbers of another size than the type says', async () => {
  const definition = await defineComponent(await parse(taking([['(list u32)', PAIR]], 'utf8')));
  // A Buffer is a part of a larger pool, which is none of the guest's.
  assert.equal(callIn(definition, 'f0', Buffer.from('ab')).result?.kind, 'mistake');
  assert.deepEqual(callIn(definition, 'f0', Uint32Array.of(1, 2)).result, { kind: 'value', value: [[4, 8]] });
});
