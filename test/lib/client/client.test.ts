import assert from 'node:assert/strict';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { isNebulaError, NebulaError } from '../../../host/errors.ts';
import { NebulaClient } from '../../../lib/client/client.ts';
import type { ClientOptions, RemoteDeployOptions } from '../../../lib/client/options.ts';
import { startServer, type NebulaServer } from '../../../lib/triggers/http/server.ts';
import { FakeNebula, outcomeOf, untilAborted } from '../triggers/http/fake-nebula.ts';

const WASM = Buffer.from('\0asm\x01\0\0\0');
const PHASES = { queue: 12_000, compile: 0, instantiate: 0, restore: 0, run: 5432, collect: 0 };

function busyProblem(key: 'QUEUE_FULL' | 'CLOSED' | 'WORKER_LOST'): string {
  const { code, fields } = new NebulaError(key, { name: 'f', limit: 1, detail: '' });
  return JSON.stringify({ code, fields });
}

describe('NebulaClient', () => {
  let nebula: FakeNebula;
  let server: NebulaServer;
  let client: NebulaClient;

  beforeEach(async () => {
    nebula = new FakeNebula().define('echo', (input) => outcomeOf({ kind: 'ok' }, input));
    server = await startServer(nebula, { token: 'secret' });
    client = new NebulaClient({ url: server.url, token: 'secret' });
  });

  afterEach(async () => {
    await client.close();
    await server.close();
  });

  for (const [title, options] of [
    ['a URL that is none', { url: 'nowhere' }],
    ['a URL of another scheme', { url: 'file:///x' }],
    ['no attempts', { url: 'http://h', attempts: 0 }],
    ['a time that is none', { url: 'http://h', timeoutMs: -1 }],
  ] as const) {
    it(`refuses ${title}`, () => {
      assert.throws(() => new NebulaClient(options), { code: 'ERR_NEBULA_ARGUMENT' });
    });
  }

  it('invoke() gives the outcome, text in and bytes out', async () => {
    const outcome = await client.invoke('echo', 'grüße');
    assert.equal(outcome.kind, 'ok');
    assert.equal(Buffer.from(outcome.stdout).toString(), 'grüße');
    assert.equal(outcome.start, 'restored');
    assert.equal(outcome.version, 1);
    assert.deepEqual(outcome.phases, PHASES);
  });

  it('refuses a name that would ask for something else than a function, before it connects', async () => {
    for (const name of ['..', '.', '']) {
      for (const call of [
        () => client.invoke(name),
        () => client.fetch(name),
        () => client.get(name),
        () => client.undeploy(name),
        () => client.rollback(name),
        () => client.deploy(name, WASM),
      ]) {
        await assert.rejects(async () => call(), { code: 'ERR_NEBULA_ARGUMENT' }, name);
      }
    }
    assert.deepEqual(nebula.invocations, []);
  });

  it('fetch() refuses a path that is none, or leads out of the function', async () => {
    for (const path of [
      'x',
      '@host/',
      ':80/',
      '\\x',
      '/..',
      '/a/../b',
      '/%2e%2E/x',
      '/.',
      '/a\\..\\b',
      '/a b',
      '/a#b',
      '/\n',
      '/ü',
    ]) {
      await assert.rejects(client.fetch('echo', path), { code: 'ERR_NEBULA_ARGUMENT' }, path);
    }
    for (const path of ['', '/', '?', '?a=..', '/a..b/...', '/.a?/../', '/%2f\'"<>']) {
      assert.notEqual((await client.fetch('echo', path)).status, 400, path);
    }
  });

  it('invoke() gives every byte back', async () => {
    const bytes = Uint8Array.from({ length: 300_000 }, (_, index) => (index * 7) & 255);
    const { stdout } = await client.invoke('echo', bytes);
    assert.ok(Buffer.from(stdout).equals(bytes));
  });

  it('invoke() gives endings as data', async () => {
    const endings = [
      { kind: 'exit', exitCode: 3 },
      { kind: 'trap', reason: 'stack-overflow', message: 'deep' },
      { kind: 'timeout', timeoutMs: 20 },
      { kind: 'limit', limit: 'outputBytes', allowed: 10 },
      { kind: 'denied', capability: 'clock' },
      { kind: 'aborted' },
    ] as const;
    for (const ending of endings) {
      nebula.define('ends', () => outcomeOf(ending, 'lost', 'why'), { http: { showFailures: true } });
      const { stdout, stderr, start, phases, usage, version, ...rest } = await client.invoke('ends');
      assert.deepEqual([rest, usage], [ending, {}]);
      assert.equal(stdout.byteLength, 0);
      assert.equal(Buffer.from(stderr).toString(), 'why');
      assert.deepEqual({ start, phases }, { start: 'restored', phases: PHASES });
      assert.equal(version, nebula.get('ends').version);
    }
  });

  it('invoke() tells a stranger no more than the function shows', async () => {
    nebula.define('ends', () => outcomeOf({ kind: 'exit', exitCode: 3 }, '', 'secret'));
    const stranger = new NebulaClient({ url: server.url });
    const outcome = await stranger.invoke('ends');
    assert.equal(outcome.kind, 'failed');
    assert.equal(outcome.stderr.byteLength, 0);
    await stranger.close();
  });

  it('invoke() tells who may manage functions why one failed', async () => {
    nebula.define('ends', () => outcomeOf({ kind: 'exit', exitCode: 3 }, '', 'secret'));
    const outcome = await client.invoke('ends');
    assert.ok(outcome.kind === 'exit');
    assert.deepEqual([outcome.exitCode, Buffer.from(outcome.stderr).toString()], [3, 'secret']);
  });

  it('invoke() throws what Nebula could not do', async () => {
    await assert.rejects(client.invoke('nobody'), (error) => {
      assert.ok(isNebulaError(error));
      assert.equal(error.message, 'Cannot find function "nobody"');
      return error.code === 'ERR_NEBULA_FUNCTION_NOT_FOUND';
    });
  });

  it('invoke() of a function whose name is a path asks for that name', async () => {
    await assert.rejects(client.invoke('../functions'), { code: 'ERR_NEBULA_FUNCTION_NOT_FOUND' });
  });

  it('invoke() ends when its signal is aborted, and so does the guest', async () => {
    nebula.define('wait', untilAborted);
    const controller = new AbortController();
    const invoking = client.invoke('wait', '', { signal: controller.signal });
    while (nebula.invocations.length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    controller.abort();
    await assert.rejects(invoking, { code: 'ERR_NEBULA_CLIENT_CLOSED' });
    while (nebula.outcomes['aborted'] === undefined) await new Promise((resolve) => setTimeout(resolve, 1));
  });

  it('deploy(), get(), list(), rollback() and undeploy() manage functions', async () => {
    const first = await client.deploy('made', WASM, { description: 'grün' });
    assert.deepEqual([first.version, first.manifest.description], [1, 'grün']);
    const long = 'x'.repeat(20_000);
    const files = { 'a.bin': new Uint8Array([1, 2, 255]) };
    const mounts = [{ guest: '/m', files, access: 'read-only' }] as const;
    const second = await client.deploy('made', WASM, { description: long, capabilities: { mounts } });
    assert.deepEqual([second.version, second.manifest.description], [2, long]);
    assert.deepEqual(nebula.get('made').manifest.capabilities?.mounts, mounts);
    assert.deepEqual(await client.get('made'), second);
    assert.deepEqual(
      (await client.list()).map(({ name }) => name),
      ['echo', 'made'],
    );
    assert.equal((await client.rollback('made')).version, 1);
    await assert.rejects(client.rollback('made'), { code: 'ERR_NEBULA_NO_PREVIOUS_VERSION' });
    await client.undeploy('made');
    await assert.rejects(client.get('made'), { code: 'ERR_NEBULA_FUNCTION_NOT_FOUND' });
    await assert.rejects(client.deploy('made', Buffer.from('no')), { code: 'ERR_NEBULA_MODULE_INVALID' });
  });

  it('deploy() refuses a snapshot that is no bytes, since a path would be the server’s', async () => {
    const options = { snapshot: 'a/path' } as unknown as RemoteDeployOptions;
    await assert.rejects(client.deploy('made', WASM, options), { code: 'ERR_NEBULA_ARGUMENT' });
    assert.deepEqual(
      (await client.list()).map(({ name }) => name),
      ['echo'],
    );
  });

  it('is told when its token is wrong', async () => {
    const stranger = new NebulaClient({ url: server.url });
    await assert.rejects(stranger.list(), { code: 'ERR_NEBULA_UNAUTHORIZED' });
    await stranger.close();
  });

  it('health(), ready(), metrics() and openapi() ask the server about itself', async () => {
    assert.equal(await client.health(), true);
    assert.equal(await client.ready(), true);
    const metrics = await client.metrics();
    for (const line of [
      'nebula_invocations_total{function="echo",outcome="ok"} 3',
      'nebula_invocation_phase_seconds{quantile="0.99",function="echo",phase="run"} 0.000007',
      'nebula_invocation_phase_seconds_count{function="echo",phase="run"} 4',
      'nebula_invocation_phase_seconds_sum{function="echo",phase="run"} 0.000022',
      '# TYPE nebula_invocation_phase_seconds summary',
      'nebula_units_replaced_total 4',
      'nebula_memories 5',
      'nebula_pauses_total 9',
      'nebula_function_paused_seconds{function="loop"} 1.5',
      'nebula_http_responses_total{status="200"} 2',
    ]) {
      assert.ok(metrics.includes(`${line}\n`), `${line} is not in\n${metrics}`);
    }
    const paths = Object.keys((await client.openapi())['paths'] as object);
    assert.ok(paths.includes('/invoke/{name}') && paths.includes('/functions/{name}/rollback'));
  });

  it('fetch() talks to a function as a CGI program, without the token', async () => {
    nebula.define('site', (input, { environment = {} }) => {
      const text = `${environment['REQUEST_METHOD']} ${environment['PATH_INFO']} ${environment['QUERY_STRING']} ${Buffer.from(input).toString()}`;
      assert.equal(environment['HTTP_AUTHORIZATION'], undefined);
      return outcomeOf({ kind: 'ok' }, `Status: 201\nContent-Type: text/x\nSet-Cookie: a\nSet-Cookie: b\n\n${text}`);
    });
    const response = await client.fetch('site', '/a?b', { method: 'PATCH', body: 'c', headers: { 'x-d': 'e' } });
    assert.equal(response.status, 201);
    assert.equal(await response.text(), 'PATCH /a b c');
    assert.deepEqual(response.headers.getSetCookie(), ['a', 'b']);
    assert.equal((await client.fetch('nobody')).status, 404);
  });
});

describe('NebulaClient against a bad server', () => {
  let server: Server;
  let requests: string[];
  let client: NebulaClient;

  async function serve(listener: RequestListener, options: Partial<ClientOptions> = {}): Promise<void> {
    server = createServer((request, response) => {
      requests.push(`${request.method} ${request.url}`);
      request.resume();
      listener(request, response);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    client = new NebulaClient({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, ...options });
  }

  beforeEach(() => {
    requests = [];
  });

  afterEach(async () => {
    await client.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  it('sends an invocation again after a 503 that the table calls retryable', async () => {
    await serve((_, response) => {
      if (requests.length < 3) response.writeHead(503, { 'retry-after': '0' }).end(busyProblem('QUEUE_FULL'));
      else response.writeHead(200, { 'nebula-outcome': 'ok', 'nebula-function-version': '7' }).end('done');
    });
    const outcome = await client.invoke('f');
    assert.equal(Buffer.from(outcome.stdout).toString(), 'done');
    assert.equal(outcome.version, 7);
    assert.equal(requests.length, 3);
  });

  it('gives up after its attempts, with what the server said last', async () => {
    await serve((_, response) => response.writeHead(503, { 'retry-after': '0' }).end(busyProblem('QUEUE_FULL')), {
      attempts: 2,
    });
    await assert.rejects(client.invoke('f'), { code: 'ERR_NEBULA_QUEUE_FULL' });
    assert.equal(requests.length, 2);
  });

  it('waits as long as the server asks', async () => {
    await serve((_, response) => {
      if (requests.length < 2) response.writeHead(503, { 'retry-after': '1' }).end(busyProblem('QUEUE_FULL'));
      else response.writeHead(200, { 'nebula-outcome': 'ok' }).end();
    });
    const startedMs = performance.now();
    await client.invoke('f');
    assert.ok(performance.now() - startedMs >= 995);
  });

  it('stops waiting when its signal is aborted', async () => {
    await serve((_, response) => response.writeHead(503, { 'retry-after': '5' }).end(busyProblem('QUEUE_FULL')));
    const startedMs = performance.now();
    await assert.rejects(client.invoke('f', '', { signal: AbortSignal.timeout(50) }), {
      code: 'ERR_NEBULA_CLIENT_CLOSED',
    });
    // It would have waited for what the server said.
    assert.ok(performance.now() - startedMs < 5000);
  });

  for (const [title, status, key] of [
    ['a 503 that the table calls final', 503, 'CLOSED'],
    ['a lost worker, since its guest may have run', 500, 'WORKER_LOST'],
  ] as const) {
    it(`sends an invocation once after ${title}`, async () => {
      await serve((_, response) => response.writeHead(status, { 'retry-after': '0' }).end(busyProblem(key)));
      await assert.rejects(client.invoke('f'), { code: `ERR_NEBULA_${key}` });
      assert.equal(requests.length, 1);
    });
  }

  it('sends a request to a program once when the program itself says 503', async () => {
    await serve((_, response) => {
      response.writeHead(503, { 'nebula-outcome': 'ok', 'retry-after': '0' }).end(busyProblem('QUEUE_FULL'));
    });
    assert.equal((await client.fetch('f')).status, 503);
    assert.equal(requests.length, 1);
  });

  it('sends an invocation once when the connection is lost, and a read again', async () => {
    await serve((request) => request.socket.destroy());
    await assert.rejects(client.invoke('f'), { code: 'ERR_NEBULA_SERVER_UNREACHABLE' });
    assert.equal(requests.length, 1);
    await assert.rejects(client.list(), { code: 'ERR_NEBULA_SERVER_UNREACHABLE' });
    assert.equal(requests.length, 4);
  });

  it('gives up on a server that does not answer', async () => {
    // undici looks at its timeouts once a second.
    await serve(() => undefined, { timeoutMs: 100, attempts: 1 });
    await assert.rejects(client.invoke('f'), { code: 'ERR_NEBULA_SERVER_UNREACHABLE' });
    assert.equal(await client.health(), false);
  });

  it('says when an answer is not a Nebula’s', async () => {
    await serve((request, response) => {
      if (request.url === '/functions') response.end('<html>');
      else if (request.url === '/functions/f') response.end('{"manifest":{"capabilities":{"mounts":5}}}');
      else response.writeHead(request.url === '/invoke/ok' ? 200 : 502).end('<html>');
    });
    await assert.rejects(client.invoke('ok'), { code: 'ERR_NEBULA_SERVER_ANSWER' });
    await assert.rejects(client.invoke('bad'), { code: 'ERR_NEBULA_SERVER_ANSWER' });
    await assert.rejects(client.list(), { code: 'ERR_NEBULA_SERVER_ANSWER' });
    await assert.rejects(client.get('f'), { code: 'ERR_NEBULA_SERVER_ANSWER' });
    assert.equal(await client.health(), false);
  });

  it('says when a list is not one of a Nebula’s', async () => {
    await serve((_request, response) => response.end('{}'));
    await assert.rejects(client.list(), { code: 'ERR_NEBULA_SERVER_ANSWER' });
  });

  it('tries a refused connection again, and says where it was', async () => {
    await serve(() => undefined);
    const { port } = server.address() as AddressInfo;
    const refused = new NebulaClient({ url: `http://127.0.0.1:${port}`, attempts: 3 });
    await new Promise((resolve) => server.close(resolve));
    const invoking = refused.invoke('f');
    // It listens again before the last attempt.
    setTimeout(() => {
      server = createServer((_, response) => response.writeHead(200, { 'nebula-outcome': 'ok' }).end('late')).listen(
        port,
        '127.0.0.1',
      );
    }, 20);
    assert.equal(Buffer.from((await invoking).stdout).toString(), 'late');
    await refused.close();
  });

  it('says what it could not reach', async () => {
    await serve(() => undefined);
    const { port } = server.address() as AddressInfo;
    await new Promise((resolve) => server.close(resolve));
    const lost = new NebulaClient({ url: `http://127.0.0.1:${port}`, attempts: 1 });
    await assert.rejects(lost.invoke('f'), new RegExp(`Cannot reach the server at http://127\\.0\\.0\\.1:${port}/: `));
    assert.equal(await lost.ready(), false);
    await lost.close();
  });
});
