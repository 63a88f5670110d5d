/** Requests to a real JavaScript component, through fetch and over HTTP. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Request } from 'undici';
import { createNebula, startServer, type Nebula, type NebulaServer, type Outcome } from '../../../lib/index.ts';
import { readPrepared, writePrepared } from '../../../lib/registry/prepared-folder.ts';
import { textComponent, transpiled, webComponent } from '../../host/component/components.ts';

const scratch = mkdtempSync(join(tmpdir(), 'nebula-component-'));
const folder = join(scratch, 'web');
let nebula: Nebula;
let server: NebulaServer;

before(async () => {
  await writePrepared(folder, await transpiled(webComponent()));
  writeFileSync(join(folder, 'component.wasm'), webComponent());
  writeFileSync(
    join(folder, 'nebula.json'),
    JSON.stringify({ name: 'web', module: 'component.wasm', limits: { memoryBytes: 2 ** 28, timeoutMs: 20_000 } }),
  );
  nebula = await createNebula({ threads: 2 });
  await nebula.deploy(folder);
  server = await startServer(nebula);
});

after(async () => {
  await server.close();
  await nebula.close();
  rmSync(scratch, { recursive: true, force: true });
});

const at = (path: string, init?: ConstructorParameters<typeof Request>[1]): Request =>
  new Request(`http://localhost${path}`, init);

test('FunctionHandle.fetch() answers with the component in a fresh state each time', async () => {
  assert.equal(nebula.get('web').component?.kind, 'http');
  for (let round = 0; round < 3; round++) {
    const response = await nebula.fn('web').fetch(at('/count'));
    assert.deepEqual([response.status, await response.text()], [200, '1\n']);
  }
});

test('FunctionHandle.fetch() carries a body larger than what is under way at once, both ways', async () => {
  const body = new Uint8Array(1_000_000).map((_, index) => index % 251);
  const response = await nebula.fn('web').fetch(at('/echo', { method: 'POST', body }));
  assert.deepEqual(new Uint8Array(await response.arrayBuffer()), body);
});

test('FunctionHandle.fetch() ends the guest when its caller goes away', async () => {
  await assert.rejects(nebula.fn('web').fetch(at('/spin', { signal: AbortSignal.timeout(300) })), {
    code: 'ERR_NEBULA_CLIENT_CLOSED',
  });
  assert.equal((await nebula.fn('web').fetch(at('/hello'))).status, 200);
});

test('FunctionHandle.fetch() takes a Request of any class, answers with the global Response, and refuses what is none', async () => {
  for (const request of [new Request('http://localhost/'), new globalThis.Request('http://localhost/')]) {
    const response = await nebula.fn('web').fetch(request);
    assert.ok(response instanceof Response);
    await response.text();
  }
  for (const wrong of ['http://localhost/', undefined, {}]) {
    await assert.rejects(nebula.fn('web').fetch(wrong as never), { code: 'ERR_NEBULA_ARGUMENT', message: /a Request/ });
  }
});

test('FunctionHandle.fetch() holds a component to its deadlines, for the first byte and for all', async () => {
  for (const [name, limits, timeoutMs] of [
    ['late-end', { timeoutMs: 700 }, 700],
    ['late-head', { firstByteMs: 500, timeoutMs: 20_000 }, 500],
  ] as const) {
    await nebula.deploy(folder, { name, limits: { memoryBytes: 2 ** 28, ...limits } });
    await assert.rejects(nebula.fn(name).fetch(at('/spin')), {
      code: 'ERR_NEBULA_DEADLINE',
      fields: { name, timeoutMs },
    });
    const head = { method: 'GET', scheme: 'http', authority: 'a', pathWithQuery: '/spin', headers: [] } as const;
    await assert.rejects(nebula.fn(name).send(head, new Uint8Array()), (error) => {
      const { kind, usage } = (error as { outcome: Outcome }).outcome;
      assert.deepEqual([kind, usage.hostCalls > 0], ['timeout', true]);
      return true;
    });
  }
});

test('FunctionHandle.fetch() refuses a body above the input limit', async () => {
  await nebula.deploy(folder, { name: 'small', limits: { memoryBytes: 2 ** 28, inputBytes: 1000 } });
  const response = nebula.fn('small').fetch(at('/echo', { method: 'POST', body: new Uint8Array(2000) }));
  await assert.rejects(
    response.then((answer) => answer.arrayBuffer()),
    { code: 'ERR_NEBULA_INPUT_TOO_LARGE' },
  );
});

test("FunctionHandle.fetch() answers in the caller's own thread as well, bodies whole", async () => {
  await using here = await createNebula({ executor: 'in-thread' });
  await here.deploy(folder);
  const body = new Uint8Array(400_000).fill(65);
  const response = await here.fn('web').fetch(at('/echo', { method: 'POST', body }));
  assert.deepEqual(new Uint8Array(await response.arrayBuffer()), body);
});

test('FunctionHandle.fetch() tells an unknown function', async () => {
  await assert.rejects(nebula.fn('none').fetch(at('/')), { code: 'ERR_NEBULA_FUNCTION_NOT_FOUND' });
});

test('invoke() refuses a component that answers requests only', async () => {
  await assert.rejects(nebula.invoke('web'), { code: 'ERR_NEBULA_ENTRY_MISMATCH' });
});

test('ANY /fn/:name/* answers with the component, its path without the function', async () => {
  const response = await fetch(`${server.url}/fn/web/describe?a=1`, { method: 'PUT', body: 'abc' });
  const described = (await response.json()) as Record<string, unknown>;
  assert.deepEqual([described['method'], described['path'], described['body']], ['PUT', '/describe?a=1', 'abc']);
  assert.equal(response.headers.get('nebula-function-version'), '1');
  const missing = await fetch(`${server.url}/fn/web`);
  assert.deepEqual([missing.status, await missing.text()], [404, 'Not found\n']);
  const whole = await fetch(`${server.url}/fn/web/hello`);
  // What a guest has ended with by then is not sent in pieces.
  const framing = [whole.headers.get('content-length'), whole.headers.get('transfer-encoding')];
  assert.deepEqual(framing, framing[0] === null ? [null, 'chunked'] : ['14', null]);
  assert.equal(await whole.text(), 'Hello, world!\n');
  const head = await fetch(`${server.url}/fn/web/hello`, { method: 'HEAD' });
  assert.deepEqual([head.status, await head.text()], [200, '']);
});

test('ANY /fn/:name/* streams: what was sent comes back before the rest is sent', async () => {
  const request = httpRequest(`${server.url}/fn/web/echo`, { method: 'POST' });
  request.write('one');
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  const pieces = response[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  assert.equal(String((await pieces.next()).value), 'one');
  request.end('two');
  assert.equal(String((await pieces.next()).value), 'two');
  assert.equal((await pieces.next()).done, true);
});

test('ANY /fn/:name/* stops the guest when the client goes away', async () => {
  const before = nebula.stats().functions.find(({ name }) => name === 'web')?.outcomes.aborted ?? 0;
  const controller = new AbortController();
  const response = await fetch(`${server.url}/fn/web/stream?lines=100000000`, { signal: controller.signal });
  await response.body?.getReader().read();
  controller.abort();
  const aborted = (): number => nebula.stats().functions.find(({ name }) => name === 'web')?.outcomes.aborted ?? 0;
  const deadline = Date.now() + 5000;
  while (aborted() === before && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal(aborted(), before + 1);
});

test('ANY /fn/:name/* hands the trailers of a request on, but those that frame it', async () => {
  await nebula.deploy(textComponent('trailers'), { name: 'trailers' });
  const ask = async (trailers: Record<string, string>): Promise<string> => {
    const headers = { 'transfer-encoding': 'chunked', trailer: Object.keys(trailers).join(', ') };
    const request = httpRequest(`${server.url}/fn/trailers/`, { method: 'POST', headers });
    request.write('the body');
    request.addTrailers(trailers);
    request.end();
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    const pieces: Buffer[] = [];
    for await (const piece of response) pieces.push(piece as Buffer);
    return Buffer.concat(pieces).toString();
  };
  assert.equal(await ask({ checksum: 'abc123' }), 'abc123');
  assert.equal(await ask({ 'content-type': 'text/html' }), '');
  const none = await fetch(`${server.url}/fn/trailers/`, { method: 'POST', body: 'whole' });
  assert.equal(await none.text(), '');
});

test('FunctionHandle.send() hands on the trailers that a body brings, in every executor', async () => {
  await using here = await createNebula({ executor: 'in-thread' });
  await here.deploy(textComponent('trailers'), { name: 'trailers' });
  const head = { method: 'POST', scheme: 'http', authority: 'localhost', pathWithQuery: '/', headers: [] } as const;
  for (const each of [here, nebula]) {
    const body = {
      trailers: () => [['sum', '42']] as const,
      async *[Symbol.asyncIterator]() {
        yield Buffer.from('one');
        yield Buffer.from('two');
      },
    };
    const response = await each.fn('trailers').send(head, body);
    const pieces: Buffer[] = [];
    for await (const piece of response.body) pieces.push(Buffer.from(piece));
    assert.equal(Buffer.concat(pieces).toString(), '42');
  }
});

test('FunctionHandle.fetch() has a fresh state each time, or keeps one for as many calls as `reuse` says', async () => {
  // What a guest handed over is counted no more: 60 calls would come to 180 resources.
  const limits = { resources: 50 };
  await using single = await createNebula({ threads: 1 });
  await single.deploy(textComponent('hello'), { name: 'fresh', limits });
  await single.deploy(textComponent('hello'), { name: 'kept', reuse: 4, limits });
  const answers = async (name: string, count: number): Promise<string[]> => {
    const all: string[] = [];
    for (let at = 0; at < count; at++)
      all.push((await (await single.fn(name).fetch(new Request('http://a/'))).text()).trim());
    return all;
  };
  assert.deepEqual(new Set(await answers('fresh', 60)), new Set(['hello, call 1']));
  assert.deepEqual(
    (await answers('kept', 6)).map((text) => text.slice(-1)),
    ['1', '2', '3', '4', '1', '2'],
  );
  await single.deploy(textComponent('hello'), { name: 'long', reuse: 1000, limits });
  assert.equal((await answers('long', 60)).at(-1), 'hello, call 0');
});

test('readPrepared() refuses a folder in which a file was changed', async () => {
  const damaged = join(scratch, 'damaged');
  cpSync(folder, damaged, { recursive: true });
  writeFileSync(join(damaged, 'component.js'), '(() => process.exit(1))');
  await assert.rejects(readPrepared(damaged), {
    code: 'ERR_NEBULA_PREPARED_INVALID',
    message: /component\.js is not what prepared\.json says/,
  });
  assert.equal(await readPrepared(scratch), undefined);
});
