/** What one port to the thread for outgoing requests may have under way, and what it leaves, by messages alone. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer as createHttpServer, type ServerResponse } from 'node:http';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { test, type TestContext } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import type { HttpStart, OutgoingAnswer, OutgoingMessage } from '../../../../host/component/outgoing/messages.ts';
import { OutgoingThread } from '../../../../host/component/outgoing/thread.ts';

const signal = new SharedArrayBuffer(4);

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await setTimeout(2);
}

async function listening(context: TestContext, server: Server, open: Set<Socket>): Promise<number> {
  server.on('connection', (socket: Socket) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
    socket.on('error', () => undefined);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  context.after(() => {
    for (const socket of open) socket.destroy();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

interface Link {
  readonly port: MessagePort;
  readonly answers: OutgoingAnswer[];
  readonly send: (message: OutgoingMessage) => void;
  readonly start: (id: number, origin: string, given?: Partial<HttpStart>) => void;
}

function link(context: TestContext): Link {
  const thread = new OutgoingThread();
  const { port1: port, port2 } = new MessageChannel();
  const answers: OutgoingAnswer[] = [];
  port.on('message', (told: OutgoingAnswer[]) => answers.push(...told));
  thread.connect(port2);
  context.after(async () => {
    port.close();
    await thread.close();
  });
  const timeouts = { connectMs: 30_000, headMs: 30_000, betweenBytesMs: 30_000 };
  const start = { op: 'start', guest: 1, path: '/', method: 'GET', headers: [], hasBody: false } as const;
  return {
    port,
    answers,
    send: (message) => port.postMessage(message),
    start: (id, origin, given) =>
      port.postMessage({ ...start, id, origin, signal, isPrivateGranted: true, timeouts, bodyBytes: 1e6, ...given }),
  };
}

const ids = (count: number, from = 1): number[] => Array.from({ length: count }, (_, index) => from + index);

test('serveGuests() ends what still connects when it is aborted, and frees its place', {
  timeout: 25_000,
}, async (context) => {
  // Nobody answers what TLS begins with, so that nothing is ever connected.
  const open = new Set<Socket>();
  let accepted = 0;
  const server = createServer((socket) => {
    accepted++;
    // Whoever reads nothing sees no end.
    socket.resume();
  });
  const origin = `https://127.0.0.1:${await listening(context, server, open)}`;
  const { send, start } = link(context);
  for (const id of ids(20)) start(id, origin, { hasBody: id % 2 === 0 });
  await until(() => accepted === 16);
  for (const id of ids(20).toReversed()) send({ op: 'abort', id });
  await until(() => open.size === 0);
  assert.equal(accepted, 16);
  // The same guest's next call has all the places.
  for (const id of ids(16, 21)) start(id, origin);
  await until(() => open.size === 16);
});

test('serveGuests() starts none of what waits when its guest thread ends', async (context) => {
  const open = new Set<Socket>();
  const held: ServerResponse[] = [];
  const server = createHttpServer((_, response) => held.push(response));
  const origin = `http://127.0.0.1:${await listening(context, server, open)}`;
  const { port, start } = link(context);
  for (const id of ids(60)) start(id, origin);
  await until(() => held.length === 16);
  port.close();
  await until(() => open.size === 0);
  assert.equal(held.length, 16);
});

test('serveGuests() lets no request wait for its turn longer than for a connection', async (context) => {
  const held: ServerResponse[] = [];
  const server = createHttpServer((_, response) => held.push(response));
  const origin = `http://127.0.0.1:${await listening(context, server, new Set())}`;
  const { answers, start } = link(context);
  for (const id of ids(16)) start(id, origin);
  await until(() => held.length === 16);
  start(17, origin, { timeouts: { connectMs: 20, headMs: 30_000, betweenBytesMs: 30_000 } });
  await until(() => answers.length > 0);
  assert.deepEqual(answers, [{ kind: 'error', id: 17, code: { tag: 'connection-timeout' } }]);
});

test('serveGuests() makes 256 requests of all guests of a thread at once', async (context) => {
  const held: ServerResponse[] = [];
  const server = createHttpServer((_, response) => held.push(response));
  const origin = `http://127.0.0.1:${await listening(context, server, new Set())}`;
  const { answers, start } = link(context);
  for (const id of ids(320)) start(id, origin, { guest: id % 32 });
  await until(() => held.length === 256);
  for (let ended = 0; ended < 320; ended++) {
    await until(() => held.length > 0);
    held.shift()?.end();
    assert.ok(held.length <= 256);
  }
  await until(() => answers.filter(({ kind }) => kind === 'end').length === 320);
});

test('serveGuests() answers an abort', async (context) => {
  const held: ServerResponse[] = [];
  const server = createHttpServer((_, response) => held.push(response));
  const origin = `http://127.0.0.1:${await listening(context, server, new Set())}`;
  const { answers, send, start } = link(context);
  for (const id of ids(17)) start(id, origin);
  await until(() => held.length === 16);
  for (const id of [17, 1]) send({ op: 'abort', id });
  await until(() => answers.length === 2);
  assert.deepEqual(
    answers.map(({ kind, id }) => [kind, id]),
    [
      ['error', 17],
      ['error', 1],
    ],
  );
});
