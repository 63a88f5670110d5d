/** What guests say of a message's framing, and what of it reaches the wire. */

import assert from 'node:assert/strict';
import { Agent, request as httpRequest, type IncomingMessage } from 'node:http';
import { after, before, describe, it } from 'node:test';
import { Request } from 'undici';
import { NebulaClient } from '../../../../lib/client/client.ts';
import type { HttpLogger } from '../../../../lib/triggers/http/logger.ts';
import { createFetchHandler } from '../../../../lib/triggers/http/handler.ts';
import { createNebula, startServer, type Nebula, type NebulaServer } from '../../../../lib/index.ts';
import { field, put, script, scriptedFolder } from '../../../host/component/components.ts';
import { FakeNebula, outcomeOf } from './fake-nebula.ts';
import { RawConnection } from './raw-connection.ts';

const SAID = script('head', 'say', 'finish');

interface Told {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly trailers: Readonly<Record<string, unknown>>;
  /** Whether the connection of an earlier answer was used again. */
  readonly isOnKept: boolean;
}

function askOver(agent: Agent, url: string, method = 'GET'): Promise<Told> {
  return new Promise((resolve, reject) => {
    const asked = httpRequest(url, { agent, method }, (response: IncomingMessage) => {
      let body = '';
      response.on('data', (chunk: Buffer) => (body += chunk.toString('latin1')));
      response.on('error', reject);
      response.on('end', () => {
        const { statusCode: status = 0, headers, trailers } = response;
        const { reusedSocket: isOnKept } = asked;
        resolve({ status, headers: headers as Record<string, string>, body, trailers, isOnKept });
      });
    });
    asked.on('error', reject);
    asked.end();
  });
}

