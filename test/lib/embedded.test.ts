/** Nebula inside services built with other frameworks: it answers, and leaves the process as it found it. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import {
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type RequestListener,
  type ServerResponse,
} from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { fastify } from 'fastify';
import { Request } from 'undici';
import { createNebula, createNebulaOn } from '../../lib/nebula.ts';
import type { Nebula } from '../../lib/api/nebula.ts';
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

const TOKEN = 'correct-horse';

interface Mounted {
  readonly url: string;
  readonly close: () => Promise<void>;
}

function bearer(token: string): Record<string, string> {
  return { authorization: `Bearer ${token}` };
}

/** Headers of a request of node:http as the fetch API takes them. */
function fieldsOf({ rawHeaders }: IncomingMessage): [string, string][] {
  const names = rawHeaders.filter((_, index) => index % 2 === 0);
  return names.map((name, index): [string, string] => [name, rawHeaders[2 * index + 1] ?? '']);
}

/** Hands a request under `/nebula` to the mount: what a framework's handler does, with what it knows beside the URL. */
async function pass(nebula: Nebula, message: IncomingMessage, url: string, body: Uint8Array | null): Promise<Response> {
  const target = url.slice('/nebula'.length);
  const request = new Request(new URL(target, 'http://nebula'), {
    method: message.method ?? 'GET',
    headers: fieldsOf(message).filter(([name]) => !/^(connection|content-length|expect)$/i.test(name)),
    body: message.method === 'GET' ? null : body,
  });
  return nebula.fetch(request, { target, remoteAddress: message.socket.remoteAddress ?? '' });
}

async function mountInExpress(nebula: Nebula): Promise<Mounted> {
  const app = express();
  app.use(express.raw({ type: '*/*' }));
  app.use((request, response, next) => {
    const body = request.body instanceof Uint8Array ? request.body : null;
    const answered = pass(nebula, request, request.url ?? '', body).then(async (answer) => {
      response.writeHead(answer.status, Object.fromEntries(answer.headers));
      response.end(Buffer.from(await answer.arrayBuffer()));
    });
    answered.catch(next);
  });
  const server = createServer(app);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const close = async (): Promise<void> => {
    server.close();
    server.closeAllConnections();
  };
  return { url: `http://127.0.0.1:${port}`, close };
}

async function mountInFastify(nebula: Nebula): Promise<Mounted> {
  const app = fastify();
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  app.all('/nebula/*', async (request, reply) => {
    const answer = await pass(nebula, request.raw, request.url, (request.body as Buffer | undefined) ?? null);
    return reply
      .code(answer.status)
      .headers(Object.fromEntries(answer.headers))
      .send(Buffer.from(await answer.arrayBuffer()));
  });
  const url = await app.listen({ port: 0, host: '127.0.0.1' });
  return { url, close: () => app.close() };
}

for (const [framework, mount] of [
  ['Express', mountInExpress],
  ['Fastify', mountInFastify],
] as const) {
  test(`createNebula({ token }) opens management and metrics of a mount in ${framework} to the token alone`, async () => {
    const nebula = await createNebulaOn(new FakeExecutor(), { token: TOKEN });
    const { url, close } = await mount(nebula);
    const put = { method: 'PUT', body: tinyModule(), headers: { 'content-type': 'application/wasm' } };
    for (const headers of [{}, bearer(''), bearer(`${TOKEN}x`), bearer(TOKEN.slice(1)), { authorization: TOKEN }]) {
      const refused = await fetch(`${url}/nebula/functions/late`, { ...put, headers: { ...put.headers, ...headers } });
      assert.equal(refused.status, 401);
      assert.equal((await fetch(`${url}/nebula/functions`, { headers })).status, 401);
      assert.equal((await fetch(`${url}/nebula/metrics`, { headers })).status, 401);
    }
    const headers = { ...put.headers, ...bearer(TOKEN) };
    assert.equal((await fetch(`${url}/nebula/functions/late`, { ...put, headers })).status, 201);
    const { functions } = (await (await fetch(`${url}/nebula/functions`, { headers })).json()) as {
      functions: { name: string }[];
    };
    assert.deepEqual(
      functions.map(({ name }) => name),
      ['late'],
    );
    assert.equal((await fetch(`${url}/nebula/invoke/late`, { method: 'POST', body: 'x' })).status, 200);
    const metrics = await fetch(`${url}/nebula/metrics`, { headers: bearer(TOKEN) });
    assert.match(await metrics.text(), /nebula_invocations_total\{function="late",outcome="ok"\} 1/);
    assert.equal((await fetch(`${url}/nebula/functions/late`, { method: 'DELETE', headers })).status, 204);
    await close();
    await nebula.close();
  });

  test(`createNebula() without a token keeps management of a mount in ${framework} closed`, async () => {
    const nebula = await openNebula();
    const { url, close } = await mount(nebula);
    for (const path of ['/functions', '/functions/echo', '/metrics']) {
      for (const headers of [{}, { authorization: 'Bearer ' }, { authorization: 'Bearer undefined' }]) {
        assert.equal((await fetch(`${url}/nebula${path}`, { headers })).status, 401, path);
      }
    }
    assert.equal((await fetch(`${url}/nebula/invoke/echo`, { method: 'POST', body: 'x' })).status, 200);
    await close();
    await nebula.close();
  });

  test(`fetch() mounted in ${framework} hands a function the target and the address of its client`, async () => {
    const executor = new FakeExecutor();
    const nebula = await createNebulaOn(executor);
    await nebula.deploy(tinyModule(), { name: 'echo' });
    const { url, close } = await mount(nebula);
    const get = (path: string): Promise<number> =>
      new Promise((resolve, reject) => {
        const { port } = new URL(url);
        httpRequest({ port, path, host: '127.0.0.1' }, (answer) => resolve(answer.resume().statusCode ?? 0))
          .on('error', reject)
          .end();
      });
    await get('/nebula/fn/echo/%27a\'?b="\'"&c=<>');
    const { environment = {} } = executor.invocations[0]?.invocation ?? {};
    assert.deepEqual(
      [environment['PATH_INFO'], environment['QUERY_STRING'], environment['REMOTE_ADDR']],
      ["/'a'", 'b="\'"&c=<>', '127.0.0.1'],
    );
    assert.equal(await get('/nebula/fn/../functions'), 400);
    assert.equal(await get('/nebula/fn/%2e%2E/functions'), 400);
    await close();
    await nebula.close();
  });
}

for (const token of ['', 'two words', 'n\u00fc', 7]) {
  test(`createNebula() refuses the token ${JSON.stringify(token)}`, async () => {
    await assert.rejects(createNebula({ token: token as string }), { code: 'ERR_NEBULA_ARGUMENT' });
  });
}
