import assert from 'node:assert/strict';
import { test } from 'node:test';
import { serialize } from 'node:v8';
import * as fc from 'fast-check';
import { sizeOf, Untransferable } from '../../../../host/component/vm/value-size.ts';

/** Values as the glue lifts them. */
const { value } = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.string({ unit: 'grapheme' }),
    fc.double(),
    fc.boolean(),
    fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    fc.constant(undefined),
    fc.uint8Array(),
    fc.array(tie('value')),
    fc.array(fc.tuple(fc.string(), tie('value'))).map((entries) => new Map(entries)),
    fc.dictionary(fc.stringMatching(/^[a-z]+$/), tie('value')),
  ),
}));

test('sizeOf() is as large as what travels, give or take a few bytes for each value', () => {
  fc.assert(
    fc.property(value, (given) => {
      const sizeBytes = sizeOf(given, Infinity);
      const travels = serialize(given).length;
      assert.ok(travels <= 2 * sizeBytes + 40, `${travels} for ${sizeBytes}`);
      assert.ok(sizeBytes <= 12 * travels, `${sizeBytes} for ${travels}`);
    }),
  );
});

test('sizeOf() counts names of fields and cases for each value that has them', () => {
  const long = 'a'.repeat(5000);
  const sizeBytes = sizeOf(
    Array.from({ length: 1000 }, () => ({ [long]: long })),
    Infinity,
  );
  assert.ok(sizeBytes > 10_000_000 && sizeBytes < 10_100_000, String(sizeBytes));
});

test('sizeOf() stops counting above the limit', () => {
  let read = 0;
  const element = Object.defineProperty({}, 'a', {
    enumerable: true,
    get: () => {
      read++;
      return '0123456789';
    },
  });
  assert.ok(
    sizeOf(
      Array.from({ length: 10_000 }, () => element),
      1000,
    ) > 1000,
  );
  assert.ok(read < 100, String(read));
});

test('sizeOf() refuses a resource, a function and a promise wherever they are', () => {
  // The glue makes a resource of the prototype of a class.
  const resource: unknown = Object.create(URL.prototype);
  for (const given of [resource, new Date(0), (): void => undefined, Promise.resolve(1)]) {
    for (const held of [given, [given], { tag: 'some', val: given }]) {
      assert.throws(() => sizeOf(held, Infinity), Untransferable);
    }
  }
});
