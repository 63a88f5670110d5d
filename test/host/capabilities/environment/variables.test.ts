import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mergeVariables } from '../../../../host/capabilities/environment/variables.ts';

test('mergeVariables() puts those of a call in place of granted ones, and copies nothing without any', () => {
  const granted = { A: '1', B: '2' };
  assert.equal(mergeVariables(granted, undefined), granted);
  assert.deepEqual(mergeVariables(granted, { B: '3', C: '4' }), { A: '1', B: '3', C: '4' });
  assert.deepEqual(granted, { A: '1', B: '2' });
});
