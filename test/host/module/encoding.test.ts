import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EXTERNAL, EXTERNAL_KINDS, isTypedReference, MODULE_PREAMBLE, TYPE } from '../../../host/module/encoding.ts';

test('MODULE_PREAMBLE is the smallest module there is', () => {
  assert.equal(WebAssembly.validate(Uint8Array.from(MODULE_PREAMBLE)), true);
});

test('EXTERNAL has the number of each of EXTERNAL_KINDS', () => {
  assert.deepEqual(
    EXTERNAL_KINDS.map((kind) => EXTERNAL[kind]),
    [0, 1, 2, 3, 4],
  );
});

test('isTypedReference() tells the value types that a heap type follows', () => {
  assert.deepEqual(
    Array.from({ length: 256 }, (_, type) => type).filter((type) => isTypedReference(type)),
    [0x63, 0x64],
  );
  assert.ok(Object.values(TYPE).every((type) => !isTypedReference(type)));
});
