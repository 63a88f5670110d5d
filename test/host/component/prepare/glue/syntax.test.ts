import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseFunction, parseGlue, UnknownShape, walk } from '../../../../../host/component/prepare/glue/syntax.ts';

const namesIn = (source: string, skip?: string): readonly string[] => {
  const names: string[] = [];
  for (const statement of parseGlue(source)) {
    walk(statement, ({ type, name }, parents) => {
      if (name !== undefined) names.push(`${parents.length}${name}`);
      return type !== skip;
    });
  }
  return names;
};

test('walk() visits outer nodes first, in the order of the text, each with its parents', () => {
  assert.deepEqual(namesIn('a(b, [c]); d;'), ['2a', '2b', '3c', '1d']);
});

test('walk() does not go into nodes for which it is answered false', () => {
  assert.deepEqual(namesIn('a(b, [c, [d]], e);', 'ArrayExpression'), ['2a', '2b', '2e']);
});

test('walk() goes through lists that are longer than a call may have arguments', () => {
  let count = 0;
  for (const statement of parseGlue(`[${'0,'.repeat(200_000)}]`)) walk(statement, () => void count++);
  assert.equal(count, 200_002);
});

test('parseFunction() takes one function and nothing else', () => {
  assert.equal(parseFunction('function f(a) { return a; }').params.length, 1);
  for (const source of ['1', 'function f() {} ', 'function f() {}, 1', '() => 1', 'function f() {}()']) {
    assert.throws(() => parseFunction(source), UnknownShape, source);
  }
  assert.throws(() => parseFunction('function f( {'), SyntaxError);
});