describe('ANY /fn/:name/* and what its component says of framing', () => {
  let nebula: Nebula;
  let server: NebulaServer;
  /** One connection for all requests of a test. */
  let agent: Agent;

  before(async () => {
    nebula = await createNebula({ threads: 1 });
    await nebula.deploy(await scriptedFolder());
    server = await startServer(nebula);
    agent = new Agent({ keepAlive: true, maxSockets: 1 });
  });

  after(async () => {
    agent.destroy();
    await server.close();
    await nebula.close();
  });

  const ask = (query: string, method?: string): Promise<Told> =>
    askOver(agent, `${server.url}/fn/scripted${query}`, method);

  for (const value of [' 2 ', '+2', '2\t', '0x2', '2, 2', 'abc', '-1', 'a\x01b', 'a\r\nb']) {
    it(`has Content-Length ${JSON.stringify(value)} refused when it is set, and the connection stays in step`, async () => {
      const told = await ask(
        script(
          field('field', 'content-length', value),
          'expect:invalid-syntax',
          'head',
          put('HTTP/1.1 200 OK\r\n\r\n'),
          'finish',
        ),
      );
      assert.equal(told.status, 200);
      // What a component had ended with when its head was taken up is sent with its length.
      const { 'content-length': length = String(told.body.length) } = told.headers;
      assert.equal(length, String(told.body.length));
      const next = await askOver(agent, `${server.url}/healthz`);
      assert.deepEqual([next.body, next.isOnKept], ['{"status":"ok"}', true]);
    });
  }

  it('has fields of the connection forbidden, of the host as well', async () => {
    for (const name of [
      'transfer-encoding',
      'Connection',
      'keep-alive',
      'upgrade',
      'TE',
      'trailer',
      'proxy-connection',
    ]) {
      const told = await ask(script(field('field', name, 'chunked'), 'expect:forbidden', 'head', put('a'), 'finish'));
      assert.deepEqual([told.status, told.body], [200, 'a'], name);
    }
  });

  it('sends nothing of the request on that was about its connection', async () => {
    const raw = new RawConnection(server.url);
    raw.write(
      `GET /fn/scripted${script('take-headers', 'head', put('hi'), 'finish')} HTTP/1.1\r\nHost: h\r\n` +
        'X-Kept: yes\r\nTE: trailers\r\nProxy-Authorization: secret\r\nConnection: close, te\r\n\r\n',
    );
    await raw.closed;
    assert.match(raw.received, /^x-kept: yes\r$/im);
    assert.doesNotMatch(raw.received, /^(te|proxy-authorization|host):/im);
  });

  it('lets no component speak in the name of Nebula', async () => {
    const told = await ask(script(field('field', 'Nebula-Function-Version', '99'), 'head', put('a'), 'finish'));
    assert.equal(told.headers['nebula-function-version'], '1');
  });

  for (const name of ['X-Accel-Redirect', 'X-Sendfile', 'X-LIGHTTPD-send-file', 'X-Reproxy-URL', 'Nebula-Outcome']) {
    it(`lets no component order a server in front, or speak for this one: ${name}`, async () => {
      const steps = ['field', 'trailer'] as const;
      const told = await ask(
        script(field(steps[0], name, '/a'), 'head', put('a'), field(steps[1], name, '/a'), 'finish'),
      );
      assert.deepEqual([told.headers[name.toLowerCase()], { ...told.trailers }], [undefined, {}]);
    });
  }

  it('sends trailers but those that frame, route or log in', async () => {
    const names = ['content-length', 'host', 'transfer-encoding', 'set-cookie', 'authorization', 'content-type'];
    const steps = names.map((name) => field('trailer', name, '5'));
    const told = await ask(script('head', put('a'), ...steps, field('trailer', 'sum', '42'), 'finish'));
    assert.deepEqual([told.body, { ...told.trailers }], ['a', { sum: '42' }]);
  });

  for (const status of [204, 205, 304]) {
    it(`answers ${status} without content, whatever was written, over one connection`, async () => {
      const query = script(
        field('field', 'content-length', '300000'),
        `status:${status}`,
        'head',
        'zeros:300000',
        'expect:ok',
        'finish',
        'expect:ok',
      );
      const told = await ask(query);
      assert.deepEqual([told.status, told.body], [status, '']);
      if (status === 204) assert.equal(told.headers['content-length'], undefined);
      const { status: next, isOnKept } = await ask(SAID);
      assert.deepEqual([next, isOnKept], [200, true]);
      const fetched = await nebula.fetch(new Request(`http://h/fn/scripted${query}`));
      assert.deepEqual([fetched.status, await fetched.text()], [status, '']);
      const direct = await nebula.fn('scripted').fetch(new Request(`http://h${query}`));
      assert.deepEqual([direct.status, await direct.text()], [status, '']);
    });
  }

  it('answers HEAD with the head alone, and the length it has', async () => {
    const query = script(field('field', 'content-length', '300000'), 'head', 'zeros:300000', 'finish', 'expect:ok');
    const told = await ask(query, 'HEAD');
    assert.deepEqual([told.status, told.body, told.headers['content-length']], [200, '', '300000']);
    const { status: next, isOnKept } = await ask(SAID);
    assert.deepEqual([next, isOnKept], [200, true]);
    const fetched = await nebula.fetch(new Request(`http://h/fn/scripted${query}`, { method: 'HEAD' }));
    assert.deepEqual([fetched.status, await fetched.text()], [200, '']);
  });

  it('takes statuses from 200 to 599', async () => {
    for (const status of [0, 100, 101, 103, 199, 600, 999]) {
      const told = await ask(script(`status:${status}`, 'expect:refused', 'head', put('a'), 'finish'));
      assert.deepEqual([told.status, told.body], [200, 'a']);
    }
    assert.equal((await ask(script('status:599', 'head', 'finish'))).status, 599);
  });

  it('hands a component the body that a mounted handler was given', async () => {
    const asked = new Request(`http://h/fn/scripted${script('head', 'echo', 'finish')}`, {
      method: 'POST',
      body: 'abc',
    });
    assert.equal(await (await nebula.fetch(asked)).text(), 'abc');
  });
});

describe('ANY /fn/:name/* and what its CGI program says of framing', () => {
  const outputs = {
    reset: 'Status: 205\nContent-Type: text/plain\n\nnot to be seen',
    control: 'Status: 200\nX-A: a\x01b\n\n',
    'no-break': 'Status: 200\nX-A: \x0bb\n\n',
    empty: 'Status: 204\nContent-Length: 5\n\n',
    teller:
      'Status: 200\nTransfer-Encoding: chunked\nContent-Length: 2\nProxy-Connection: x\nContent-Type: a/b\n\nhello',
  };
  const warnings: string[] = [];
  const logger: HttpLogger = { error: () => undefined, warn: (_, message) => void warnings.push(message) };
  const nebula = new FakeNebula();
  for (const [name, output] of Object.entries(outputs)) {
    nebula.define(name, () => outcomeOf({ kind: 'ok' }, Buffer.from(output, 'latin1')));
  }
  let server: NebulaServer;
  let agent: Agent;

  before(async () => {
    server = await startServer(nebula, { logger });
    agent = new Agent({ keepAlive: true, maxSockets: 1 });
  });

  after(async () => {
    agent.destroy();
    await server.close();
  });

  const expected = [
    ['reset', 205, '', '0'],
    ['empty', 204, '', undefined],
    ['teller', 200, 'hello', '5'],
  ] as const;
  for (const [name, status, body, length] of expected) {
    it(`answers ${status} as it may, by node:http, by fetch and to NebulaClient`, async () => {
      const told = await askOver(agent, `${server.url}/fn/${name}/`);
      assert.deepEqual([told.status, told.body, told.headers['content-length']], [status, body, length]);
      assert.equal(told.headers['proxy-connection'], undefined);
      const fetched = await createFetchHandler(nebula)(new Request(`http://h/fn/${name}/`));
      assert.deepEqual([fetched.status, await fetched.text()], [status, body]);
      const client = new NebulaClient({ url: server.url });
      const called = await client.fetch(name, '/');
      assert.deepEqual([called.status, await called.text()], [status, body]);
      await client.close();
    });
  }

  for (const name of ['control', 'no-break']) {
    it(`answers 502 and says so in the log where a field has a control character (${name})`, async () => {
      warnings.length = 0;
      const told = await askOver(agent, `${server.url}/fn/${name}/`);
      assert.deepEqual([told.status, JSON.parse(told.body).code], [502, 'ERR_NEBULA_GUEST_RESPONSE']);
      assert.deepEqual([warnings.length, warnings[0]?.includes(`function "${name}"`)], [1, true]);
    });
  }
});

