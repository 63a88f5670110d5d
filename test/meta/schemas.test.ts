/** Schemas are loaded where manifests and options are read, not where guests run. */

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';

// Compiled to dist/test/meta.
const dist = join(import.meta.dirname, '..', '..');

/** Packages that a compiled module imports before it runs, by way of whatever it imports. */
function packagesOf(file: string, seen: Set<string> = new Set()): Set<string> {
  const packages = new Set<string>();
  if (seen.has(file)) return packages;
  seen.add(file);
  for (const [, from = ''] of readFileSync(file, 'utf8').matchAll(/^(?:import|export) [^;]*?from '([^']+)';$/gm)) {
    if (!from.startsWith('.')) packages.add(from);
    else for (const name of packagesOf(join(dirname(file), from), seen)) packages.add(name);
  }
  return packages;
}

for (const entry of [
  'host/thread/guest-thread.js',
  'pools/worker/entry.js',
  'pools/worker/pool.js',
  'pools/in-thread/executor.js',
]) {
  test(`${entry} loads neither typebox nor ajv`, () => {
    const file = join(dist, entry);
    assert.ok(existsSync(file), file);
    const packages = packagesOf(file);
    assert.ok(packages.size > 0);
    assert.deepEqual(
      [...packages].filter((name) => /^(typebox|ajv)/.test(name)),
      [],
    );
  });
}
