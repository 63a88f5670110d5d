/** Requests whose bodies are not what they said, against a server in a thread of its own: this one waits as a guest does. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, describe, it } from 'node:test';
import { Worker } from 'node:worker_threads';
import { resolveCapabilities } from '../../../../../host/capabilities/capabilities.ts';
import { Host, withHost } from '../../../../../host/component/world/host.ts';
import { IncomingBody, OutgoingBody } from '../../../../../host/component/world/http/bodies.ts';
import { Fields } from '../../../../../host/component/world/http/fields.ts';
import {
  type FutureIncomingResponse,
  type IncomingResponse,
  OutgoingRequest,
} from '../../../../../host/component/world/http/outgoing.ts';
import {
  createOutgoingHandler,
  type OutgoingHandler,
} from '../../../../../host/component/world/http/outgoing-handler.ts';
import { resolveLimits } from '../../../../../host/limits.ts';

/** Answers with how many bytes came, once they all have. */
const SERVER = `
const { createServer } = require('node:http');
const { parentPort } = require('node:worker_threads');
const server = createServer((request, response) => {
  let count = 0;
  request.on('data', (chunk) => (count += chunk.length));
  request.on('end', () => response.end(request.url === '/large' ? 'x'.repeat(4194304) : String(count)));
  response.on('error', () => undefined);
});
server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port));
`;

let server: Worker;
let authority: string;

before(async () => {
  server = new Worker(SERVER, { eval: true });
  const [port] = (await once(server, 'message')) as [number];
  authority = `127.0.0.1:${port}`;
});

after(() => server.terminate());

function tagOf(operation: () => void): string {
  try {
    operation();
    return 'ok';
  } catch (error) {
    return (error as { readonly payload: { readonly tag: string } }).payload.tag;
  }
}

/** Posts a body in pieces under a Content-Length: how the writes, its end and the request went. */
function post(contentLength: string, pieces: readonly number[]): string[] {
  const capabilities = resolveCapabilities({ http: { origins: [`http://${authority}`], private: true } });
  const host = new Host({ programName: 'test', limits: resolveLimits(), capabilities }, []);
  host.begin({ input: new Uint8Array(), arguments: [], environment: {} });
  return withHost(host, () => {
    const request = new OutgoingRequest(Fields.fromList([['content-length', Buffer.from(contentLength)]]));
    request.setMethod({ tag: 'post' });
    request.setScheme({ tag: 'HTTP' });
    request.setAuthority(authority);
    const body = request.body();
    const stream = body.write();
    const future = createOutgoingHandler(host)(request, undefined);
    const written = pieces.map((length) => tagOf(() => stream.blockingWriteAndFlush(new Uint8Array(length))));
    const finished = tagOf(() => OutgoingBody.finish(body, undefined));
    future.subscribe().block();
    const result = future.get();
    host.end();
    const answered = result?.tag === 'ok' ? result.val : undefined;
    const told = answered?.tag === 'ok' ? String(answered.val.status()) : String(answered?.val.tag);
    return [...written, finished, told];
  });
}

/** Makes a request whose response is larger than what is under way at once. */
function askForMuch(handle: OutgoingHandler): FutureIncomingResponse {
  const request = new OutgoingRequest(Fields.fromList([]));
  request.setScheme({ tag: 'HTTP' });
  request.setAuthority(authority);
  request.setPathWithQuery('/large');
  return handle(request, undefined);
}

function answered(future: FutureIncomingResponse): IncomingResponse {
  future.subscribe().block();
  const result = future.get();
  assert.ok(result?.tag === 'ok' && result.val.tag === 'ok', JSON.stringify(result));
  return result.val.val;
}

/** How a guest may let go of a response before it is whole. */
const LETTING_GO: readonly (readonly [string, (future: FutureIncomingResponse) => void])[] = [
  ['the response that comes', (future) => future.drop()],
  ['the response', (future) => answered(future).drop()],
  ['the body', (future) => answered(future).consume().drop()],
  [
    'the body after its stream',
    (future) => {
      const body = answered(future).consume();
      const stream = body.stream();
      stream.blockingRead(10n);
      stream.drop();
      body.drop();
    },
  ],
  [
    'the stream after its body',
    (future) => {
      const body = answered(future).consume();
      const stream = body.stream();
      body.drop();
      assert.equal(stream.blockingRead(1n).length, 1);
      stream.drop();
    },
  ],
  [
    'the trailers',
    (future) => {
      const body = answered(future).consume();
      IncomingBody.finish(body).drop();
    },
  ],
];

describe('createOutgoingHandler()', () => {
  for (const [what, letGo] of LETTING_GO) {
    // More than are made at once, and than may be under way: each must end when it is let go of.
    it(`lets further requests go when ${what} is let go of`, () => {
      const capabilities = resolveCapabilities({ http: { origins: [`http://${authority}`], private: true } });
      const host = new Host({ programName: 'test', limits: resolveLimits(), capabilities }, []);
      host.begin({ input: new Uint8Array(), arguments: [], environment: {} });
      withHost(host, () => {
        const handle = createOutgoingHandler(host);
        for (let count = 0; count < 40; count++) letGo(askForMuch(handle));
        answered(askForMuch(handle)).drop();
      });
      host.end();
    });
  }

  it('gives a request up whose body is let go of before it is finished, before its time is up', () => {
    const capabilities = resolveCapabilities({ http: { origins: [`http://${authority}`], private: true } });
    const host = new Host({ programName: 'test', limits: resolveLimits(), capabilities }, []);
    host.begin({ input: new Uint8Array(), arguments: [], environment: {} });
    withHost(host, () => {
      const request = new OutgoingRequest(Fields.fromList([]));
      request.setMethod({ tag: 'post' });
      request.setScheme({ tag: 'HTTP' });
      request.setAuthority(authority);
      const body = request.body();
      const stream = body.write();
      const future = createOutgoingHandler(host)(request, undefined);
      stream.blockingWriteAndFlush(new Uint8Array(3));
      stream.drop();
      body.drop();
      future.subscribe().block();
      assert.deepEqual(future.get(), { tag: 'ok', val: { tag: 'err', val: { tag: 'connection-terminated' } } });
    });
    host.end();
  });

  it('sends a body that is as long as it said', () => {
    assert.deepEqual(post('5', [2, 3]), ['ok', 'ok', 'ok', '200']);
  });

  it('gives a request up whose body is longer or shorter than it said, before its time is up', () => {
    assert.deepEqual(post('5', [2]), ['ok', 'HTTP-request-body-size', 'connection-terminated']);
    assert.deepEqual(post('5', [2, 4]), [
      'ok',
      'last-operation-failed',
      'HTTP-request-body-size',
      'connection-terminated',
    ]);
  });
});
