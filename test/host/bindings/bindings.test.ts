import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BindingError, isBindingError } from '../../../host/bindings/binding-error.ts';
import { BindingTable } from '../../../host/bindings/bindings.ts';

const echo = (bytes: Uint8Array): Uint8Array => bytes;

test('BindingTable finds own functions by their whole names, and tells those that are async', () => {
  const table = new BindingTable({ orders: { lookup: echo, later: async (bytes) => bytes }, 'a-1': { b: echo } });
  assert.deepEqual(table.names, ['a-1', 'orders']);
  assert.deepEqual(
    table.of('orders')?.map(({ name, isAsync }) => [name, isAsync]),
    [
      ['orders.lookup', false],
      ['orders.later', true],
    ],
  );
  assert.equal(table.get('a-1.b')?.name, 'a-1.b');
  for (const name of ['orders', 'orders.toString', 'orders.constructor', '__proto__', 'toString', 'orders.__proto__'])
    assert.equal(table.get(name), undefined, name);
});

test('BindingTable calls a function on its binding, as it was when the table was made', () => {
  const orders: Record<string, (this: unknown) => string> = {
    lookup() {
      return this === orders ? 'kept' : 'lost';
    },
  };
  const table = new BindingTable({ orders });
  orders['lookup'] = () => 'another';
  assert.equal(table.get('orders.lookup')?.run(new Uint8Array(), {} as never), 'kept');
});

for (const [bindings, message] of [
  [{ Orders: { lookup: echo } }, /bindings\.Orders.*a name of 1 to 64/],
  [JSON.parse('{"__proto__": {"a": 1}}'), /bindings\.__proto__.*a name/],
  [{ orders: {} }, /an object with a function of its own/],
  [{ orders: null }, /an object of functions/],
  [{ orders: echo }, /an object of functions/],
  [{ orders: { 'look up': echo } }, /functions named with/],
  [{ orders: { lookup: 'text' } }, /bindings\.orders\.lookup.*a function/],
] as [never, RegExp][]) {
  test(`BindingTable refuses ${String(message)}`, () => {
    assert.throws(() => new BindingTable(bindings), { code: 'ERR_NEBULA_ARGUMENT', message });
  });
}

test('BindingError has a code that a guest can go by, and is told by its brand', () => {
  const error = new BindingError('no order 7', { code: 'missing', cause: 1 });
  assert.deepEqual([error.code, error.message, error.cause], ['missing', 'no order 7', 1]);
  assert.equal(new BindingError('x').code, 'failed');
  assert.ok(isBindingError(error));
  for (const other of [new Error('x'), { code: 'missing' }, null, undefined, 'x']) assert.ok(!isBindingError(other));
  for (const code of ['', 'Missing', 'a b', 'a\nb', `a${'x'.repeat(64)}`])
    assert.throws(() => new BindingError('x', { code }), TypeError);
});
