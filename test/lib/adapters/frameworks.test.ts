/** The adapters inside real applications: express 5 and fastify 5. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import {
  createServer,
  type RequestListener,
  request as httpRequest,
  type IncomingMessage,
  type Server,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { fastify } from 'fastify';
import { nebulaHandler } from '../../../lib/adapters/express.ts';
import { nebulaPlugin } from '../../../lib/adapters/fastify.ts';
import { createNebula } from '../../../lib/index.ts';
import type { Nebula } from '../../../lib/api/nebula.ts';
import { until } from '../../pools/fixture.ts';
import { builtFunction } from '../cli/command.ts';

interface ExpressResponse {
  send(text: string): void;
  status(status: number): this;
}

type Handler = (request: object, response: ExpressResponse, next: (error?: unknown) => void) => void;

/** As much of Express as is used here: it ships no types. */
interface Express {
  (): RequestListener & {
    get(path: string, handler: Handler): void;
    use(path: string, ...handlers: Handler[]): void;
    set(name: 'env', value: string): void;
  };
  raw(options: { readonly type: string }): Handler;
}

const express = createRequire(import.meta.url)('express') as Express;

const TOKEN = 'correct-horse';

interface App {
  readonly url: string;
  readonly close: () => Promise<void>;
}

async function startExpress(nebula: Nebula): Promise<App> {
  const app = express();
  // Told of no error: it would print them.
  app.set('env', 'test');
  app.get('/own', (_request, response) => response.send('own'));
  app.use('/nebula', nebulaHandler(nebula, { token: TOKEN }));
  app.use('/parsed', express.raw({ type: '*/*' }), nebulaHandler(nebula));
  return listening(createServer(app));
}

async function listening(server: Server): Promise<App> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

async function startFastify(nebula: Nebula): Promise<App> {
  const app = fastify({ bodyLimit: 10, forceCloseConnections: true });
  app.get('/own', () => 'own');
  await app.register(nebulaPlugin, { nebula, token: TOKEN, prefix: '/nebula' });
  const url = await app.listen({ port: 0, host: '127.0.0.1' });
  return { url, close: () => app.close() };
}

const FRAMEWORKS = { 'nebula-faas/express': startExpress, 'nebula-faas/fastify': startFastify } as const;

for (const [entry, start] of Object.entries(FRAMEWORKS)) {
  describe(entry, () => {
    let nebula: Nebula;
    let app: App;
    before(async () => {
      nebula = await createNebula({ threads: 2 });
      for (const name of ['echo', 'guests/exit-3', 'guests/forever', 'guests/cgi-hello']) {
        await nebula.deploy(builtFunction(name), { limits: { timeoutMs: 0 } });
      }
      app = await start(nebula);
    });
    after(async () => {
      await app.close();
      await nebula.close();
    });

    it('answers beside the routes of the application', async () => {
      assert.equal(await (await fetch(`${app.url}/own`)).text(), 'own');
      const body = 'x'.repeat(100_000);
      const headers = { 'content-type': 'application/json' };
      const echoed = await fetch(`${app.url}/nebula/invoke/echo`, { method: 'POST', body, headers });
      assert.equal(await echoed.text(), body);
      const cgi = await fetch(`${app.url}/nebula/fn/cgi-hello/`);
      assert.equal(cgi.status, 200);
      await cgi.text();
    });

    it('tells failures as problems, and manages with its token alone', async () => {
      for (const [path, status] of [
        ['invoke/exit-3', 500],
        ['invoke/nobody', 404],
        ['nowhere', 404],
      ] as const) {
        const answer = await fetch(`${app.url}/nebula/${path}`, { method: 'POST', body: '' });
        assert.equal(answer.status, status);
        assert.equal(answer.headers.get('content-type'), 'application/problem+json');
        assert.equal(((await answer.json()) as { status: number }).status, status);
      }
      const headers = { authorization: `Bearer ${TOKEN}` };
      assert.equal((await fetch(`${app.url}/nebula/functions`)).status, 401);
      assert.equal((await fetch(`${app.url}/nebula/functions`, { headers })).status, 200);
    });

    it('ends a call whose client goes away', async () => {
      const sent = httpRequest(`${app.url}/nebula/invoke/forever`, { method: 'POST' });
      sent.on('error', () => undefined);
      sent.end();
      const aborted = (): number =>
        nebula.stats().functions.find(({ name }) => name === 'forever')?.outcomes.aborted ?? 0;
      while (nebula.stats().executor.running === 0) await sleep(10);
      sent.destroy();
      for (const deadline = Date.now() + 20_000; aborted() === 0 && Date.now() < deadline; ) await sleep(10);
      assert.equal(aborted(), 1);
    });

    it('streams bodies both ways, so that a component answers while its request still comes', async () => {
      await nebula.deploy(builtFunction('components/transform'));
      const sent = httpRequest(`${app.url}/nebula/fn/transform/`, { method: 'POST' });
      // More than what is received before the guest is started.
      const { bufferBytes } = nebula.get('transform').limits;
      sent.write(Buffer.alloc(bufferBytes + 65_536, 'a'));
      const [answer] = (await once(sent, 'response')) as [IncomingMessage];
      const [first] = (await once(answer, 'data')) as [Buffer];
      assert.ok(first.length > 0);
      assert.equal(sent.writableEnded, false);
      sent.end('end');
      for await (const _ of answer) continue;
    });
  });
}

