import assert from 'node:assert/strict';
import { test } from 'node:test';

test('the package exports these names and no others', async () => {
  const face = await import('nebula-faas');
  assert.deepEqual(Object.keys(face).sort(), [
    'ComponentError',
    'NebulaClient',
    'NebulaError',
    'createNebula',
    'isNebulaError',
    'startServer',
  ]);
});
