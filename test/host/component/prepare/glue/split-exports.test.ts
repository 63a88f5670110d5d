import assert from 'node:assert/strict';
import { test } from 'node:test';
import { splitExports } from '../../../../../host/component/prepare/glue/split-exports.ts';
import { evaluateGlue } from '../../../../../host/component/vm/glue-realm.ts';

/** An exported function as jco writes it, after what it lowers and before what it lifts. */
const glue = (lower: string, lift: string, call = 'answer = '): string => `(function instantiate(core, $values, log) {
  const _withGlobalCurrentTaskMeta = ({ fn }) => { log.push('within'); return fn(); };
  function greet(text) {
    return _withGlobalCurrentTaskMeta({ taskID: 1, fn: () => {
      try {
        ${lower}
        let answer;
        try {
          ${call}_withGlobalCurrentTaskMeta({ taskID: 1, fn: () => core(text) });
        } catch (error) {
          throw (log.push('trapped'), error);
        }
        ${lift}
      } catch (error) {
        throw (log.push('failed'), error);
      }
    } });
  }
  return greet;
})`;

type Core = (text: unknown) => unknown;

interface Values {
  isSplit(): boolean;
  split(call: () => unknown, conclude: (answer: unknown) => unknown): void;
}

interface Made {
  readonly text: string;
  readonly log: string[];
  readonly greet: (core: Core, values: Values) => (text: unknown) => unknown;
}

function make(lower: string, lift: string, call?: string): Made {
  const source = glue(lower, lift, call);
  const text = splitExports(source.slice(1, -1));
  const log: string[] = [];
  type Instantiate = (core: Core, values: Values, log: string[]) => (text: unknown) => unknown;
  const instantiate = evaluateGlue(`(${text})`, 'glue.js') as Instantiate;
  return { text, log, greet: (core, values) => instantiate(core, values, log) };
}

const WHOLE: Values = { isSplit: () => false, split: () => assert.fail('it is whole') };
const LIFT = `var twice = answer + answer; log.push('lifted'); if (twice === 'nono') throw 'none'; return twice;`;
const LOWER = `var length = text.length; log.push('lowered ' + length);`;

test('splitExports() leaves a function as it was where nobody takes its call', () => {
  const { greet, log } = make(LOWER, LIFT);
  assert.equal(greet((text) => text, WHOLE)('ab'), 'abab');
  assert.deepEqual(log.splice(0), ['within', 'lowered 2', 'lifted']);
  assert.throws(
    () => greet((text) => text, WHOLE)('no'),
    (error) => error === 'none',
  );
  assert.deepEqual(log.splice(0), ['within', 'lowered 2', 'lifted', 'failed']);
  const trap = new WebAssembly.RuntimeError('unreachable');
  const trapping = greet(() => {
    throw trap;
  }, WHOLE);
  assert.throws(() => trapping('ab'), trap);
  assert.deepEqual(log, ['within', 'lowered 2', 'trapped', 'failed']);
});

test('splitExports() has the call and what lifts its answer given away', () => {
  for (const [call, expected] of [
    ['answer = ', 'later later'],
    ['', 'undefined'],
  ] as const) {
    const { greet, log } = make(LOWER, call === '' ? `log.push('lifted'); return String(answer);` : LIFT, call);
    let given: Parameters<Values['split']> | undefined;
    const taking: Values = { isSplit: () => true, split: (...calls) => void (given = calls) };
    assert.equal(greet((text) => text, taking)('ab'), undefined);
    assert.deepEqual(log, ['within', 'lowered 2']);
    assert.equal(given?.[0](), 'ab');
    assert.equal(given?.[1](call === '' ? undefined : 'later '), call === '' ? expected : 'later later ');
    assert.deepEqual(log, ['within', 'lowered 2', 'lifted']);
  }
});

test('splitExports() does not split what shares a variable with what comes before', () => {
  const shared = make(`twice = 1;`, LIFT);
  assert.equal(shared.text, glue(`twice = 1;`, LIFT).slice(1, -1));
  assert.notEqual(make(`text.twice;`, LIFT).text, glue(`text.twice;`, LIFT).slice(1, -1), 'a property is no variable');
});
