import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULT_LIMITS, LIMITS } from '../../../host/limits.ts';
import { allLimitsSchema, limitsSchema } from '../../../lib/schema/limits.ts';

interface Shape {
  readonly required?: readonly string[];
  readonly properties: Readonly<Record<string, { minimum: number; maximum: number; default: number }>>;
}

test('limitsSchema has every limit, with its default inside its range', () => {
  const { properties, required } = limitsSchema as unknown as Shape;
  assert.equal(required, undefined);
  assert.deepEqual(Object.keys(properties), Object.keys(LIMITS));
  for (const [name, schema] of Object.entries(properties)) {
    assert.equal(schema.default, DEFAULT_LIMITS[name as keyof typeof LIMITS]);
    assert.ok(schema.default >= schema.minimum && schema.default <= schema.maximum, name);
  }
});

test('allLimitsSchema wants every limit', () => {
  assert.deepEqual((allLimitsSchema as unknown as Shape).required, Object.keys(LIMITS));
});
