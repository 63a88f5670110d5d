/** What a guest can have on its way to the other thread and back: nothing here serves the port, but for these tests. */

import assert from 'node:assert/strict';
import { after, beforeEach, describe, it } from 'node:test';
import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import { resolveCapabilities } from '../../../../host/capabilities/capabilities.ts';
import { outgoingOfThread, shareOutgoing } from '../../../../host/component/outgoing/outgoing.ts';
import type { OutgoingAnswer, OutgoingMessage } from '../../../../host/component/outgoing/messages.ts';
import { Host, withHost } from '../../../../host/component/world/host.ts';
import { Fields } from '../../../../host/component/world/http/fields.ts';
import { type FutureIncomingResponse, OutgoingRequest } from '../../../../host/component/world/http/outgoing.ts';
import { createOutgoingHandler, type OutgoingHandler } from '../../../../host/component/world/http/outgoing-handler.ts';
import { Connection } from '../../../../host/component/world/sockets/connection.ts';
import { resolveLimits } from '../../../../host/limits.ts';

let far: MessagePort | undefined;
shareOutgoing({ losses: new SharedArrayBuffer(4), connect: (port) => (far = port) });
after(() => far?.close());

/** All that guests have sent since it was last asked. */
function sent(): OutgoingMessage[] {
  const messages: OutgoingMessage[] = [];
  if (far === undefined) return messages;
  for (let next = receiveMessageOnPort(far); next !== undefined; next = receiveMessageOnPort(far)) {
    messages.push(next.message as OutgoingMessage);
  }
  return messages;
}

const answer = (...answers: OutgoingAnswer[]): void => far?.postMessage(answers);

let host: Host;
let handle: OutgoingHandler;

beforeEach(() => {
  sent();
  const capabilities = resolveCapabilities({ http: { origins: ['http://127.0.0.1:1'], private: true } });
  host = new Host({ programName: 'test', limits: resolveLimits(), capabilities }, []);
  host.begin({ input: new Uint8Array(), arguments: [], environment: {} });
  handle = createOutgoingHandler(host);
});

function request(): OutgoingRequest {
  const made = new OutgoingRequest(Fields.fromList([]));
  made.setScheme({ tag: 'HTTP' });
  made.setAuthority('127.0.0.1:1');
  return made;
}

/** Begins a request and gives it up before its body is whole. */
function giveUp(): void {
  const made = request();
  made.setMethod({ tag: 'post' });
  const body = made.body();
  handle(made, undefined);
  body.drop();
}

const TOO_MANY = { payload: { tag: 'connection-limit-reached' } };

describe('createOutgoingHandler()', () => {
  it('counts requests that were given up until the other thread has answered', () =>
    withHost(host, () => {
      for (let count = 0; count < 64; count++) giveUp();
      assert.throws(giveUp, TOO_MANY);
      const aborted = sent().find(({ op }) => op === 'abort');
      answer({ kind: 'error', id: aborted?.id ?? 0, code: { tag: 'internal-error' } });
      giveUp();
      assert.throws(giveUp, TOO_MANY);
      host.end();
    }));

  it('counts each piece of a body as more than its bytes', () =>
    withHost(host, () => {
      const made = request();
      made.setMethod({ tag: 'post' });
      const body = made.body();
      const stream = body.write();
      handle(made, undefined);
      while (stream.checkWrite() > 0n) stream.write(new Uint8Array(1));
      const pieces = sent().filter(({ op }) => op === 'data');
      assert.equal(pieces.length, 256);
      answer(...pieces.map(({ id }) => ({ kind: 'sent', id, count: 1025 }) as const));
      stream.subscribe().block();
      assert.equal(stream.checkWrite(), 65_536n);
      host.end();
    }));

  it('gives a piece of a response back at once, however it is read', () =>
    withHost(host, () => {
      const future: FutureIncomingResponse = handle(request(), undefined);
      const { id } = sent()[0] as OutgoingMessage;
      answer({ kind: 'head', id, status: 200, headers: [] }, { kind: 'data', id, bytes: new Uint8Array(100) });
      future.subscribe().block();
      const result = future.get();
      assert.ok(result?.tag === 'ok' && result.val.tag === 'ok');
      const stream = result.val.val.consume().stream();
      for (let count = 0; count < 100; count++) assert.equal(stream.blockingRead(1n).length, 1);
      assert.deepEqual(sent(), [{ op: 'taken', id, count: 1124 }]);
      host.end();
    }));
});

describe('Connection', () => {
  it('counts pieces both ways as more than their bytes, and gives each back once', () => {
    const connection = new Connection(host);
    const { id } = connection;
    const [input, output] = [connection.input(), connection.output()];
    while ((output.room() ?? 0) > 0) output.put(new Uint8Array(1));
    assert.equal(sent().length, 256);
    answer(
      { kind: 'socket-data', id, bytes: new Uint8Array(2) },
      { kind: 'socket-data', id, bytes: new Uint8Array(3) },
    );
    for (const receive of host.receivers) receive();
    assert.deepEqual([input.take(1)?.length, sent()], [1, []]);
    assert.deepEqual([input.take(9)?.length, sent()], [1, [{ op: 'socket-taken', id, count: 1026 }]]);
    // What nobody will read is taken, too.
    connection.shutdown('receive');
    assert.deepEqual(sent(), [{ op: 'socket-taken', id, count: 1027 }]);
    host.end();
  });

  it('counts until the other thread has heard that it is closed', () => {
    const connection = new Connection(host);
    connection.leave();
    assert.equal(host.held.has(connection), true);
    assert.deepEqual(sent(), [{ op: 'close', id: connection.id }]);
    answer({ kind: 'socket-closed', id: connection.id });
    outgoingOfThread();
    assert.equal(host.held.has(connection), false);
    host.end();
  });
});

describe('outgoingOfThread()', () => {
  it('takes what has come, as the end of a guest does', () => {
    const outgoing = outgoingOfThread();
    const taken: number[] = [];
    const id = outgoing.open(() => taken.push(taken.length));
    answer({ kind: 'sent', id, count: 0 });
    outgoingOfThread();
    assert.equal(taken.length, 1);
    host.receivers.add(outgoing.receive);
    answer({ kind: 'sent', id, count: 0 });
    host.end();
    assert.equal(taken.length, 2);
    outgoing.close(id);
  });
});
