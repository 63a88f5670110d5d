import assert from 'node:assert/strict';
import { test } from 'node:test';
import { plainFactory, renewableFactory } from '../../../../../host/component/prepare/glue/renewable-glue.ts';

type Instantiate = (...given: readonly unknown[]) => () => unknown;

function evaluate(script: string): () => Instantiate {
  // oxlint-disable-next-line no-implied-eval, typescript/no-implied-eval -- what the transpiler does with real glue
  return new Function(`'use strict'; return ${script}`)() as () => Instantiate;
}

/** The shapes of jco's glue: counters, tables, classes with static fields, patterns, a generator, functions with properties. */
const GLUE = `function instantiate(first, imports, make = () => 'made') {
  let count = 0, table = [1], calls = new Map;
  const key = Symbol('key');
  function next() { return ++count; }
  class Task {
    static ID = 0;
    static State = { seen: 0 };
    #own = 1;
    static allot() { return ++Task.ID; }
    own() { return this.#own++; }
  }
  let { Thing, Other: Renamed } = imports;
  if (Thing === undefined) throw Error('no Thing');
  let read = () => Renamed;
  let steps = (function* () { table.push(2); yield 1; yield first; })();
  next.uses = [];
  let unset;
  return () => {
    table.push(3);
    next.uses.push(1);
    calls.set(count, 1);
    Task.State.seen++;
    unset = unset === undefined ? 'set' : 'again';
    return JSON.stringify([next(), Task.allot(), Task.State.seen, new Task().own(), table, calls.size, Thing, read(),
      make(), [...steps], next.uses.length, unset, typeof key]);
  };
}`;

test('renewableFactory() makes glue whose every call begins as the first did, with the same classes', () => {
  const factory = evaluate(renewableFactory(GLUE));
  const plain = evaluate(plainFactory(GLUE));
  const given = ['x', { Thing: 1, Other: 2 }] as const;
  const expected = [0, 1].map(() => plain()(...given)).map((run) => [run(), run()]);
  const instantiate = factory();
  for (let round = 0; round < 3; round++) {
    const run = instantiate(...given);
    assert.deepEqual([run(), run()], expected[0]);
  }
  assert.match(String(instantiate('y', { Thing: 3, Other: 4 }, () => 'given')()), /3,4,"given",\["?1"?,"y"\]/);
  assert.throws(() => instantiate('x', {}), /no Thing/);
});

test('renewableFactory() gives each factory call a state of its own', () => {
  const factory = evaluate(renewableFactory(GLUE));
  const [left, right] = [factory()('x', { Thing: 1 }), factory()('x', { Thing: 1 })];
  const first = left();
  assert.equal(right(), first);
  assert.notEqual(left(), first);
});

test('renewableFactory() leaves glue of another shape as it is', () => {
  for (const body of [
    'class A { static { A.x = 1; } } return () => 1;',
    'class A { static #n = 0; } return () => 1;',
    'class A extends Error {} return () => 1;',
    'let [a] = [1]; return () => a;',
  ]) {
    const glue = `function instantiate() { ${body} }`;
    assert.equal(renewableFactory(glue), plainFactory(glue), body);
  }
  assert.equal(renewableFactory('not a function'), plainFactory('not a function'));
  assert.equal(typeof evaluate(plainFactory('function instantiate() { return () => 1; }'))()()(), 'number');
});

/** A core module and what it is linked with, in the shapes of jco's: `linked` stands among the statements that link. */
const linking = (
  linked = '',
  begun = '',
): string => `function instantiate(getCore, imports, instantiateCore = (module) => module) {
  let table = [], tasks = new Map, seen = new Set, count = 0, flag = new WebAssembly.Global({ value: 'i32', mutable: !0 }, 1);
  let module = getCore('core.wasm'), { Thing } = imports['a:b/c'];
  if (Thing === undefined) throw Error('no Thing');
  let waiting, steps = (function* () {
    let handles = [0], resources = new Map, next = 0;
    handles.used = new Set;
    table[2] = handles;
    let memory, core, last, unset;
    function call() {
      handles.push(++next);
      resources.set(next, Thing);
      handles.used.add(next);
      tasks.set(next, 1);
      seen.add(next);
      count++;
      flag.value++;
      unset = unset === undefined ? 'set' : 'again';
      waiting = waiting === undefined ? 'waits' : 'waits again';
      return JSON.stringify([handles, resources.size, next, handles.used.size, table[2] === handles, tasks.size, seen.size,
        count, flag.value, unset, waiting, memory, core.name, last.name, typeof Thing]);
    }
    ${begun}
    ({ exports: core } = instantiateCore(module, { n0: Object.assign(call, { _jcoMaySuspend: !1 }) })), memory = core.memory;
    ${linked}
    try { WebAssembly.promising(core.run) } catch { core.run }
    let $ = { call };
    return { exports: last } = instantiateCore(module), { $, call };
  })();
  let ended = runNext(null);
  function runNext(given) { return steps.next(given).value; }
  return ended;
}`;

interface Exports {
  readonly call: () => string;
}

interface Renewable {
  (...given: readonly unknown[]): Exports;
  readonly renew?: () => void;
}

test('renewableFactory() makes glue that puts its state back in place, its exports and links as they are', () => {
  const instantiate = evaluate(renewableFactory(linking()))() as unknown as Renewable;
  let linked = 0;
  const given = [
    () => 'module',
    { 'a:b/c': { Thing: Object } },
    () => {
      linked++;
      return { exports: { name: 'core', memory: 'memory', run() {} } };
    },
  ] as const;
  const exports = instantiate(...given);
  const [first, second] = [exports.call(), exports.call()];
  assert.notEqual(first, second);
  for (let round = 0; round < 3; round++) {
    instantiate.renew?.();
    assert.deepEqual([exports.call(), exports.call()], [first, second]);
  }
  assert.equal(linked, 2);
  // Linked anew it is in the same state, too.
  const { call } = instantiate(...given);
  assert.deepEqual([call(), call(), linked], [first, second, 4]);
});

test('renewableFactory() puts no state in place where what links does more than that', () => {
  const others = {
    'a call that may change state': linking('tasks.set(0, 0);'),
    'a property': linking('table[3] = memory;'),
    'a count': linking('next++;'),
    'an object with a state': linking('let more = new Map;'),
    'a loop': linking('for (const each of table) memory = each;'),
    'a variable in a block': linking('', 'if (next === 0) { var block = 1; }'),
  };
  for (const [what, glue] of Object.entries(others)) {
    const instantiate = evaluate(renewableFactory(glue))() as unknown as Renewable;
    assert.equal(instantiate.renew, undefined, what);
    assert.equal(typeof instantiate, 'function', what);
  }
});

test('renewableFactory() has what core modules import that is bound to state of the glue work on the state that it has', () => {
  const glue = linking('', 'let noted = note.bind(null, handles); function note(list, value) { list.push(value); }');
  const instantiate = evaluate(
    renewableFactory(glue.replace('Object.assign(call,', 'Object.assign(noted,')),
  )() as unknown as Renewable;
  let imported: ((value: number) => void) | undefined;
  const exports = instantiate(
    () => 'module',
    { 'a:b/c': { Thing: Object } },
    (_module: unknown, imports?: { readonly n0: typeof imported }) => {
      imported ??= imports?.n0;
      return { exports: { name: 'core', memory: 'memory', run() {} } };
    },
  );
  imported?.(77);
  const first = exports.call();
  assert.match(first, /^\[\[0,77,1\]/);
  instantiate.renew?.();
  imported?.(77);
  assert.equal(exports.call(), first);
});
