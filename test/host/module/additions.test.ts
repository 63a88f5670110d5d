import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Additions } from '../../../host/module/additions.ts';
import { readLayout } from '../../../host/module/layout.ts';
import { assemble } from '../../wat.ts';

const I32 = 0x7f;
const I64 = 0x7e;

const additionsTo = async (fields: string): Promise<Additions> =>
  new Additions(readLayout(await assemble(`(module ${fields})`)));

test('Additions.typeIndex() is that of the first equal type of the module, or of one that is added once', async () => {
  const additions = await additionsTo('(type (func (param i32))) (type (func (result i32))) (type (func (param i32)))');
  const index = (parameters: number[], results: number[]): number => additions.typeIndex({ parameters, results });
  assert.equal(index([I32], []), 0);
  assert.equal(index([], [I32]), 1);
  assert.deepEqual(additions.types, []);
  assert.deepEqual([index([I32], [I64]), index([], []), index([I32], [I64]), index([], [])], [3, 4, 3, 4]);
  assert.deepEqual(additions.types, [
    { parameters: [I32], results: [I64] },
    { parameters: [], results: [] },
  ]);
});

test('Additions.flag() and shadowGlobal() number what they add behind the imported globals and the module’s own', async () => {
  const additions = await additionsTo('(import "m" "g" (global i32)) (global (mut i32) (i32.const 1))');
  assert.deepEqual([additions.flag(), additions.shadowGlobal(1), additions.flag('named')], [2, 3, 4]);
  assert.equal(additions.globals.length, 3);
  assert.deepEqual(
    additions.exports.map(({ name, index }) => [name, index]),
    [['named', 4]],
  );
});
