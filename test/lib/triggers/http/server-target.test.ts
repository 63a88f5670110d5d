/** What the server makes of request targets, Host and Origin, said byte for byte. */

import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { startServer, type NebulaServer, type ServerOptions } from '../../../../lib/triggers/http/server.ts';
import { FakeNebula, outcomeOf } from './fake-nebula.ts';
import { RawConnection } from './raw-connection.ts';

const HOST = 'Host: 127.0.0.1\r\n';

describe('startServer() and where a request goes', () => {
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
    nebula = new FakeNebula().define('echo', (input) => outcomeOf({ kind: 'ok' }, input));
    server = await startServer(nebula);
  });

  afterEach(async () => {
    for (const { socket } of connections) socket.destroy();
    await server.close();
  });

  it('does not take a backslash for a slash, nor decode a route', async () => {
    for (const target of [
      '/fn\\..\\functions',
      '/fn/echo\\..\\..\\functions',
      '/%66unctions',
      '/functions/',
      '//functions',
    ]) {
      const connection = connect().write(`GET ${target} HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`);
      await connection.closed;
      assert.match(connection.received, /^HTTP\/1\.1 404 /, target);
    }
  });

  it('leads to no management from the path of a function, however it is written', async () => {
    const separators = ['/', '\\', '%2f', '%2F', '%5c'];
    const segments = ['..', '.', '%2e%2e', '%2E.', '.%2e', '..;', '%252e%252e', '..%00'];
    for (const before of separators) {
      for (const segment of segments) {
        const targets = separators.map((after) => `/fn${before}${segment}${after}functions`);
        // One connection for all of them; the last says when they are answered.
        const requests = [...targets, '/healthz'].map((target) => `GET ${target} HTTP/1.1\r\n${HOST}\r\n`);
        const received = await connect().write(requests.join('')).until(/"ok"/);
        assert.doesNotMatch(received, /"functions":/, targets.join(' '));
      }
    }
  });

  it('hands the target to a function byte for byte', async () => {
    nebula.define('env', (_, { environment = {} }) => {
      const { PATH_INFO, QUERY_STRING, REQUEST_URI, HTTP_HOST } = environment;
      const shown = JSON.stringify([PATH_INFO, QUERY_STRING, REQUEST_URI, HTTP_HOST]);
      return outcomeOf({ kind: 'ok' }, `Content-Type: application/json\n\n${shown}`);
    });
    for (const [target, pathInfo, query] of [
      ['/fn/env/?sig=\'a\'&q="<x>"', '/', 'sig=\'a\'&q="<x>"'],
      ['/fn/env/a\\b\\..\\c', '/a\\b\\..\\c', ''],
      ['/fn/env/%FF%27?%FF%27|{}^`', "/\udcff'", '%FF%27|{}^`'],
      ['/fn/env?', '', ''],
    ] as const) {
      for (const prefix of ['', 'HTTP://localhost:80']) {
        const connection = connect().write(`GET ${prefix}${target} HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`);
        await connection.closed;
        const seen: unknown = JSON.parse(connection.received.slice(connection.received.indexOf('\r\n\r\n')));
        const host = prefix === '' ? '127.0.0.1' : 'localhost:80';
        assert.deepEqual(seen, [pathInfo, query, target, host], target);
      }
    }
  });

  it('takes a target in absolute form, and answers OPTIONS for the whole server', async () => {
    const absolute = connect().write(`GET http://127.0.0.1/healthz HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`);
    await absolute.closed;
    assert.match(absolute.received, /^HTTP\/1\.1 200 /);
    for (const target of ['*', 'http://localhost']) {
      const connection = connect().write(`OPTIONS ${target} HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`);
      await connection.closed;
      assert.match(
        connection.received,
        /^HTTP\/1\.1 204 .*\r\nAllow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS\r\n/s,
      );
    }
  });

  it('says that no function takes TRACE', async () => {
    const trace = connect().write(`TRACE /fn/echo HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`);
    await trace.closed;
    assert.match(trace.received, /^HTTP\/1\.1 405 .*\r\nAllow: GET, /s);
    assert.equal(nebula.invocations.length, 0);
  });

  it('passes on what an answer to HEAD says of its length, and claims none of its own', async () => {
    nebula.define('stated', () => outcomeOf({ kind: 'ok' }, 'Content-Type: a/b\nContent-Length: 1234\n\n'));
    nebula.define('unstated', () => outcomeOf({ kind: 'ok' }, 'Content-Type: a/b\n\n'));
    nebula.define('whole', () => outcomeOf({ kind: 'ok' }, 'Content-Type: a/b\n\nbody'));
    for (const [name, length] of [
      ['stated', '1234'],
      ['unstated', undefined],
      ['whole', '4'],
    ] as const) {
      const connection = connect().write(`HEAD /fn/${name} HTTP/1.1\r\n${HOST}\r\n`);
      await connection.until(/\r\n\r\n/);
      // The connection goes on where the head ended.
      connection.write(`GET /healthz HTTP/1.1\r\n${HOST}\r\n`);
      const received = await connection.until(/"ok"/);
      assert.equal(/^Content-Length: (\d+)/m.exec(received.split('\r\n\r\n')[0] ?? '')?.[1], length, received);
      assert.match(received, /\r\n\r\nHTTP\/1\.1 200 OK\r\n/);
    }
  });

  it('manages functions only under names it knows, and for no page of another origin', async () => {
    await start({ token: 'secret', hosts: ['Faas.example', '192.0.2.1'] });
    const cases = [
      ['Host: 127.0.0.1:80', 200],
      ['Host: faas.example:443', 200],
      ['Host: 192.0.2.1', 200],
      ['Host: 192.0.2.2', 403],
      ['Host: evil.example', 403],
      ['Host: faas.example.evil.example', 403],
      ['Host: faas.example\r\nOrigin: https://faas.example', 200],
      ['Host: faas.example\r\nOrigin: https://faas.example:444', 403],
      ['Host: localhost\r\nOrigin: null', 403],
      ['Host: localhost\r\nOrigin: http://evil.example', 403],
      ['Host: localhost\r\nSec-Fetch-Site: cross-site', 403],
      ['Host: localhost\r\nSec-Fetch-Site: same-site', 403],
      ['Host: localhost\r\nSec-Fetch-Site: same-origin', 200],
    ] as const;
    for (const path of ['/functions', '/metrics', '/functions/echo']) {
      for (const [headers, status] of cases) {
        const connection = connect().write(
          `GET ${path} HTTP/1.1\r\n${headers}\r\nAuthorization: Bearer secret\r\nConnection: close\r\n\r\n`,
        );
        await connection.closed;
        assert.match(connection.received, new RegExp(`^HTTP/1\\.1 ${status} `), `${path} ${headers}`);
        assert.equal(/ERR_NEBULA_(HOST|ORIGIN)_UNKNOWN/.test(connection.received), status === 403);
      }
    }
  });

  it('calls functions under any name', async () => {
    for (const path of ['/invoke/echo', '/fn/teapot']) {
      const connection = connect().write(
        `POST ${path} HTTP/1.1\r\nHost: any.example\r\nOrigin: http://other.example\r\nConnection: close\r\n\r\n`,
      );
      await connection.closed;
      assert.doesNotMatch(connection.received, /UNKNOWN|UNAUTHORIZED/);
    }
  });

  it('manages functions without a token only for a loopback host, no page and no proxy', async () => {
    const cases = [
      ['Host: 127.0.0.1', 200],
      ['Host: localhost:7070', 200],
      ['Host: [::1]:7070', 200],
      ['Host: evil.example', 403, 'HOST_UNKNOWN'],
      ['Host: 127.0.0.1.evil.example', 403, 'HOST_UNKNOWN'],
      ['Host: localhost\r\nOrigin: http://evil.example', 403, 'ORIGIN_UNKNOWN'],
      ['Host: localhost\r\nSec-Fetch-Site: cross-site', 403, 'ORIGIN_UNKNOWN'],
      ['Host: localhost\r\nOrigin: http://localhost', 401, 'UNAUTHORIZED'],
      ['Host: localhost\r\nSec-Fetch-Site: same-origin', 401, 'UNAUTHORIZED'],
      ['Host: localhost\r\nSec-Fetch-Site: none', 200],
      ['Host: localhost\r\nForwarded: for=192.0.2.1', 401, 'UNAUTHORIZED'],
      ['Host: localhost\r\nX-Forwarded-For: 192.0.2.1', 401, 'UNAUTHORIZED'],
      ['Host: localhost\r\nX-Forwarded-Host: faas.example', 401, 'UNAUTHORIZED'],
      ['Host: localhost\r\nX-Real-IP: 192.0.2.1', 401, 'UNAUTHORIZED'],
      ['Host: localhost\r\nVia: 1.1 proxy', 401, 'UNAUTHORIZED'],
    ] as const;
    for (const [headers, status, code] of cases) {
      const connection = connect().write(`GET /functions HTTP/1.1\r\n${headers}\r\nConnection: close\r\n\r\n`);
      await connection.closed;
      assert.match(connection.received, new RegExp(`^HTTP/1\\.1 ${status} `), headers);
      assert.equal(/"code":"ERR_NEBULA_(\w+)"/.exec(connection.received)?.[1], code, headers);
    }
  });
});
