import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Ajv } from 'ajv';
import { Type, type TSchema } from 'typebox';
import { functionRecordSchema } from '../../../lib/schema/function-record.ts';
import { invokeOptionsSchema } from '../../../lib/schema/invoke-options.ts';
import { nebulaOptionsSchema } from '../../../lib/schema/nebula-options.ts';
import { malformedRequestSchema, problemSchema } from '../../../lib/schema/problem.ts';
import { createCheck, describeMisfit, showValue } from '../../../lib/schema/validation.ts';

describe('createCheck()', () => {
  const findMisfit = createCheck(
    Type.Object(
      {
        list: Type.Optional(Type.Array(Type.String({ description: 'a word' }))),
        signal: Type.Optional(Type.Unsafe({ instanceOf: 'AbortSignal', description: 'an AbortSignal' })),
        markers: Type.Optional(Type.Unsafe({ methods: ['start'], description: 'an object with start' })),
        size: Type.Integer(),
      },
      { additionalProperties: false },
    ),
  );

  for (const [value, misfit, words] of [
    [{ size: 1 }, undefined, ''],
    [{ size: 1, signal: AbortSignal.abort(), markers: { start() {} } }, undefined, ''],
    [{}, { kind: 'missing', field: 'size', expected: 'an integer', got: undefined }, 'an integer, got nothing'],
    [{ size: 'x' }, { kind: 'value', field: 'size', expected: 'an integer', got: 'x' }, 'an integer, got "x" (string)'],
    [{ size: 1, list: [5] }, { kind: 'value', field: 'list.0', expected: 'a word', got: 5 }, 'a word, got 5 (number)'],
    [
      { size: 1, sise: 2 },
      { kind: 'unknown', field: 'sise', expected: 'list, signal, markers, size', got: 2 },
      'unknown field "sise": expected one of list, signal, markers, size',
    ],
    [
      { size: 1, signal: {} },
      { kind: 'value', field: 'signal', expected: 'an AbortSignal', got: {} },
      'field "signal" must be an AbortSignal, got {} (object)',
    ],
    [
      { size: 1, markers: { end: 1 } },
      { kind: 'value', field: 'markers', expected: 'an object with start', got: { end: 1 } },
      'field "markers" must be an object with start',
    ],
  ] as const) {
    it(`says of ${JSON.stringify(value)} what does not fit`, () => {
      const found = findMisfit(value);
      assert.deepEqual(found, misfit);
      if (found !== undefined) assert.ok(describeMisfit(found).includes(words), describeMisfit(found));
    });
  }
});

describe('showValue()', () => {
  it('cuts what is long, and says of what kind it is', () => {
    assert.equal(showValue('x'.repeat(100)), `"${'x'.repeat(76)}... (string)`);
    assert.equal(showValue(null), 'null (null)');
    assert.equal(showValue([1]), '[1] (list)');
  });
});

const SCHEMAS: Readonly<Record<string, TSchema>> = {
  functionRecordSchema,
  invokeOptionsSchema,
  nebulaOptionsSchema,
  problemSchema,
  malformedRequestSchema,
};

for (const [name, schema] of Object.entries(SCHEMAS)) {
  it(`${name} is a JSON Schema`, () => {
    const ajv = new Ajv({ strict: false, validateFormats: false });
    assert.equal(ajv.validateSchema(JSON.parse(JSON.stringify(schema)) as object), true);
  });
}
