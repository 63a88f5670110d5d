import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import {
  createNebula,
  NebulaClient,
  startServer,
  type LogRecord,
  type Nebula,
  type NebulaServer,
} from '../../../../lib/index.ts';
import type { Access } from '../../../../lib/triggers/http/access.ts';

const GUESTS = join(import.meta.dirname, '..', '..', '..', '..', '..', 'functions', 'guests');
const TOKEN = 'secret';
const BEARER = { authorization: `Bearer ${TOKEN}` };

/** Resolves once something holds. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 5));
}

describe('serveLogs()', () => {
  let nebula: Nebula;
  let server: NebulaServer;
  let client: NebulaClient;
  const accesses: Access[] = [];
  const told: LogRecord[] = [];

  before(async () => {
    nebula = await createNebula({ threads: 1, onLog: (record) => void told.push(record) });
    await nebula.deploy(join(GUESTS, 'trap-unreachable', 'trap-unreachable.wasm'), { name: 'traps' });
    await nebula.deploy(join(GUESTS, 'exit-3', 'exit-3.wasm'), { name: 'exits' });
    server = await startServer(nebula, { token: TOKEN, onAccess: (access) => void accesses.push(access) });
    client = new NebulaClient({ url: server.url, token: TOKEN });
  });

  after(async () => {
    await client.close();
    await server.close();
    await nebula.close();
  });

  async function invoke(name: string, headers: Record<string, string> = {}): Promise<Response> {
    const response = await fetch(`${server.url}/invoke/${name}`, { method: 'POST', headers });
    await response.arrayBuffer();
    return response;
  }

  it('tells who may manage functions of deploys and failures, each with its request', async () => {
    const response = await invoke('exits', { 'x-request-id': 'order-7' });
    assert.equal(response.headers.get('x-request-id'), 'order-7');
    const records = await client.logs({ name: 'exits' });
    assert.match(String(records[0]?.message), /^Deployed version 1, [0-9a-f]{12}, put back by /);
    const failure = records.at(-1);
    assert.deepEqual(
      [failure?.event, failure?.outcome, failure?.requestId, failure?.version],
      ['failure', 'exit', 'order-7', 1],
    );
    assert.deepEqual(
      records,
      told.filter(({ name }) => name === 'exits'),
    );
    assert.deepEqual(await client.logs({ after: failure?.sequence ?? 0 }), []);
  });

  it('tells nothing to strangers, and names what it does not know', async () => {
    for (const path of ['/logs', '/functions/exits/logs']) {
      assert.equal((await fetch(`${server.url}${path}`)).status, 401);
    }
    await assert.rejects(client.logs({ name: 'nobody' }), { code: 'ERR_NEBULA_FUNCTION_NOT_FOUND' });
    for (const query of ['since=yesterday', 'after=-1', 'follow=1']) {
      const response = await fetch(`${server.url}/logs?${query}`, { headers: BEARER });
      assert.equal(response.status, 400, query);
      await response.arrayBuffer();
    }
  });

  it('has an id of its own for a request whose id would need quoting somewhere', async () => {
    for (const given of ['a b', 'x'.repeat(129), 'a"b', '']) {
      const response = await invoke('exits', { 'x-request-id': given });
      assert.match(String(response.headers.get('x-request-id')), /^[0-9a-f-]{36}$/);
    }
  });

  it('tells a problem by the id of its request', async () => {
    const response = await fetch(`${server.url}/invoke/nobody`, { method: 'POST', headers: { 'x-request-id': 'a/7' } });
    const { instance } = (await response.json()) as { instance: string };
    assert.equal(instance, 'urn:nebula:request:a%2F7');
  });

  it('streams each record as it comes, from where a reader was', async () => {
    const last = (await client.logs()).at(-1)?.sequence ?? 0;
    const followed: LogRecord[] = [];
    const controller = new AbortController();
    const following = (async () => {
      for await (const record of client.followLogs({ after: last }, { signal: controller.signal }))
        followed.push(record);
    })();
    await invoke('traps', { 'x-request-id': 'streamed' });
    await until(() => followed.some(({ event }) => event === 'failure'));
    assert.deepEqual(followed, await client.logs({ after: last }));
    controller.abort();
    await assert.rejects(following, { code: 'ERR_NEBULA_CLIENT_CLOSED' });
  });

  it('answers HEAD without a stream, and tells an unknown function before one', async () => {
    const headers = { ...BEARER, accept: 'text/event-stream' };
    const head = await fetch(`${server.url}/logs`, { method: 'HEAD', headers });
    assert.deepEqual([head.status, head.headers.get('content-type')], [200, 'text/event-stream']);
    assert.equal((await fetch(`${server.url}/functions/nobody/logs`, { headers })).status, 404);
  });

  it('tells of an answer that could not be passed on', async () => {
    await nebula.deploy(join(GUESTS, '..', 'echo', 'echo.wasm'), { name: 'echoes' });
    const headers = { 'x-request-id': 'garbled' };
    const response = await fetch(`${server.url}/fn/echoes`, { method: 'POST', headers, body: '\u009b31m;x\n' });
    assert.equal(response.status, 502);
    const record = (await client.logs({ name: 'echoes' })).at(-1);
    assert.deepEqual(
      [record?.event, record?.code, record?.requestId],
      ['failure', 'ERR_NEBULA_GUEST_RESPONSE', 'garbled'],
    );
    assert.doesNotMatch(String(record?.message), /[\p{Cc}]/u);
  });

  it('hands the token of the management routes to no guest', async () => {
    const manifest = { name: 'env', http: { authorization: true } };
    await nebula.deploy(join(GUESTS, 'cgi-hello', 'cgi-hello.wasm'), manifest);
    for (const [given, isSeen] of [
      [TOKEN, false],
      ['of-the-function', true],
    ] as const) {
      const response = await fetch(`${server.url}/fn/env/`, { headers: { authorization: `Bearer ${given}` } });
      assert.equal(/HTTP_AUTHORIZATION/.test(await response.text()), isSeen);
    }
  });

  it('ends its streams when the server drains', async () => {
    const other = await startServer(nebula, { token: TOKEN });
    const reader = new NebulaClient({ url: other.url, token: TOKEN });
    const following = (async () => {
      for await (const _ of reader.followLogs()) void other.close();
    })();
    await following;
    await reader.close();
    await other.close();
  });

  it('has one entry for each request in the access log, with the status its client saw', async () => {
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    accesses.length = 0;
    await invoke('exits', { 'x-request-id': 'seen', traceparent });
    await fetch(`${server.url}/healthz?x`, { headers: { traceparent: `${traceparent}-\u009b31m` } }).then((answer) =>
      answer.text(),
    );
    await until(() => accesses.length === 2);
    const [call, health] = accesses;
    const { durationMs, ...told } = call as Access;
    assert.ok(durationMs > 0);
    assert.deepEqual(told, {
      requestId: 'seen',
      method: 'POST',
      target: '/invoke/exits',
      status: 500,
      remoteAddress: '127.0.0.1',
      traceparent,
    });
    assert.deepEqual([health?.target, health?.status, health?.traceparent], ['/healthz?x', 200, undefined]);
  });
});
