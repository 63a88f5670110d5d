import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FunctionRecord } from '../../../lib/schema/function-record.ts';
import type { Manifest } from '../../../lib/schema/manifest.ts';
import {
  fromManifestJson,
  fromRecordJson,
  toManifestJson,
  type ManifestJson,
} from '../../../lib/wire/manifest-json.ts';

const manifest: Manifest = {
  name: 'a',
  capabilities: {
    mounts: [
      { guest: '/m', machine: '/srv', access: 'read-only' },
      { guest: '/f', files: { text: 'ü', bytes: new Uint8Array([0, 255]) }, access: 'read-write' },
    ],
  },
};

function throughJson(value: unknown): unknown {
  return JSON.parse(JSON.stringify(toManifestJson(value)));
}

test('fromManifestJson() reads what toManifestJson() writes, without $schema', () => {
  assert.deepEqual(fromManifestJson(throughJson(manifest) as ManifestJson), manifest);
  assert.deepEqual(fromManifestJson({ $schema: 'x', name: 'a' }), { name: 'a' });
});

test('toManifestJson() leaves out what is undefined', () => {
  assert.deepEqual(toManifestJson({ name: 'a', entry: undefined }), { name: 'a' });
});

test('fromRecordJson() gives back the bytes of files', () => {
  const record = { name: 'a', version: 1, manifest } as FunctionRecord;
  assert.deepEqual(fromRecordJson(throughJson(record) as FunctionRecord), record);
});
