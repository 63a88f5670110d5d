import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { repetitions } from '../../repetitions.ts';
import { countFds, skip } from '../filesystem/machine-fixture.ts';

/** Source of a worker that mounts a directory, opens files and never closes them, then makes path calls for ever. */
function createSource(resolver: string): string {
  const module = new URL('../../../host/filesystem/machine-mount.js', import.meta.url).href;
  return `
    const { workerData, parentPort } = require('node:worker_threads');
    import(${JSON.stringify(module)}).then(({ mountMachine }) => {
      const mount = { guest: '/d', machine: workerData, access: 'read-only' };
      const root = mountMachine(mount, { resolver: '${resolver}' }).open();
      const path = new TextEncoder().encode('a/./../a/file');
      const request = { path, followSymlinks: true, oflags: 0, fdflags: 0, read: true, write: false };
      const result = { stat: {} };
      for (let index = 0; index < 30; index++) root.open(request, result);
      parentPort.postMessage('busy');
      for (;;) {
        root.statAt(path, true, result);
        root.open(request, result);
        result.descriptor.close();
      }
    });`;
}

for (const resolver of ['kernel', 'walk']) {
  test(`openBeneath() and openIn() leave nothing open when their worker is terminated (${resolver})`, {
    skip,
    timeout: 60_000,
  }, async () => {
    const base = mkdtempSync(join(tmpdir(), 'nebula-owned-'));
    mkdirSync(join(base, 'a'));
    writeFileSync(join(base, 'a/file'), 'x');
    for (let round = 0; round < repetitions(20); round++) {
      const worker = new Worker(createSource(resolver), { eval: true, workerData: base });
      await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
      assert.ok(countFds(base) > 30);
      await new Promise((resolve) => setTimeout(resolve, round % 5));
      await worker.terminate();
    }
    assert.equal(countFds(base), 0);
    rmSync(base, { recursive: true });
  });
}