describe('nebulaHandler()', () => {
  it('refuses a request whose body the application has read', async () => {
    const nebula = await createNebula({ threads: 1 });
    const app = await startExpress(nebula);
    const answer = await fetch(`${app.url}/parsed/invoke/echo`, { method: 'POST', body: 'x' });
    assert.equal(answer.status, 500);
    assert.match(await answer.text(), /left to Nebula: mount it before what parses bodies/);
    await app.close();
    await nebula.close();
  });
});

/** An Express application that does something before its mount. */
async function startBehind(nebula: Nebula, before: Handler): Promise<App & { isLeft(): Promise<void> }> {
  const app = express();
  app.set('env', 'test');
  app.use('/nebula', before, nebulaHandler(nebula));
  const server = createServer(app);
  const connections = promisify(server.getConnections.bind(server));
  const isLeft = async (): Promise<void> => {
    while ((await connections()) > 0) await sleep(5);
  };
  return { ...(await listening(server)), isLeft };
}

describe('nebulaHandler() behind an application that answers first', () => {
  let nebula: Nebula;
  before(async () => {
    nebula = await createNebula({ threads: 1 });
    for (const name of ['echo', 'guests/forever'])
      await nebula.deploy(builtFunction(name), { limits: { timeoutMs: 0 } });
    await nebula.deploy(builtFunction('guests/forever'), { name: 'late', limits: { timeoutMs: 300 } });
  });
  after(() => nebula.close());

  it('drops a late answer, streamed or not, and takes the next request', async () => {
    const unhandled: unknown[] = [];
    const onUnhandled = (error: unknown): void => void unhandled.push(error);
    process.on('unhandledRejection', onUnhandled);
    const app = await startBehind(nebula, (_request, response, next) => {
      next();
      response.status(503).send('first');
    });
    for (const [name, headers] of [
      ['late', {}],
      ['late', { 'nebula-stream': '1' }],
      ['echo', { 'nebula-stream': '1' }],
    ] as const) {
      const answer = await fetch(`${app.url}/nebula/invoke/${name}`, { method: 'POST', body: 'x', headers });
      assert.deepEqual([answer.status, await answer.text()], [503, 'first']);
      await until('its guest has ended', () => nebula.stats().executor.running === 0, 20_000);
    }
    await sleep(20);
    process.off('unhandledRejection', onUnhandled);
    assert.deepEqual(unhandled, []);
    await app.close();
  });
});

describe('nebulaHandler() behind an application that takes its time', () => {
  it('ends the call of a client that left before it was reached', async () => {
    const nebula = await createNebula({ threads: 1 });
    for (const name of ['guests/forever', 'echo']) {
      await nebula.deploy(builtFunction(name), { limits: { timeoutMs: 0 } });
    }
    const waiting: (() => void)[] = [];
    const app = await startBehind(nebula, (_request, _response, next) => void waiting.push(next));
    for (const headers of [{}, { 'nebula-stream': '1' }]) {
      const sent = httpRequest(`${app.url}/nebula/invoke/forever`, { method: 'POST', headers });
      sent.on('error', () => undefined);
      sent.end();
      await until('it came', () => waiting.length > 0, 20_000);
      sent.destroy();
      await app.isLeft();
      waiting.pop()?.();
      // The only thread is free for whoever comes after.
      const { stdout } = await nebula.invoke('echo', 'next', { signal: AbortSignal.timeout(20_000) });
      assert.equal(Buffer.from(stdout).toString(), 'next');
    }
    await app.close();
    await nebula.close();
  });
});

describe('nebulaPlugin()', () => {
  it('refuses options without a Nebula', async () => {
    await assert.rejects(nebulaPlugin({}, {} as never), { code: 'ERR_NEBULA_ARGUMENT', message: /options\.nebula/ });
  });
});
