/** Nebula inside services built with other frameworks: it answers, and leaves the process as it found it. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { fastify } from 'fastify';
import { Request } from 'undici';
import { createNebulaOn } from '../../lib/nebula.ts';
import type { Nebula } from '../../lib/api.ts';
import { FakeExecutor } from './fake-executor.ts';
import { tinyModule } from './tiny-module.ts';

type Next = (error: unknown) => void;
type Middleware = (request: IncomingMessage & { body: Uint8Array }, response: ServerResponse, next: Next) => void;

/** What the test uses of Express, which ships no types. */
interface Express {
  (): RequestListener & { use(middleware: Middleware): void; post(path: string, handler: Middleware): void };
  raw(options: { type: string }): Middleware;
}

const express = createRequire(import.meta.url)('express') as Express;

function timers(): number {
  return process.getActiveResourcesInfo().filter((resource) => resource === 'Timeout').length;
}

function listenersOfProcess(): Readonly<Record<string, number>> {
  return Object.fromEntries(process.eventNames().map((event) => [String(event), process.listenerCount(event)]));
}

async function exchange(url: string): Promise<string> {
  const answer = await fetch(`${url}/run`, {
    method: 'POST',
    body: 'hello',
    headers: { 'content-type': 'text/plain' },
  });
  assert.equal(answer.status, 200);
  return answer.text();
}

async function openNebula(): Promise<Nebula> {
  const nebula = await createNebulaOn(new FakeExecutor());
  await nebula.deploy(tinyModule(), { name: 'echo' });
  return nebula;
}

test('createNebula() inside Express adds no listener to the process and keeps no timer', async () => {
  const before = listenersOfProcess();
  const timersBefore = timers();
  const nebula = await openNebula();
  await nebula.invoke('echo');
  assert.equal(timers(), timersBefore);
  const app = express();
  app.use(express.raw({ type: '*/*' }));
  app.post('/run', (request, response, next) => {
    nebula.invokeOrThrow('echo', request.body).then((answer) => response.end(answer), next);
  });
  const server = createServer(app);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  assert.equal(await exchange(`http://127.0.0.1:${port}`), 'hello');
  assert.deepEqual(listenersOfProcess(), before);
  server.close();
  server.closeAllConnections();
  await nebula.close();
  assert.deepEqual(listenersOfProcess(), before);
});

test('createNebula() inside Fastify, fetch() mounted beside its own routes', async () => {
  const before = listenersOfProcess();
  const nebula = await openNebula();
  const app = fastify();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  app.post('/run', (request) =>
    nebula.invokeOrThrow('echo', String(request.body)).then((answer) => Buffer.from(answer)),
  );
  app.all('/nebula/*', (request, reply) => {
    const url = new URL(request.url.slice('/nebula'.length), 'http://nebula');
    const { method, body } = request;
    return nebula
      .fetch(new Request(url, { method, body: body as Buffer }))
      .then(async (answer) => reply.code(answer.status).send(Buffer.from(await answer.arrayBuffer())));
  });
  const url = await app.listen({ port: 0, host: '127.0.0.1' });
  assert.equal(await exchange(url), 'hello');
  const headers = { 'content-type': 'application/octet-stream' };
  const mounted = await fetch(`${url}/nebula/invoke/echo`, { method: 'POST', body: 'through', headers });
  assert.equal(await mounted.text(), 'through');
  const missing = await fetch(`${url}/nebula/invoke/nope`, { method: 'POST', body: 'x', headers });
  assert.equal(missing.status, 404);
  await app.close();
  await nebula.close();
  assert.deepEqual(listenersOfProcess(), before);
});
