import assert from 'node:assert/strict';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { NebulaClient } from '../../../../lib/client/client.ts';
import { startServer, type NebulaServer, type ServerOptions } from '../../../../lib/triggers/http/server.ts';
import { FakeNebula, outcomeOf, untilAborted } from './fake-nebula.ts';
import { RawConnection } from './raw-connection.ts';

const HOST = 'Host: 127.0.0.1\r\n';

function invokeRequest(name: string, body: string): string {
  return `POST /invoke/${name} HTTP/1.1\r\n${HOST}Content-Length: ${body.length}\r\n\r\n${body}`;
}

describe('startServer()', () => {
  it('refuses an address that is not loopback without a token', async () => {
    await assert.rejects(startServer(new FakeNebula(), { host: '0.0.0.0' }), { code: 'ERR_NEBULA_LISTEN_REFUSED' });
  });

  it('listens on any address with a token', async () => {
    const server = await startServer(new FakeNebula(), { host: '0.0.0.0', token: 'secret' });
    const response = await fetch(server.url.replace('0.0.0.0', '127.0.0.1') + '/functions');
    assert.equal(response.status, 401);
    await server.close();
  });

  for (const [title, options] of [
    ['a port that is none', { port: 65_536 }],
    ['a drain time that is none', { drainMs: -1 }],
    ['a token that cannot be sent', { token: 'two words' }],
    ['an empty token', { token: '' }],
  ] as const) {
    it(`refuses ${title}`, async () => {
      await assert.rejects(startServer(new FakeNebula(), options), { code: 'ERR_NEBULA_ARGUMENT' });
    });
  }

  it('rejects when the port is taken, and leaves nothing open', async () => {
    const server = await startServer(new FakeNebula());
    await assert.rejects(startServer(new FakeNebula(), { port: Number(new URL(server.url).port) }), {
      code: 'EADDRINUSE',
    });
    await server.close();
  });
});

