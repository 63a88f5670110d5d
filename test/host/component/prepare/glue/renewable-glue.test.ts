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
