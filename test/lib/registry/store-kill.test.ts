import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { digestOf } from '../../../lib/registry/digest.ts';
import { Store } from '../../../lib/registry/store.ts';
import { temporaryDirectory, tinyModule } from '../tiny-module.ts';

interface Line {
  readonly name: string;
  readonly version: number;
  readonly description?: string;
}

/** What the writer said it had done before it was killed. */
async function writeUntilKilled(context: TestContext, directory: string, lifeMs: number): Promise<readonly Line[]> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'store-writer.js'), directory]);
  context.after(() => child.kill('SIGKILL'));
  let output = '';
  let complaint = '';
  child.stderr.on('data', (chunk: Buffer) => (complaint += chunk.toString()));
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  await Promise.race([once(child.stdout, 'data'), once(child, 'close')]);
  await sleep(lifeMs);
  child.kill('SIGKILL');
  if (child.exitCode === null && child.signalCode === null) await once(child, 'close');
  assert.equal(complaint, '');
  const lines = output.split('\n').slice(0, -1);
  assert.ok(lines.length > 0, 'the writer did nothing');
  return lines.map((line) => JSON.parse(line) as Line);
}

test('Store survives kill -9 at any moment: what was answered is there, nothing is half there', async (context) => {
  const directory = temporaryDirectory(context);
  for (let kill = 0; kill < 8; kill++) {
    const lines = await writeUntilKilled(context, directory, Math.random() * 120);
    const store = await Store.open(directory);
    const { functions, corrupt } = await store.load();
    assert.equal(corrupt.size, 0);
    const found = new Map(functions.map((each) => [each.name, each]));
    const last = lines.at(-1) as Line;
    for (const name of ['f0', 'f1', 'f2']) {
      const said = lines.findLast((line) => line.name === name);
      const current = found.get(name)?.versions[0];
      if (said === undefined) continue;
      // Only the call under way when the kill came may have happened without being told.
      const atMost = said.version + (said === last || isNext(last, name) ? 1 : 0);
      const got = current?.version ?? 0;
      const undeployed = got === 0 && said === last;
      assert.ok(undeployed || (got >= said.version && got <= atMost), `${name}: said ${said.version}, found ${got}`);
    }
    for (const { name, versions } of functions) {
      for (const version of versions) {
        const { module } = await store.readFiles(name, version);
        assert.equal(digestOf(module), digestOf(tinyModule(version.manifest.description)));
      }
    }
    await store.close();
  }
});

/** Whether the writer's next call after `last` is a deploy of `name`. */
function isNext(last: Line, name: string): boolean {
  return `f${(Number(last.name.slice(1)) + 1) % 3}` === name;
}
