/** What a component may ask of the network, and what it is refused. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { ComponentVm } from '../../../../../host/component/vm/component-vm.ts';
import type { ComponentDefinition } from '../../../../../host/component/vm/component-definition.ts';
import { WasiError } from '../../../../../host/component/world/guest-stop.ts';
import { Fields } from '../../../../../host/component/world/http/fields.ts';
import { OutgoingRequest, type Scheme } from '../../../../../host/component/world/http/outgoing.ts';
import { createOutgoingHandler } from '../../../../../host/component/world/http/outgoing-handler.ts';
import { Host, withHost } from '../../../../../host/component/world/host.ts';
import type { Method } from '../../../../../host/component/world/http/incoming.ts';
import { defineComponent, request, webComponent } from '../../components.ts';

/** In a thread of its own: the guest blocks this one. */
const SERVER = `
  const { createServer } = require('node:http');
  const { parentPort } = require('node:worker_threads');
  let requests = 0;
  const seen = [];
  const server = createServer((request, response) => {
    requests += 1;
    seen.push([request.method, request.headers.host, request.url]);
    if (request.url === '/redirect') response.writeHead(302, { location: 'http://169.254.169.254/' }).end();
    else if (request.url === '/large') response.end('x'.repeat(3_000_000));
    else if (request.url === '/seen') response.end(JSON.stringify(seen));
    else if (request.url === '/count') response.end(String(requests - 1));
    else response.end('from the server');
  });
  server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address()));
`;

let thread: Worker;
let origin: string;
let definition: ComponentDefinition;

before(async () => {
  thread = new Worker(SERVER, { eval: true });
  const [{ port }] = (await once(thread, 'message')) as [AddressInfo];
  origin = `http://127.0.0.1:${port}`;
  definition = await defineComponent(webComponent());
});

after(() => thread.terminate());

function call(url: string, http?: { readonly origins: readonly string[]; readonly private?: boolean }): string {
  const capabilities = { ...definition.capabilities, ...(http === undefined ? {} : { http }) };
  const vm = new ComponentVm({ ...definition, capabilities });
  try {
    const { head, body, stderr } = request(vm, `/call?url=${encodeURIComponent(url)}`);
    return head?.status === 200 ? body : `${head?.status}: ${stderr}`;
  } finally {
    vm.close();
  }
}

test('outgoing-handler.handle() asks a granted origin, and reads a large body', () => {
  const granted = { origins: [origin], private: true };
  assert.equal(call(`${origin}/`, granted), '200 from the server');
  assert.equal(call(`${origin}/large`, granted).length, '200 '.length + 3_000_000);
});

test('outgoing-handler.handle() refuses everything without a grant, other origins with one, and connects to neither', () => {
  const before = Number(call(`${origin}/count`, { origins: [origin], private: true }).slice('200 '.length));
  assert.match(call(`${origin}/`), /^500/);
  assert.match(call(`${origin}/`, { origins: ['https://example.com'], private: true }), /^500/);
  assert.match(call(`${origin}/`, { origins: [], private: true }), /^500/);
  const counted = Number(call(`${origin}/count`, { origins: [origin], private: true }).slice('200 '.length));
  assert.equal(counted, before + 1);
});

test('outgoing-handler.handle() refuses a granted origin at a private address, by number and by name', () => {
  const { port } = new URL(origin);
  const before = Number(call(`${origin}/count`, { origins: [origin], private: true }).slice('200 '.length));
  assert.match(call(`${origin}/`, { origins: [origin] }), /^500/);
  assert.match(call(`http://localhost:${port}/`, { origins: [`http://localhost:${port}`] }), /^500/);
  assert.match(call(`http://[::ffff:127.0.0.1]:${port}/`, { origins: [`http://[::ffff:127.0.0.1]:${port}`] }), /^500/);
  const counted = Number(call(`${origin}/count`, { origins: [origin], private: true }).slice('200 '.length));
  assert.equal(counted, before + 1);
});

test('outgoing-handler.handle() follows no redirect to what was not granted', () => {
  assert.match(call(`${origin}/redirect`, { origins: [origin], private: true }), /^(302|500)/);
});

function granting(origins: readonly string[]): ComponentVm {
  const capabilities = { ...definition.capabilities, http: { origins, private: true } };
  return new ComponentVm({ ...definition, capabilities });
}

test('outgoing-handler.handle() grants each of two instances in one thread its own origins, turn and turn about', () => {
  const [granted, other, again] = [granting([origin]), granting(['http://127.0.0.1:1']), granting([origin])];
  const path = `/call?url=${encodeURIComponent(`${origin}/`)}`;
  assert.equal(request(granted, path).head?.status, 200);
  assert.equal(request(other, path).head?.status, 500);
  assert.equal(request(again, path).head?.status, 200);
  for (const vm of [granted, other, again]) vm.close();
});

test('outgoing-handler.handle() ends the guest where the manifest asks for that', () => {
  const capabilities = { ...definition.capabilities, denial: 'end' } as const;
  const vm = new ComponentVm({ ...definition, capabilities });
  assert.deepEqual(request(vm, `/call?url=${origin}`).ending, { kind: 'denied', capability: 'http' });
  vm.close();
});

interface Asked {
  readonly path?: string;
  readonly authority?: string;
  readonly scheme?: Scheme;
  readonly method?: Method;
}

