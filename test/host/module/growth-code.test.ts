import assert from 'node:assert/strict';
import { test } from 'node:test';
import { counterModule } from '../../../host/module/growth-code.ts';

test('counterModule() takes what there is, refuses more, and takes back', () => {
  const { take, left } = new WebAssembly.Instance(new WebAssembly.Module(counterModule())).exports as unknown as {
    take: (count: number) => number;
    left: WebAssembly.Global<'i32'>;
  };
  left.value = 10;
  assert.equal(take(11), 0);
  assert.equal(left.value, 10);
  assert.equal(take(4), 1);
  assert.equal(take(6), 1);
  assert.equal(left.value, 0);
  assert.equal(take(0), 1);
  assert.equal(take(1), 0);
  assert.equal(take(-3), 1);
  assert.equal(left.value, 3);
});
