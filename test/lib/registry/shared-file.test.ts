import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { readShared } from '../../../lib/registry/shared-file.ts';
import { temporaryDirectory } from '../tiny-module.ts';

test('readShared() reads the whole of a file, also an empty one, into memory that threads share', async (context) => {
  const path = join(temporaryDirectory(context), 'file');
  for (const content of [Buffer.alloc(3 * 2 ** 20, 'content'), Buffer.alloc(0)]) {
    writeFileSync(path, content);
    const read = await readShared(path);
    assert.ok(content.equals(read));
    assert.ok(read.buffer instanceof SharedArrayBuffer);
  }
});

test('readShared() reads what does not tell its size: a pipe, and a file of the kernel', async (context) => {
  const path = join(temporaryDirectory(context), 'pipe');
  execFileSync('mkfifo', [path]);
  const writer = spawn('sh', ['-c', `printf content > '${path}'`], { stdio: 'ignore' });
  context.after(() => writer.kill());
  assert.equal(Buffer.from(await readShared(path)).toString(), 'content');
  assert.ok(readFileSync('/proc/self/cmdline').equals(await readShared('/proc/self/cmdline')));
});

test('readShared() fails as reading does', async (context) => {
  const folder = temporaryDirectory(context);
  await assert.rejects(readShared(join(folder, 'missing')), { code: 'ENOENT' });
  await assert.rejects(readShared(folder), { code: 'EISDIR' });
});
