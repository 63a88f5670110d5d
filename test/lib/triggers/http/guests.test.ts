/** Real guests on the worker executor, driven through the server by the client. */

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Request } from 'undici';
import type { Nebula } from '../../../../lib/api/nebula.ts';
import { NebulaClient } from '../../../../lib/client/client.ts';
import { startServer, type NebulaServer } from '../../../../lib/triggers/http/server.ts';
import { createNebula } from '../../../../lib/nebula.ts';
import { RawConnection } from './raw-connection.ts';

const FUNCTIONS = new URL('../../../../../functions/', import.meta.url);

function folderOf(path: string): string {
  return new URL(path, FUNCTIONS).pathname;
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('utf8');
}

function readModule(path: string): Promise<Uint8Array> {
  return readFile(folderOf(path));
}

describe('server with real guests', () => {
  let nebula: Nebula;
  let server: NebulaServer;
  let client: NebulaClient;

  before(async () => {
    nebula = await createNebula({ threads: 2 });
    await nebula.deploy(folderOf('echo'));
    await nebula.deploy(folderOf('fibonacci'));
    await nebula.deploy(folderOf('guests/cgi-hello'));
    await nebula.deploy(folderOf('guests/exit-3'), { http: { showFailures: true } });
    await nebula.deploy(folderOf('guests/trap-unreachable'), { http: { showFailures: true } });
    await nebula.deploy(folderOf('guests/forever'), { limits: { timeoutMs: 50 } });
    await nebula.deploy(folderOf('guests/forever'), { name: 'forever-more', limits: { timeoutMs: 10_000 } });
    server = await startServer(nebula);
    client = new NebulaClient({ url: server.url });
  });

  after(async () => {
    await client.close();
    await server.close();
    await nebula.close();
  });

  it('runs a function', async () => {
    const outcome = await client.invoke('fibonacci', '30');
    assert.equal(outcome.kind, 'ok');
    assert.equal(textOf(outcome.stdout).trim(), '832040');
    assert.ok(outcome.phases.run > 0);
  });

  it('gives back large inputs of any bytes, many at once', async () => {
    const calls = Array.from({ length: 20 }, async (_, index) => {
      const input = Buffer.alloc(100_000 + index, index);
      const { stdout } = await client.invoke('echo', input);
      assert.ok(input.equals(stdout));
    });
    await Promise.all(calls);
  });

  it('tells how guests ended', async () => {
    const exit = await client.invoke('exit-3');
    assert.ok(exit.kind === 'exit' && exit.exitCode === 3);
    const trap = await client.invoke('trap-unreachable');
    assert.ok(trap.kind === 'trap' && trap.reason === 'unreachable');
    const timeout = await client.invoke('forever');
    assert.ok(timeout.kind === 'timeout' && timeout.timeoutMs === 50);
  });

  it('serves a CGI program', async () => {
    const shown = await client.fetch('cgi-hello', '/?a=b', { method: 'POST', body: 'four' });
    assert.equal(shown.status, 200);
    const text = await shown.text();
    for (const line of [
      'REQUEST_METHOD=POST',
      'SCRIPT_NAME=/fn/cgi-hello',
      'PATH_INFO=/',
      'QUERY_STRING=a=b',
      'CONTENT_LENGTH=4',
      'body of 4 bytes',
    ]) {
      assert.ok(text.includes(line), `${line} is not in ${text}`);
    }
    const echoed = await client.fetch('cgi-hello', '/echo', {
      method: 'PUT',
      body: 'same',
      headers: { 'content-type': 'a/b' },
    });
    assert.deepEqual([echoed.headers.get('content-type'), await echoed.text()], ['a/b', 'same']);
    assert.equal((await client.fetch('cgi-hello', '/status/418')).status, 418);
    assert.equal((await client.fetch('cgi-hello', '/redirect')).headers.get('location'), 'https://example.org/');
    assert.equal((await client.fetch('cgi-hello', '/malformed')).status, 502);
    assert.equal((await client.fetch('cgi-hello', '/exit')).status, 500);
  });

  it('deploys a new version while calls run, and rolls back', async () => {
    const record = await client.get('echo');
    assert.equal((await client.deploy('changing', await readModule('fibonacci/fibonacci.wasm'))).version, 1);
    const calls = Array.from({ length: 10 }, () => client.invoke('changing', '10'));
    const second = await client.deploy('changing', await readModule('echo/echo.wasm'));
    assert.deepEqual([second.version, second.digest], [2, record.digest]);
    for (const outcome of await Promise.all(calls)) assert.equal(outcome.kind, 'ok');
    assert.equal(textOf((await client.invoke('changing', '10')).stdout), '10');
    assert.equal((await client.rollback('changing')).version, 1);
    assert.equal(textOf((await client.invoke('changing', '10')).stdout).trim(), '55');
    await client.undeploy('changing');
    await assert.rejects(client.invoke('changing'), { code: 'ERR_NEBULA_FUNCTION_NOT_FOUND' });
    await assert.rejects(client.deploy('changing', Buffer.from('no wasm at all')), {
      code: 'ERR_NEBULA_MODULE_INVALID',
    });
  });

  it('stops a guest whose client went away, long before its deadline', async () => {
    const connection = new RawConnection(server.url);
    connection.write('POST /invoke/forever-more HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n\r\nx');
    while (nebula.stats().executor.running === 0) await sleep(1);
    connection.socket.destroy();
    while (nebula.stats().executor.running > 0) await sleep(1);
    assert.equal(nebula.stats().functions.find(({ name }) => name === 'forever-more')?.outcomes.aborted, 1);
  });

  it('shows in its metrics what ran', async () => {
    const metrics = await client.metrics();
    assert.match(metrics, /nebula_invocations_total\{function="exit-3",outcome="exit"\} 1\n/);
    assert.match(metrics, /nebula_restores_total [1-9]\d*\n/);
    assert.match(metrics, /nebula_restore_seconds_total 0?\.\d+/);
    assert.match(metrics, /nebula_invocation_phase_seconds_count\{function="exit-3",phase="run"\} 1\n/);
  });

  it('fetch() of the library answers the same routes without a server', async () => {
    const response = await nebula.fetch(new Request('http://h/invoke/echo', { method: 'POST', body: 'inside' }));
    assert.equal(await response.text(), 'inside');
    assert.equal((await nebula.fetch(new Request('http://h/functions'))).status, 401);
  });
});