describe('POST /fn/:name/* and how its request is framed', () => {
  let nebula: Nebula;
  let server: NebulaServer;

  before(async () => {
    nebula = await createNebula({ threads: 1 });
    await nebula.deploy(await scriptedFolder());
    server = await startServer(nebula);
  });

  after(async () => {
    await server.close();
    await nebula.close();
  });

  const cases = [
    ['two lengths', 'Content-Length: 3\r\nContent-Length: 4\r\n', 'abcd'],
    ['a list of lengths', 'Content-Length: 3, 3\r\n', 'abc'],
    ['a length with a sign', 'Content-Length: +3\r\n', 'abc'],
    ['a length beside chunks', 'Content-Length: 3\r\nTransfer-Encoding: chunked\r\n', '3\r\nabc\r\n0\r\n\r\n'],
    ['an unknown coding', 'Transfer-Encoding: gzip\r\n', 'abc'],
    ['a coding before chunks that are not last', 'Transfer-Encoding: chunked, gzip\r\n', '3\r\nabc\r\n0\r\n\r\n'],
  ] as const;
  it('is asked for where the client waits to be (Expect: 100-continue)', async () => {
    const raw = new RawConnection(server.url);
    raw.write(
      `POST /fn/scripted${script('head', 'echo', 'finish')} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n` +
        'Expect: 100-continue\r\nContent-Length: 3\r\n\r\n',
    );
    await raw.until(/^HTTP\/1\.1 100 Continue\r\n\r\n/);
    raw.write('abc');
    await raw.closed;
    assert.match(raw.received, /^HTTP\/1\.1 200 /m);
    assert.match(raw.received, /\r\n3\r\nabc\r\n0\r\n\r\n$|\r\ncontent-length: 3\r\n[^]*\r\n\r\nabc$/i);
  });

  it('need not be over for its answer, and the connection serves on once it is', async () => {
    const raw = new RawConnection(server.url);
    raw.write(
      `POST /fn/scripted${script('head', put('early'), 'finish')} HTTP/1.1\r\nHost: h\r\n` +
        'Transfer-Encoding: chunked\r\n\r\n3\r\none\r\n',
    );
    await raw.until(/early(?:\r\n0\r\n\r\n)?$/);
    raw.write('3\r\ntwo\r\n0\r\n\r\nGET /healthz HTTP/1.1\r\nHost: h\r\n\r\n');
    await raw.until(/\{"status":"ok"\}$/);
    raw.socket.destroy();
  });

  for (const sizeBytes of [40_000, 3_000_000]) {
    it(`has its rest discarded after its answer, however long it is: ${sizeBytes}`, async () => {
      const raw = new RawConnection(server.url);
      raw.write(
        `POST /fn/scripted${script('head', put('early'), 'finish')} HTTP/1.1\r\nHost: h\r\n` +
          `Content-Length: ${sizeBytes}\r\n\r\nabc`,
      );
      await raw.until(/early(?:\r\n0\r\n\r\n)?$/);
      raw.write(`${'x'.repeat(sizeBytes - 3)}GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n`);
      await raw.until(/\{"status":"ok"\}$/);
      raw.socket.destroy();
    });
  }

  for (const [what, fields, body] of cases) {
    it(`never reaches the guest with ${what}`, async () => {
      const raw = new RawConnection(server.url);
      raw.write(`POST /fn/scripted${script('head', 'echo', 'finish')} HTTP/1.1\r\nHost: h\r\n${fields}\r\n${body}`);
      await raw.until(/^HTTP\/1\.1 4\d\d /);
      await raw.closed;
      assert.doesNotMatch(raw.received, /^HTTP\/1\.1 200/m);
    });
  }
});