/** Asks as a guest that sets each part of a request by itself; answers the status, or the error's tag. */
function ask(asked: Asked, http: { readonly origins: readonly string[]; readonly private?: boolean }): string {
  const capabilities = { ...definition.capabilities, http };
  const host = new Host({ programName: 'test', limits: definition.limits, capabilities }, []);
  host.begin({ input: new Uint8Array(), arguments: [], environment: {} });
  try {
    return withHost(host, () => {
      const outgoing = new OutgoingRequest(new Fields());
      outgoing.setMethod(asked.method ?? { tag: 'get' });
      outgoing.setScheme(asked.scheme ?? { tag: 'HTTP' });
      outgoing.setAuthority(asked.authority ?? new URL(origin).host);
      outgoing.setPathWithQuery(asked.path);
      const future = createOutgoingHandler(host)(outgoing, undefined);
      future.subscribe().block();
      const result = future.get();
      assert.ok(result?.tag === 'ok');
      return result.val.tag === 'ok' ? String(result.val.val.status()) : result.val.val.tag;
    });
  } catch (error) {
    if (!(error instanceof WasiError)) throw error;
    return (error.payload as { tag?: string } | undefined)?.tag ?? 'refused';
  } finally {
    host.end();
  }
}

function seen(): string[][] {
  return JSON.parse(call(`${origin}/seen`, { origins: [origin], private: true }).slice('200 '.length)) as string[][];
}

test('outgoing-handler.handle() asks no other host or port, whatever the path begins with', async (context) => {
  const other = new Worker(SERVER, { eval: true });
  context.after(() => other.terminate());
  const [{ port }] = (await once(other, 'message')) as [AddressInfo];
  const granted = { origins: [origin], private: true };
  for (const path of [
    `@127.0.0.1:${port}/`,
    `:${port}/`,
    `.localhost:${port}/`,
    `\\@127.0.0.1:${port}/`,
    `http://127.0.0.1:${port}/`,
    `x@127.0.0.1:${port}/`,
    `#@127.0.0.1:${port}/`,
    `/\\127.0.0.1:${port}/`,
    ` /`,
    `/ HTTP/1.1\r\nHost: x\r\n\r\n`,
    `/\u0000`,
    `*`,
  ]) {
    assert.equal(ask({ path }, granted), 'refused', path);
  }
  const before = seen().length;
  for (const path of [`//127.0.0.1:${port}/`, `/@127.0.0.1:${port}/`, `?@127.0.0.1:${port}/`]) {
    assert.equal(ask({ path }, granted), '200', path);
  }
  const { host } = new URL(origin);
  assert.deepEqual(seen().slice(before, before + 3), [
    ['GET', host, `//127.0.0.1:${port}/`],
    ['GET', host, `/@127.0.0.1:${port}/`],
    ['GET', host, `/?@127.0.0.1:${port}/`],
  ]);
  const asked = await fetch(`http://127.0.0.1:${port}/seen`);
  assert.deepEqual(await asked.json(), [['GET', `127.0.0.1:${port}`, '/seen']]);
});

test('outgoing-handler.handle() sends a path as it was set, from a slash and in ASCII', () => {
  const before = seen().length;
  for (const path of [undefined, '', '?a=b?c', "/a//b/../c;d='e'", '/grüße?q=€']) {
    assert.equal(ask(path === undefined ? {} : { path }, { origins: [origin], private: true }), '200', path);
  }
  assert.deepEqual(
    seen()
      .slice(before, before + 5)
      .map(([, , path]) => path),
    ['/', '/', '/?a=b?c', "/a//b/../c;d='e'", '/gr%C3%BC%C3%9Fe?q=%E2%82%AC'],
  );
});

test('outgoing-handler.handle() refuses an authority that is more or less than a host and a port', () => {
  const { port } = new URL(origin);
  for (const authority of [
    `u@127.0.0.1:${port}`,
    `u:p@127.0.0.1:${port}`,
    `127.0.0.1:${port}/x`,
    ':1',
    '',
    '[::1',
    'a:x',
  ]) {
    assert.equal(ask({ authority }, { origins: [origin], private: true }), 'refused', authority);
  }
  for (const authority of [`127.1:${port}`, `2130706433:${port}`, `0177.0.0.1:${port}`, `0x7f.1:${port}`]) {
    assert.equal(ask({ authority }, { origins: [origin], private: true }), '200', authority);
    assert.equal(ask({ authority }, { origins: [origin] }), 'destination-IP-prohibited', authority);
    assert.equal(ask({ authority }, { origins: ['http://example.com'] }), 'HTTP-request-denied', authority);
  }
});

test('outgoing-handler.handle() makes no tunnel, and knows two schemes', () => {
  const granted = { origins: [origin], private: true };
  assert.equal(ask({ method: { tag: 'connect' } }, granted), 'HTTP-request-method-invalid');
  assert.equal(ask({ method: { tag: 'other', val: 'connect' } }, granted), 'HTTP-request-method-invalid');
  assert.equal(ask({ method: { tag: 'other', val: 'GET / HTTP/1.1\r\n' } }, granted), 'refused');
  assert.equal(ask({ scheme: { tag: 'other', val: 'http:' } }, granted), 'refused');
  assert.equal(ask({ scheme: { tag: 'other', val: 'gopher' } }, granted), 'HTTP-request-URI-invalid');
});
