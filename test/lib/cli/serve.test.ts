import assert from 'node:assert/strict';
import { execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { temporaryDirectory, tinyModule } from '../tiny-module.ts';
import { builtFunction, nebula, projectRoot, startNebula, startServe } from './command.ts';

const run = promisify(execFile);

const WASM_TYPE = { 'content-type': 'application/wasm' };

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

  const said = async (text: string): Promise<void> => {
    for (const deadline = Date.now() + 60_000; !log.includes(text) && Date.now() < deadline; ) await sleep(50);
  };
  writeFileSync(join(folder, 'f', 'f.wasm'), 'no module');
  await said('Cannot deploy; the version before still runs');
  assert.equal(await answerOf(url, 'f', '10'), '200 ');

  cpSync(builtFunction('fibonacci/fibonacci.wasm'), join(folder, 'f', 'new'));
  renameSync(join(folder, 'f', 'new'), join(folder, 'f', 'f.wasm'));
  await said('Deployed anew');
  assert.equal((await answerOf(url, 'f', '10')).trimEnd(), '200 55');
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

test('nebula serve --watch deploys a function whose folder comes later, and one that takes its place', async (context) => {
  const folder = temporaryDirectory(context);
  const { child, line, url } = await startServe(context, ['--functions', folder, '--watch']);
  let log = '';
  child.stderr.on('data', (text: string) => (log += text));
  assert.match(line, /healthz/);
  const until = async (name: string, expected: string): Promise<void> => {
    const deadline = Date.now() + 20_000;
    let answer = '';
    while (answer.trimEnd() !== expected && Date.now() < deadline) {
      await sleep(50);
      answer = await answerOf(url, name, '10');
    }
    assert.equal(answer.trimEnd(), expected, log);
  };
  cpSync(builtFunction('fibonacci'), join(folder, 'fibonacci'), { recursive: true });
  await until('fibonacci', '200 55');
  // Another folder under the same name, as a checkout leaves it.
  cpSync(builtFunction('fibonacci'), join(folder, '..', `${basename(folder)}-next`), { recursive: true });
  context.after(() => rmSync(join(folder, '..', `${basename(folder)}-next`), { recursive: true, force: true }));
  const next = join(folder, '..', `${basename(folder)}-next`);
  cpSync(builtFunction('echo/echo.wasm'), join(next, 'fibonacci.wasm'));
  rmSync(join(folder, 'fibonacci'), { recursive: true });
  renameSync(next, join(folder, 'fibonacci'));
  await until('fibonacci', '200 10');
  // The manifest comes after its module.
  mkdirSync(join(folder, 'late'));
  cpSync(builtFunction('echo/echo.wasm'), join(folder, 'late', 'late.wasm'));
  await sleep(300);
  writeFileSync(join(folder, 'late', 'nebula.json'), '{"name":"late"}');
  await until('late', '200 10');
});

test('nebula serve --functions says of a folder without manifests that nothing is deployed of it', async (context) => {
  const folder = temporaryDirectory(context);
  mkdirSync(join(folder, 'empty'));
  for (const [given, said] of [
    [folder, /No folder in it has a nebula\.json: nothing was deployed of it/],
    [builtFunction('fibonacci'), /it is a function itself, and --functions takes the folder that holds it/],
  ] as const) {
    const { child, log } = await startServe(context, ['--functions', given]);
    child.kill('SIGTERM');
    await once(child, 'close');
    assert.match(log(), said);
    assert.ok(log().includes(JSON.stringify(given)));
  }
});

test('nebula serve --limit sets limits that manifests do not name, that of modules over HTTP too', async (context) => {
  const { url } = await startServe(context, ['--limit', 'moduleBytes=1000', '--limit', 'inputBytes=4']);
  const small = await fetch(`${url}/functions/f`, { method: 'PUT', headers: WASM_TYPE, body: tinyModule() });
  assert.equal(small.status, 201);
  const { limits } = (await small.json()) as { limits: { inputBytes: number; moduleBytes: number } };
  assert.deepEqual([limits.inputBytes, limits.moduleBytes], [4, 1000]);
  const large = await fetch(`${url}/functions/large`, { method: 'PUT', headers: WASM_TYPE, body: Buffer.alloc(1001) });
  const { detail } = (await large.json()) as { detail: string };
  assert.equal(
    `${large.status} ${detail}`,
    '413 Cannot accept function "large", a module of 1001 bytes: the limit is 1000, ' +
      "which the server's limits.moduleBytes (serve --limit moduleBytes=BYTES) raises",
  );
  const wrong = await nebula(['serve', '--limit', 'colour=1']);
  assert.equal(wrong.code, 2);
  assert.match(wrong.stderr, /Expected LIMIT=INTEGER, with one of timeoutMs, /);
});

test('nebula serve --limit lets a larger module of a folder in', async (context) => {
  const folder = temporaryDirectory(context);
  cpSync(builtFunction('fibonacci'), join(folder, 'fibonacci'), { recursive: true });
  const { stderr } = await nebula(['serve', '--port', '0', '--functions', folder, '--limit', 'moduleBytes=1000']);
  assert.match(
    stderr,
    /Cannot accept function "fibonacci", a module of \d+ bytes: the limit is 1000, which limits\.moduleBytes of its manifest raises/,
  );
  const { url } = await startServe(context, ['--functions', folder, '--limit', 'moduleBytes=100000']);
  assert.equal((await answerOf(url, 'fibonacci', '10')).trimEnd(), '200 55');
});

test('nebula serve --allow-host names a host under which functions are managed', async (context) => {
  const { url } = await startServe(context, ['--token', 'secret', '--allow-host', 'faas.example']);
  const statusUnder = (host: string): Promise<number> =>
    new Promise((done, fail) => {
      const headers = { host, authorization: 'Bearer secret' };
      request(`${url}/functions`, { headers }, (answer) => done(answer.resume().statusCode ?? 0))
        .on('error', fail)
        .end();
    });
  assert.deepEqual([await statusUnder('faas.example:80'), await statusUnder('other.example')], [200, 403]);
});

/** The lines of a log, parsed. */
function linesOf(log: string): { readonly msg: string; readonly [field: string]: unknown }[] {
  return log
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as { msg: string });
}

