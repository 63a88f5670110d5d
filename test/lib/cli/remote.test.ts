import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { startServer } from '../../../lib/triggers/http/server.ts';
import { createNebulaOn } from '../../../lib/nebula.ts';
import type { Nebula } from '../../../lib/api/nebula.ts';
import { FakeExecutor, makeOutcome } from '../fake-executor.ts';
import { temporaryDirectory, tinyModule } from '../tiny-module.ts';
import { nebula } from './command.ts';

async function serve(
  context: TestContext,
): Promise<{ host: Nebula; executor: FakeExecutor; access: readonly string[] }> {
  const executor = new FakeExecutor();
  const host = await createNebulaOn(executor);
  const server = await startServer(host, { token: 'secret' });
  context.after(async () => {
    await server.close();
    await host.close();
  });
  return { host, executor, access: ['--url', server.url, '--token', 'secret'] };
}

test('nebula deploy, list, invoke NAME, rollback and remove drive a server', async (context) => {
  const { host, executor, access } = await serve(context);
  const module = join(temporaryDirectory(context), 'thing.wasm');
  writeFileSync(module, tinyModule('1'));
  const options = ['--env', 'A=1', '--arg', '-v', '--timeout-ms', '50', '--memory-mib', '1'];
  const deployed = await nebula(['deploy', module, ...options, ...access]);
  assert.equal(deployed.code, 0, deployed.stderr);
  assert.match(deployed.stdout, /^Deployed thing version 1, [0-9a-f]{12}, 0 KiB, fresh, \d{4}-.*Z\n$/);
  const { limits, manifest } = host.get('thing');
  assert.deepEqual([limits.timeoutMs, limits.memoryBytes], [50, 1024 * 1024]);
  assert.deepEqual([manifest.capabilities?.arguments, manifest.capabilities?.environment], [['-v'], { A: '1' }]);

  writeFileSync(module, tinyModule('2'));
  const again = await nebula(['deploy', module, '--json', ...access]);
  assert.equal((JSON.parse(again.stdout) as { version: number }).version, 2);

  const invoked = await nebula(['invoke', 'thing', ...access], { input: 'through' });
  assert.deepEqual(invoked, { code: 0, stdout: 'through', stderr: '' });
  executor.run = async () => makeOutcome({ kind: 'timeout', timeoutMs: 50 });
  const late = await nebula(['invoke', 'thing', ...access]);
  assert.deepEqual([late.code, late.stdout], [1, '']);
  assert.match(
    late.stderr,
    /^nebula: the guest did not end within 50 ms \(raise limits.timeoutMs in its manifest\)\n$/,
  );

  const back = await nebula(['rollback', 'thing', ...access]);
  assert.match(back.stdout, /^Rolled back to thing version 1,/);
  const listed = await nebula(['list', ...access]);
  assert.match(listed.stdout, /^thing version 1, .*\n$/);
  const removed = await nebula(['remove', 'thing', ...access]);
  assert.deepEqual(removed, { code: 0, stdout: 'Removed thing\n', stderr: '' });
  assert.deepEqual(await nebula(['list', ...access]), { code: 0, stdout: '', stderr: '' });
  assert.deepEqual(JSON.parse((await nebula(['list', '--json', ...access])).stdout), []);
});

test('nebula says in one line what a server refused, and what to do', async (context) => {
  const { access } = await serve(context);
  const url = access.slice(0, 2);
  const denied = await nebula(['list', ...url]);
  assert.equal(denied.code, 3);
  assert.match(denied.stderr, /^nebula: .*bearer token.* \(give --token or set NEBULA_TOKEN\)\n$/);
  const known = await nebula(['list', ...url], { environment: { NEBULA_TOKEN: 'secret' } });
  assert.equal(known.code, 0);
  const missing = await nebula(['rollback', 'nope', ...access]);
  assert.equal(missing.code, 3);
  assert.match(missing.stderr, /^nebula: Cannot find function "nope" \(see "nebula list"; a file needs its path\)\n$/);
  const unreachable = await nebula(['list', '--url', 'http://127.0.0.1:1']);
  assert.equal(unreachable.code, 3);
  assert.match(
    unreachable.stderr,
    /^nebula: Cannot reach the server .* \(start it with "nebula serve", or give --url\)\n$/,
  );
});