describe('server', () => {
  let server: NebulaServer;
  let nebula: FakeNebula;
  let connections: RawConnection[];

  async function start(options: ServerOptions = {}): Promise<void> {
    await server.close();
    server = await startServer(nebula, options);
  }

  function connect(): RawConnection {
    const connection = new RawConnection(server.url);
    connections.push(connection);
    return connection;
  }

  beforeEach(async () => {
    connections = [];
    nebula = new FakeNebula()
      .define('echo', (input) => outcomeOf({ kind: 'ok' }, input))
      .define('small', (input) => outcomeOf({ kind: 'ok' }, input), { limits: { inputBytes: 10 } })
      .define('wait', untilAborted);
    server = await startServer(nebula);
  });

  afterEach(async () => {
    for (const { socket } of connections) socket.destroy();
    await server.close();
  });

  it('joins a body that arrives in pieces', async () => {
    const connection = connect().write(`POST /invoke/echo HTTP/1.1\r\n${HOST}Content-Length: 9\r\n\r\nabc`);
    await sleep(10);
    connection.write('def');
    await sleep(10);
    connection.write('ghi');
    assert.match(await connection.until(/ghi$/), /^HTTP\/1\.1 200 OK\r\n.*\r\n\r\nabcdefghi$/s);
  });

  it('keeps the connection for the next request', async () => {
    const connection = connect();
    for (const text of ['one', 'two']) {
      connection.write(`POST /invoke/echo HTTP/1.1\r\n${HOST}Content-Length: 3\r\n\r\n${text}`);
      await connection.until(new RegExp(`${text}$`));
    }
    assert.equal(nebula.invocations.length, 2);
  });

  it('answers pipelined requests in their order', async () => {
    nebula.define('slow', async () => {
      await sleep(30);
      return outcomeOf({ kind: 'ok' }, 'slow');
    });
    const connection = connect().write(
      invokeRequest('slow', 'x') + invokeRequest('echo', 'fast') + invokeRequest('nobody', 'x'),
    );
    const received = await connection.until(/FUNCTION_NOT_FOUND/);
    assert.ok(received.indexOf('\r\n\r\nslow') < received.indexOf('\r\n\r\nfast'));
    assert.ok(received.indexOf('\r\n\r\nfast') < received.indexOf('FUNCTION_NOT_FOUND'));
  });

  it('refuses an announced body over the limit before it is sent, and closes', async () => {
    const connection = connect().write(`POST /invoke/small HTTP/1.1\r\n${HOST}Content-Length: 100000000\r\n\r\n`);
    const received = await connection.until(/INPUT_TOO_LARGE/);
    assert.match(received, /^HTTP\/1\.1 413 .*\r\nConnection: close\r\n/s);
    await connection.closed;
    assert.equal(nebula.invocations.length, 0);
  });

  it('refuses a chunked body when it passes the limit, while the client still sends', async () => {
    const connection = connect().write(
      `POST /invoke/small HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n8\r\n12345678\r\n`,
    );
    await sleep(10);
    assert.equal(connection.received, '');
    connection.write('8\r\n12345678\r\n');
    assert.match(await connection.until(/INPUT_TOO_LARGE/), /^HTTP\/1\.1 413 /);
    connection.write('8\r\n12345678\r\n');
    await connection.closed;
    assert.equal(nebula.invocations.length, 0);
  });

  it('keeps the connection after a small body that nobody wanted', async () => {
    const connection = connect().write(`POST /nowhere HTTP/1.1\r\n${HOST}Content-Length: 3\r\n\r\nabc`);
    await connection.until(/ROUTE_NOT_FOUND/);
    connection.write(`GET /healthz HTTP/1.1\r\n${HOST}\r\n`);
    assert.match(await connection.until(/"ok"/), /HTTP\/1\.1 200 OK/);
  });

  it('does not ask for a body that it would refuse', async () => {
    const connection = connect().write(
      `POST /invoke/small HTTP/1.1\r\n${HOST}Content-Length: 11\r\nExpect: 100-continue\r\n\r\n`,
    );
    assert.match(await connection.until(/INPUT_TOO_LARGE/), /^HTTP\/1\.1 413 .*\r\nConnection: close\r\n/s);
    await connection.closed;
  });

  it('asks for a body that it wants', async () => {
    const connection = connect().write(
      `POST /invoke/small HTTP/1.1\r\n${HOST}Content-Length: 2\r\nExpect: 100-continue\r\n\r\n`,
    );
    await connection.until(/^HTTP\/1\.1 100 Continue\r\n\r\n/);
    connection.write('ok');
    assert.match(await connection.until(/ok$/), /HTTP\/1\.1 200 OK/);
  });

  for (const [title, text, status] of [
    ['no HTTP', 'hello\r\n\r\n', 400],
    ['a header with a control character', `GET / HTTP/1.1\r\n${HOST}X: a\x01b\r\n\r\n`, 400],
    ['two lengths', `POST /invoke/echo HTTP/1.1\r\n${HOST}Content-Length: 1\r\nContent-Length: 2\r\n\r\n`, 400],
    [
      'a length and chunks',
      `POST /invoke/echo HTTP/1.1\r\n${HOST}Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
      400,
    ],
    ['a length that is no number', `POST /invoke/echo HTTP/1.1\r\n${HOST}Content-Length: 1x\r\n\r\n`, 400],
    ['a host that is none', 'GET /healthz HTTP/1.1\r\nHost: a/b?\r\n\r\n', 400],
    ['a host that is none in a call', 'POST /invoke/echo HTTP/1.1\r\nHost: a/b\r\nContent-Length: 1\r\n\r\nx', 400],
    ['two hosts', 'GET /functions HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n', 400],
    ['two hosts in a call', 'POST /invoke/echo HTTP/1.1\r\nHost: a\r\nhost: a\r\nContent-Length: 1\r\n\r\nx', 400],
    ['two hosts of HTTP/1.0', 'GET /fn/echo HTTP/1.0\r\nHost: a\r\nHost:\r\n\r\n', 400],
    ['a dot segment', `GET /fn/../functions HTTP/1.1\r\n${HOST}\r\n`, 400],
    ['an encoded dot segment', `PUT /fn/%2e%2E/functions/x HTTP/1.1\r\n${HOST}Content-Length: 0\r\n\r\n`, 400],
    ['a dot segment in absolute form', `GET http://localhost/fn/./x HTTP/1.1\r\n${HOST}\r\n`, 400],
    ['a fragment', `GET /healthz#a HTTP/1.1\r\n${HOST}\r\n`, 400],
    ['a target of another scheme', `GET ftp://localhost/healthz HTTP/1.1\r\n${HOST}\r\n`, 400],
    ['an asterisk without OPTIONS', `GET * HTTP/1.1\r\n${HOST}\r\n`, 400],
    ['an authority without CONNECT', `GET localhost:80 HTTP/1.1\r\n${HOST}\r\n`, 400],
    ['a tunnel', `CONNECT localhost:80 HTTP/1.1\r\n${HOST}\r\n`, 501],
    ['no host', 'GET /healthz HTTP/1.1\r\n\r\n', 400],
    ['another HTTP', `GET /healthz HTTP/2.0\r\n${HOST}\r\n`, 505],
    ['chunks of HTTP/1.0', 'POST /invoke/echo HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n', 400],
    [
      'chunks of HTTP/1.0 that would stay',
      'POST /fn/echo HTTP/1.0\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      400,
    ],
    ['no host in a call', 'POST /invoke/echo HTTP/1.1\r\nContent-Length: 1\r\n\r\nx', 400],
    [
      'an expectation it does not know',
      `POST /invoke/echo HTTP/1.1\r\n${HOST}Expect: cats\r\nContent-Length: 1\r\n\r\nx`,
      417,
    ],
    ['headers too long', `GET / HTTP/1.1\r\n${HOST}X: ${'x'.repeat(20_000)}\r\n\r\n`, 431],
    ['chunks that are none', `POST /invoke/echo HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\nzz\r\n`, 400],
  ] as const) {
    it(`answers ${title} with ${status}`, async () => {
      const connection = connect().write(text);
      const received = await connection.until(/about:blank/);
      assert.match(received, new RegExp(`^HTTP/1\\.1 ${status} `));
      assert.match(received, /Content-Type: application\/problem\+json/);
      assert.equal(nebula.invocations.length, 0);
    });
  }

  it('reads a body whose length comes after thousands of other fields', async () => {
    const fields = 'a:\r\n'.repeat(2500);
    const connection = connect().write(`POST /invoke/echo HTTP/1.1\r\n${HOST}${fields}Content-Length: 4\r\n\r\nbody`);
    assert.match(await connection.until(/\r\n\r\nbody$/), /^HTTP\/1\.1 200 /);
  });

  it('gives up on a client that never ends its headers', async () => {
    await start({ timeouts: { headersMs: 100, requestMs: 200 } });
    const connection = connect().write(`POST /invoke/echo HTTP/1.1\r\n${HOST}X-Slow: `);
    assert.match(await connection.until(/about:blank/), /^HTTP\/1\.1 408 /);
    await connection.closed;
  });

  it('gives up on a client that never ends its body', async () => {
    await start({ timeouts: { headersMs: 100, requestMs: 200 } });
    const connection = connect().write(`POST /invoke/echo HTTP/1.1\r\n${HOST}Content-Length: 10\r\n\r\nabc`);
    assert.match(await connection.until(/about:blank/), /^HTTP\/1\.1 408 /);
    await connection.closed;
    assert.equal(nebula.invocations.length, 0);
  });

  it('aborts the invocation when its client goes away, and counts a 499', async () => {
    for (const path of ['/invoke/wait', '/fn/wait']) {
      const connection = connect().write(`POST ${path} HTTP/1.1\r\n${HOST}Content-Length: 1\r\n\r\nx`);
      while (nebula.invocations.length === 0) await sleep(1);
      connection.socket.destroy();
      while ((nebula.outcomes['aborted'] ?? 0) === 0) await sleep(1);
      nebula.invocations.length = 0;
      nebula.outcomes['aborted'] = 0;
    }
    await sleep(5);
    const metrics = await (await fetch(`${server.url}/metrics`)).text();
    assert.match(metrics, /nebula_http_responses_total\{status="499"\} 2/);
  });

  it('forgets a body whose client goes away, and counts a 499', async () => {
    for (const path of ['/invoke/echo', '/fn/echo']) {
      const connection = connect().write(`POST ${path} HTTP/1.1\r\n${HOST}Content-Length: 10\r\n\r\nabc`);
      await once(connection.socket, 'connect');
      await sleep(20);
      connection.socket.destroy();
    }
    await sleep(20);
    const metrics = await (await fetch(`${server.url}/metrics`)).text();
    assert.match(metrics, /nebula_http_responses_total\{status="499"\} 2/);
    assert.equal(nebula.invocations.length, 0);
  });

  it('keeps nothing of bodies whose clients went away', async () => {
    const pieceBytes = 1024 * 1024;
    const piece = 'x'.repeat(pieceBytes);
    for (let round = 0; round < 100; round += 1) {
      const connection = connect().write(
        `POST /invoke/echo HTTP/1.1\r\n${HOST}Content-Length: ${2 * pieceBytes}\r\n\r\n`,
      );
      await new Promise((resolve) => connection.socket.write(piece, resolve));
      connection.socket.destroy();
      await connection.closed;
    }
    connections.length = 0;
    await sleep(20);
    globalThis.gc?.();
    await sleep(20);
    globalThis.gc?.();
    const { arrayBuffers } = process.memoryUsage();
    assert.ok(arrayBuffers < 30 * pieceBytes, `${arrayBuffers} bytes are still held`);
  });

  it('takes as many connections as it was told', async () => {
    await start({ connections: 1 });
    const first = connect().write(`GET /healthz HTTP/1.1\r\n${HOST}\r\n`);
    await first.until(/"ok"/);
    const second = connect().write(`GET /healthz HTTP/1.1\r\n${HOST}\r\n`);
    await second.closed;
    assert.equal(second.received, '');
  });

  it('hands the connection to a function as meta-variables', async () => {
    nebula.define('env', (_, { environment = {} }) => {
      return outcomeOf({ kind: 'ok' }, `Content-Type: application/json\n\n${JSON.stringify(environment)}`);
    });
    const connection = connect().write(
      'GET /fn/env//x?a HTTP/1.1\r\nHost: example.org:81\r\nX-Request-Id: mine\r\nX-Twice: 1\r\nX-Twice: 2\r\nX_Low: 3\r\nX-Utf: \xc3\xbc\r\nConnection: close\r\n\r\n',
    );
    await connection.closed;
    const body = connection.received.slice(connection.received.indexOf('\r\n\r\n'));
    const environment: unknown = JSON.parse(Buffer.from(body, 'latin1').toString('utf8'));
    assert.deepEqual(environment, {
      GATEWAY_INTERFACE: 'CGI/1.1',
      HTTP_HOST: 'example.org:81',
      HTTP_X_REQUEST_ID: 'mine',
      HTTP_X_TWICE: '1, 2',
      HTTP_X_UTF: 'ü',
      PATH_INFO: '//x',
      QUERY_STRING: 'a',
      REDIRECT_STATUS: '200',
      REMOTE_ADDR: '127.0.0.1',
      REMOTE_HOST: '127.0.0.1',
      REQUEST_METHOD: 'GET',
      REQUEST_SCHEME: 'http',
      REQUEST_URI: '/fn/env//x?a',
      SCRIPT_NAME: '/fn/env',
      SERVER_NAME: 'example.org',
      SERVER_PORT: '81',
      SERVER_PROTOCOL: 'HTTP/1.1',
      SERVER_SOFTWARE: 'Nebula',
    });
  });
});

describe('server close()', () => {
  it('finishes calls in flight, refuses new connections and closes idle ones', async () => {
    let release: (() => void) | undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    const nebula = new FakeNebula().define('hold', async () => {
      await held;
      return outcomeOf({ kind: 'ok' }, 'held');
    });
    const server = await startServer(nebula);
    const busy = new RawConnection(server.url);
    busy.write(`POST /invoke/hold HTTP/1.1\r\n${HOST}Content-Length: 1\r\n\r\nx`);
    while (nebula.invocations.length === 0) await sleep(1);
    const idle = new RawConnection(server.url);
    idle.write(`GET /readyz HTTP/1.1\r\n${HOST}\r\n`);
    await idle.until(/"ready"/);
    const silent = new RawConnection(server.url);
    await once(silent.socket, 'connect');
    const closing = server.close();
    assert.equal(server.close(), closing);
    await idle.closed;
    await silent.closed;
    const late = new NebulaClient({ url: server.url, attempts: 1 });
    await assert.rejects(late.invoke('hold'), { code: 'ERR_NEBULA_SERVER_UNREACHABLE' });
    await late.close();
    release?.();
    await busy.closed;
    await closing;
    assert.match(busy.received, /^HTTP\/1\.1 200 OK\r\n.*Connection: close\r\n.*held/s);
  });

  it('ends calls that do not finish in the time they get', async () => {
    const nebula = new FakeNebula().define('wait', untilAborted);
    const server = await startServer(nebula, { drainMs: 50 });
    const stuck = new RawConnection(server.url);
    stuck.write(`POST /invoke/wait HTTP/1.1\r\n${HOST}Content-Length: 1\r\n\r\nx`);
    while (nebula.invocations.length === 0) await sleep(1);
    const startedMs = performance.now();
    await server.close();
    const elapsedMs = performance.now() - startedMs;
    assert.ok(elapsedMs > 40, `${elapsedMs} ms`);
    await stuck.closed;
    await sleep(1);
    assert.equal(nebula.outcomes['aborted'], 1);
  });

  it('says on a kept connection that it is not ready', async () => {
    const nebula = new FakeNebula().define('wait', untilAborted);
    const server = await startServer(nebula, { drainMs: 200 });
    const connection = new RawConnection(server.url);
    connection.write(`GET /readyz HTTP/1.1\r\n`);
    await once(connection.socket, 'connect');
    await sleep(10);
    const closing = server.close();
    connection.write(`${HOST}\r\n`);
    assert.match(await connection.until(/CLOSED/), /^HTTP\/1\.1 503 .*Retry-After: 1\r\n/s);
    await closing;
  });
});