test('nebula serve --log writes a line of JSON for its start, a deploy, a failure, stderr and a request, and what is left out it does not', async (context) => {
  const folder = temporaryDirectory(context);
  cpSync(builtFunction('guests/trap-unreachable'), join(folder, 'traps'), { recursive: true });
  const { child, url, log } = await startServe(context, ['--functions', folder]);
  const headers = { 'x-request-id': 'order-7' };
  await fetch(`${url}/invoke/trap-unreachable`, { method: 'POST', headers });
  await fetch(`${url}/functions/second`, { method: 'PUT', headers: WASM_TYPE, body: tinyModule() });
  child.kill('SIGTERM');
  await once(child, 'close');
  const lines = linesOf(log());
  const told = lines
    .filter(({ event }) => event !== 'stderr')
    .map(({ msg }) => msg.replace(/(version 1|a trap).*/, '$1'));
  const expected = [
    'Started',
    'The guest ended with a trap',
    'Request',
    'Deployed version 1',
    'Request',
    'Ending',
    'Ended',
  ];
  assert.deepEqual(told, expected);
  const [failure] = lines.filter(({ event }) => event === 'failure');
  const [access] = lines.filter(({ msg }) => msg === 'Request');
  assert.deepEqual([failure?.['requestId'], failure?.['outcome'], failure?.['version']], ['order-7', 'trap', 1]);
  assert.deepEqual([access?.['requestId'], access?.['status']], ['order-7', 500]);

  const quiet = await startServe(context, ['--functions', folder, '--log', 'access']);
  await fetch(`${quiet.url}/invoke/trap-unreachable`, { method: 'POST' });
  quiet.child.kill('SIGTERM');
  await once(quiet.child, 'close');
  assert.deepEqual(
    linesOf(quiet.log()).map(({ msg }) => msg),
    ['Request'],
  );
  const wrong = await nebula(['serve', '--log', 'everything']);
  assert.equal(wrong.code, 2);
  assert.match(wrong.stderr, /none, or some of start,deploy,failure,stderr,access/);
});

