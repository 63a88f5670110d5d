/** Requests whose bodies are not what they said, against a server in a thread of its own: this one waits as a guest does. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, describe, it } from 'node:test';
import { Worker } from 'node:worker_threads';
import { resolveCapabilities } from '../../../../../host/capabilities/capabilities.ts';
import { Host, withHost } from '../../../../../host/component/world/host.ts';
import { OutgoingBody } from '../../../../../host/component/world/http/bodies.ts';
import { Fields } from '../../../../../host/component/world/http/fields.ts';
import { OutgoingRequest } from '../../../../../host/component/world/http/outgoing.ts';
import { createOutgoingHandler } from '../../../../../host/component/world/http/outgoing-handler.ts';
import { resolveLimits } from '../../../../../host/limits.ts';

/** Answers with how many bytes came, once they all have. */
const SERVER = `
const { createServer } = require('node:http');
const { parentPort } = require('node:worker_threads');
const server = createServer((request, response) => {
  let count = 0;
  request.on('data', (chunk) => (count += chunk.length));
  request.on('end', () => response.end(String(count)));
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

describe('createOutgoingHandler()', () => {
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
