import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { temporaryDirectory, tinyModule } from '../tiny-module.ts';
import { builtFunction, nebula, startServe } from './command.ts';

const run = promisify(execFile);

async function answerOf(url: string, name: string, input: string): Promise<string> {
  const answer = await fetch(`${url}/invoke/${name}`, { method: 'POST', body: input });
  return `${answer.status} ${await answer.text()}`;
}

test('nebula serve prints one curl line that works, and SIGTERM ends it with 0', async (context) => {
  const folder = temporaryDirectory(context);
  cpSync(builtFunction('fibonacci'), join(folder, 'fibonacci'), { recursive: true });
  mkdirSync(join(folder, 'broken'));
  writeFileSync(join(folder, 'broken', 'nebula.json'), '{"name":"broken"}');
  const { child, line, url } = await startServe(context, ['--functions', folder]);
  assert.match(line, /^curl --data 30 http:\/\/127\.0\.0\.1:\d+\/invoke\/fibonacci\n$/);
  const { stdout } = await run('sh', ['-c', `${line.trim()} --silent`]).catch(async (error: { code?: number }) => {
    // Without curl on the machine the same request goes through fetch.
    if (error.code !== 127) throw error;
    return { stdout: (await answerOf(url, 'fibonacci', '30')).slice(4) };
  });
  assert.equal(stdout.trimEnd(), '832040');
  let more = '';
  child.stdout.on('data', (text: string) => (more += text));
  child.kill('SIGTERM');
  const [code] = (await once(child, 'close')) as [number | null];
  assert.equal(code, 0);
  assert.equal(more, '');
});

test('nebula serve --store brings functions back after kill -9', async (context) => {
  const store = temporaryDirectory(context);
  const first = await startServe(context, ['--store', store]);
  assert.match(first.line, /^curl http:\/\/127\.0\.0\.1:\d+\/healthz\n$/);
  for (let version = 1; version <= 2; version++) {
    const deployed = await nebula(['deploy', builtFunction('fibonacci'), '--url', first.url]);
    assert.equal(deployed.code, 0, deployed.stderr);
  }
  first.child.kill('SIGKILL');
  await once(first.child, 'close');
  const second = await startServe(context, ['--store', store]);
  assert.equal((await answerOf(second.url, 'fibonacci', '10')).trimEnd(), '200 55');
  const back = await nebula(['rollback', 'fibonacci', '--url', second.url]);
  assert.match(back.stdout, /^Rolled back to fibonacci version 1,/, back.stderr);
});

test('nebula serve --watch redeploys a changed module, and keeps the version before when the new one is refused', async (context) => {
  const folder = temporaryDirectory(context);
  mkdirSync(join(folder, 'f'));
  writeFileSync(join(folder, 'f', 'nebula.json'), '{"name":"f"}');
  writeFileSync(join(folder, 'f', 'f.wasm'), tinyModule());
  const { child, url } = await startServe(context, ['--functions', folder, '--watch']);
  let log = '';
  child.stderr.on('data', (text: string) => (log += text));
  assert.equal(await answerOf(url, 'f', '10'), '200 ');

  writeFileSync(join(folder, 'f', 'f.wasm'), 'no module');
  await sleep(400);
  assert.equal(await answerOf(url, 'f', '10'), '200 ');

  cpSync(builtFunction('fibonacci/fibonacci.wasm'), join(folder, 'f', 'new'));
  renameSync(join(folder, 'f', 'new'), join(folder, 'f', 'f.wasm'));
  const deadline = Date.now() + 10_000;
  let answer = '';
  while (answer.trimEnd() !== '200 55' && Date.now() < deadline) {
    await sleep(50);
    answer = await answerOf(url, 'f', '10');
  }
  assert.equal(answer.trimEnd(), '200 55');
  while (!log.includes('Deployed anew') && Date.now() < deadline) await sleep(50);
  assert.match(log, /Cannot deploy; the version before still runs.*Deployed anew/s);
});

test('nebula serve refuses an address that others reach without a token, and a store that is in use', async (context) => {
  const open = await nebula(['serve', '--host', '0.0.0.0', '--port', '0']);
  assert.equal(open.code, 3);
  assert.equal(open.stdout, '');
  assert.match(open.stderr, /^nebula: Cannot listen on 0\.0\.0\.0:0 without a token/);
  const store = temporaryDirectory(context);
  await startServe(context, ['--store', store]);
  const twice = await nebula(['serve', '--store', store, '--port', '0']);
  assert.equal(twice.code, 3);
  assert.match(twice.stderr, /^nebula: Cannot take the lock in the store .*process \d+ has it open/);
});