test('nebula logs and nebula invoke tell who may manage functions why a call failed', async (context) => {
  const folder = temporaryDirectory(context);
  cpSync(builtFunction('guests/exit-3'), join(folder, 'exits'), { recursive: true });
  const { child, url } = await startServe(context, ['--functions', folder, '--token', 'secret']);
  const access = ['--url', url, '--token', 'secret'];
  const told = await nebula(['invoke', 'exit-3', ...access]);
  assert.equal(told.code, 3);
  const stranger = await nebula(['invoke', 'exit-3', '--url', url]);
  assert.equal(stranger.code, 1);
  assert.match(stranger.stderr, /--token/);
  const { stdout } = await nebula(['logs', 'exit-3', ...access]);
  assert.match(
    stdout,
    /exit-3@1 info deploy: Deployed version 1[^]* \[[\w-]+\] \| exits with 3\n[^]*exit-3@1 \[[\w-]+\] warn failure: The guest ended with exit code 3/,
  );
  const since = await nebula(['logs', '--since', '2000-01-01', '--json', ...access]);
  assert.equal(linesOf(since.stdout).filter(({ event }) => event === 'failure').length, 2);
  assert.equal((await nebula(['logs', '--since', 'yesterday', ...access])).code, 2);
  assert.equal((await nebula(['logs', 'nobody', ...access])).code, 3);
  const follower = startNebula(['logs', '--follow', '--json', ...access]);
  context.after(() => follower.kill('SIGKILL'));
  let followed = '';
  follower.stdout.setEncoding('utf8').on('data', (text: string) => (followed += text));
  while (linesOf(followed.slice(0, followed.lastIndexOf('\n') + 1)).length < 5) await sleep(20);
  await nebula(['invoke', 'exit-3', ...access]);
  while (linesOf(followed.slice(0, followed.lastIndexOf('\n') + 1)).length < 7) await sleep(20);
  child.kill('SIGTERM');
  const [code] = (await once(follower, 'close')) as [number | null];
  assert.equal(code, 0);
});

test('nebula serve answers, and ends, where its log goes to a full disk or to a pipe that nobody reads', async (context) => {
  const folder = temporaryDirectory(context);
  cpSync(builtFunction('noop'), join(folder, 'noop'), { recursive: true });
  const main = join(projectRoot, 'dist', 'lib', 'cli', 'main.js');
  for (const target of ['/dev/full', '>(exec sleep 60)']) {
    const command = `exec "${process.execPath}" "${main}" serve --port 0 --threads 1 --functions "${folder}" 2> ${target}`;
    const child = spawn('bash', ['-c', command], { stdio: ['ignore', 'pipe', 'ignore'], detached: true });
    // The server may be gone, and the reader with it.
    context.after(() => spawnSync('kill', ['-KILL', '--', `-${child.pid}`]));
    const [line] = (await once(child.stdout.setEncoding('utf8'), 'data')) as [string];
    const url = String(/http:\/\/[^/\s"]+/.exec(line)?.[0]);
    // More than a pipe holds.
    for (let sent = 0; sent < 100; sent++) {
      const answer = await fetch(`${url}/healthz?${'x'.repeat(1500)}`);
      assert.equal(await answer.text(), '{"status":"ok"}', target);
    }
    child.kill('SIGTERM');
    const [code] = (await once(child, 'exit')) as [number | null];
    assert.equal(code, 0, target);
  }
});
