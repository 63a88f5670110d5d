import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseManifest } from '../../../lib/manifest/manifest.ts';
import { mergeManifests, resolveMounts } from '../../../lib/manifest/merge.ts';

test('resolveMounts() makes machine paths absolute, or refuses where there is no folder', () => {
  const manifest = parseManifest({
    name: 'a',
    capabilities: { mounts: [{ guest: '/d', machine: 'data', access: 'read-only' }] },
  });
  assert.deepEqual(resolveMounts(manifest, '/srv/x').capabilities?.mounts, [
    { guest: '/d', machine: '/srv/x/data', access: 'read-only' },
  ]);
  assert.throws(() => resolveMounts(manifest, undefined), {
    code: 'ERR_NEBULA_MANIFEST_INVALID',
    message: /"capabilities.mounts.0.machine" must be an absolute path .* got "data"/,
  });
});

test('mergeManifests() puts options over a manifest field by field, and limits, init and http one level deeper', () => {
  const manifest = { name: 'a', entry: 'handle', limits: { timeoutMs: 1, openFiles: 5 }, http: { showFailures: true } };
  assert.deepEqual(
    mergeManifests(manifest, {
      entry: undefined as never,
      limits: { timeoutMs: 2 },
      http: { contentType: 'text/plain' },
    }),
    {
      name: 'a',
      entry: 'handle',
      limits: { timeoutMs: 2, openFiles: 5 },
      http: { showFailures: true, contentType: 'text/plain' },
    },
  );
});
