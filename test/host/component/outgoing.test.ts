/** What a component may ask of the network, and what it is refused. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { isPublicAddress } from '../../../host/component/addresses.ts';
import { ComponentVm, type ComponentDefinition } from '../../../host/component/component-vm.ts';
import { defineComponent, request, webComponent } from './components.ts';

/** In a thread of its own: the guest blocks this one. */
const SERVER = `
  const { createServer } = require('node:http');
  const { parentPort } = require('node:worker_threads');
  let requests = 0;
  const server = createServer((request, response) => {
    requests += 1;
    if (request.url === '/redirect') response.writeHead(302, { location: 'http://169.254.169.254/' }).end();
    else if (request.url === '/large') response.end('x'.repeat(3_000_000));
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

test('isPublicAddress() knows what is not of the public internet', () => {
  for (const address of ['127.0.0.1', '10.1.2.3', '172.31.0.1', '192.168.1.1', '169.254.169.254', '100.64.0.1']) {
    assert.equal(isPublicAddress(address), false, address);
  }
  for (const address of ['::1', '::', 'fe80::1', 'fe80::1%eth0', 'fd00::1', '::ffff:127.0.0.1', '64:ff9b::7f00:1']) {
    assert.equal(isPublicAddress(address), false, address);
  }
  for (const address of ['93.184.216.34', '2606:2800:220:1:248:1893:25c8:1946', '::ffff:8.8.8.8']) {
    assert.equal(isPublicAddress(address), true, address);
  }
  assert.equal(isPublicAddress('example.com'), false);
});
