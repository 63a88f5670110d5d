/** One suite through both ways in: the fetch handler and a real server. They answer the same. */

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { fetch, Request } from 'undici';
import { createFetchHandler } from '../../../../lib/triggers/http/handler.ts';
import { ROUTES } from '../../../../lib/triggers/http/route-table.ts';
import { startServer, type NebulaServer } from '../../../../lib/triggers/http/server.ts';
import { FakeNebula, outcomeOf } from './fake-nebula.ts';
import { assertFits, routeOf } from './answer-schema.ts';
import { TOKEN, type Case } from './matrix-case.ts';
import { CGI_CASES } from './matrix-cgi.ts';
import { createFake } from './matrix-functions.ts';
import { INVOKE_CASES } from './matrix-invoke.ts';
import { MANAGEMENT_CASES } from './matrix-management.ts';

interface Seen {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

async function read(response: Response): Promise<Seen> {
  return { status: response.status, headers: Object.fromEntries(response.headers), body: await response.text() };
}

type Send = (request: Request) => Promise<Seen>;

// What belongs to one occurrence or one connection, and what a client adds of its own.
const VOLATILE_HEADERS = new Set(['date', 'connection', 'keep-alive']);
const VOLATILE_NAMES =
  /"(HTTP_HOST|HTTP_CONNECTION|HTTP_ACCEPT|HTTP_ACCEPT_LANGUAGE|HTTP_ACCEPT_ENCODING|HTTP_SEC_FETCH_MODE|HTTP_USER_AGENT|HTTP_ACCEPT)",?/g;
const UUID = /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g;

function stable(seen: Seen): unknown {
  const headers = Object.entries(seen.headers).filter(
    ([name]) => !VOLATILE_HEADERS.has(name) && name !== 'content-length',
  );
  const body = seen.body
    .replace(UUID, 'UUID')
    .replace(VOLATILE_NAMES, '')
    .replace(/process_resident_memory_bytes .*/g, '');
  const same = headers.map(([name, value]) => [name, name === 'x-request-id' ? value.replace(UUID, 'UUID') : value]);
  return { ...seen, headers: Object.fromEntries(same), body };
}

function check(seen: Seen, expected: Case): void {
  assert.equal(seen.status, expected.status, seen.body);
  for (const [name, value] of Object.entries(expected.answers ?? {})) assert.equal(seen.headers[name], value, name);
  if (typeof expected.body === 'string') assert.equal(seen.body, expected.body);
  else if (expected.body !== undefined) assert.match(seen.body, expected.body);
  assert.doesNotMatch(seen.body, /hunter2/);
  if (expected.problem === undefined) return;
  const problem = JSON.parse(seen.body) as Record<string, unknown>;
  const { code, detail, members = {} } = expected.problem;
  assert.equal(seen.headers['content-type'], 'application/problem+json');
  assert.equal(problem['code'], `ERR_NEBULA_${code}`);
  assert.equal(problem['status'], expected.status);
  assert.match(String(problem['instance']), /^urn:uuid:/);
  assert.match(String(problem['type']), /^urn:nebula:error:[a-z-]+$/);
  if (detail !== undefined) assert.match(String(problem['detail']), detail);
  for (const [name, value] of Object.entries(members)) assert.deepEqual(problem[name], value, name);
}

describe('routes', () => {
  let server: NebulaServer;
  let ways: Record<'handler' | 'server', Send>;
  const options = { token: TOKEN, moduleBytes: 1000 };

  before(async () => {
    server = await startServer(createFake(), options);
    const handle = createFetchHandler(createFake(), options);
    ways = {
      handler: async (request) => read(await handle(request)),
      server: async (request) => read((await fetch(request, { redirect: 'manual' })) as object as Response),
    };
  });

  after(() => server.close());

  const answered = new Set<string>();

  for (const row of [...INVOKE_CASES, ...MANAGEMENT_CASES, ...CGI_CASES]) {
    it(row.title, async () => {
      const [method, path, body = null] = row.send;
      const create = (): Request => new Request(`${server.url}${path}`, { method, body, headers: row.headers ?? {} });
      const fromHandler = await ways.handler(create());
      check(fromHandler, row);
      const fromServer = await ways.server(create());
      check(fromServer, row);
      for (const seen of [fromHandler, fromServer]) assertFits(method, path, seen);
      const route = routeOf(method, path);
      answered.add(`${route?.method} ${route?.path} ${fromHandler.status}`);
      assert.deepEqual(stable(fromServer), stable(fromHandler));
    });
  }

  it('give every answer that the table names', () => {
    const named = ROUTES.flatMap(({ method, path, schema }) =>
      Object.keys(schema.answers).map((status) => `${method} ${path} ${status === 'default' ? 200 : status}`),
    );
    assert.deepEqual(
      named.filter((answer) => !answered.has(answer)),
      [],
    );
  });
});

describe('createFetchHandler()', () => {
  it('refuses to manage functions where no token was set', async () => {
    const handle = createFetchHandler(new FakeNebula());
    const response = await handle(new Request('http://127.0.0.1/functions'));
    assert.equal(response.status, 401);
  });

  it('refuses what is no Request, and answers with a Response of the global class', async () => {
    const handle = createFetchHandler(createFake());
    await assert.rejects(handle('http://h/healthz' as never), { code: 'ERR_NEBULA_ARGUMENT', message: /a Request/ });
    for (const send of [new Request('http://h/healthz'), new globalThis.Request('http://h/healthz')]) {
      assert.ok((await handle(send)) instanceof Response);
    }
  });

  it('refuses two hosts, which a Request holds as one, and one that is none', async () => {
    const handle = createFetchHandler(createFake());
    for (const host of ['a, b', 'a/b']) {
      const response = await handle(new Request('http://h/healthz', { headers: { host } }));
      assert.equal(response.status, 400);
      assert.match(
        await response.text(),
        /^\{"type":"about:blank","title":"Bad Request","status":400,"detail":"expected a host/,
      );
    }
  });

  it('tells guests the target that it is given in place of the URL', async () => {
    const handle = createFetchHandler(createFake());
    const url = 'http://h/fn/cgi-env/normalised';
    const told = await (await handle(new Request(url), { target: "/fn/cgi-env/%27'<>?'" })).text();
    assert.match(told, /"PATH_INFO":"\/''<>","QUERY_STRING":"'"/);
    for (const target of ['/fn/../functions', 'fn', '']) {
      assert.equal((await handle(new Request(url), { target })).status, 400, target);
    }
  });

  it('logs what it masks, under the id that the client sees', async () => {
    const logged: { err: Error; requestId: string }[] = [];
    const logger = { error: (fields: object) => logged.push(fields as (typeof logged)[0]), warn: () => undefined };
    const handle = createFetchHandler(createFake(), { logger });
    const response = await handle(new Request('http://h/invoke/broken', { method: 'POST' }));
    const { fields } = (await response.json()) as { fields: { requestId: string } };
    assert.equal(logged.length, 1);
    assert.equal(logged[0]?.err.message, 'the password is hunter2');
    assert.equal(logged[0]?.requestId, fields.requestId);
  });

  it('stops reading a body of unknown length at its limit', async () => {
    let pulled = 0;
    let isCancelled = false;
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        pulled += 1;
        controller.enqueue(new Uint8Array(8));
      },
      cancel() {
        isCancelled = true;
      },
    });
    const handle = createFetchHandler(createFake());
    const request = new Request('http://h/invoke/small', { method: 'POST', body: body as never, duplex: 'half' });
    assert.equal((await handle(request)).status, 413);
    assert.ok(pulled < 10, `${pulled} chunks were read`);
    assert.ok(isCancelled);
  });

  it('aborts the invocation when the request is aborted', async () => {
    const controller = new AbortController();
    const nebula = new FakeNebula().define('wait', (_, { signal }) => {
      queueMicrotask(() => controller.abort());
      return new Promise((resolve) => {
        signal?.addEventListener('abort', () => resolve(outcomeOf({ kind: 'aborted' })));
      });
    });
    const handle = createFetchHandler(nebula);
    const response = await handle(new Request('http://h/invoke/wait', { method: 'POST', signal: controller.signal }));
    assert.equal(response.status, 499);
  });
});
