import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Ajv } from 'ajv';
import type { Manifest } from '../../../lib/schema/manifest.ts';
import { manifestSchema } from '../../../lib/schema/manifest.ts';

test('manifestSchema is a JSON Schema that a strict validator of another draft takes', () => {
  const json = JSON.parse(JSON.stringify(manifestSchema)) as object;
  assert.equal(new Ajv().validate(json, { name: 'a' }), true);
  assert.equal(new Ajv().validate(json, { name: 'a', x: 1 }), false);
});

test('Manifest takes constants, and binary files as bytes', () => {
  const manifest = {
    name: 'a',
    capabilities: {
      arguments: ['-v'],
      mounts: [{ guest: '/', files: { text: 'x', bytes: new Uint8Array(1) }, access: 'read-only' }],
    },
    init: { allow: ['mounts'] },
  } as const satisfies Manifest;
  assert.equal(manifest.capabilities.mounts[0].files.bytes.length, 1);
});
