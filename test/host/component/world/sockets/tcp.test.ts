/** wasi:sockets: granted by address, refused otherwise; real connections, with another thread at their other end. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { resolveCapabilities, type Capabilities } from '../../../../../host/capabilities/capabilities.ts';
import type { SocketCapability } from '../../../../../host/capabilities/sockets/schema.ts';
import type { ComponentDefinition } from '../../../../../host/component/vm/component-definition.ts';
import { ComponentVm } from '../../../../../host/component/vm/component-vm.ts';
import { isGranted } from '../../../../../host/capabilities/sockets/allow-list.ts';
import { fromGuest, toGuest, toIpAddress } from '../../../../../host/component/world/sockets/addresses.ts';
import { Host } from '../../../../../host/component/world/host.ts';
import type { InputStream, OutputStream } from '../../../../../host/component/world/io.ts';
import { createSockets } from '../../../../../host/component/world/sockets/network.ts';
import type { TcpSocket } from '../../../../../host/component/world/sockets/tcp.ts';
import { resolveLimits } from '../../../../../host/limits.ts';
import { defineComponent, request, textComponent } from '../../components.ts';

/** Answers "ping\n" with "pong\n"; sends back whatever else comes, and connects where it is told to. */
const PEER = `
  const { connect, createServer } = require('node:net');
  const { parentPort } = require('node:worker_threads');
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.on('data', (bytes) => {
      if (bytes.toString() === 'ping\\n') socket.end('pong\\n');
      else socket.write(bytes);
    });
  });
  server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port));
  parentPort.on('message', (port) => connect(port, '127.0.0.1').on('error', () => undefined).end('from outside'));
`;

let peer: Worker;
let port: number;
let dial: ComponentDefinition;

before(async () => {
  peer = new Worker(PEER, { eval: true });
  [port] = (await once(peer, 'message')) as [number];
  dial = await defineComponent(textComponent('dial'));
});

after(() => peer.terminate());

function ask(sockets: SocketCapability | undefined, over: Partial<Capabilities> = {}): ReturnType<typeof request> {
  const capabilities = { ...dial.capabilities, ...over, ...(sockets === undefined ? {} : { sockets }) };
  const vm = new ComponentVm({ ...dial, capabilities });
  try {
    return request(vm, `/${port}`);
  } finally {
    vm.close();
  }
}

const ACCESS_DENIED = 'error 01';

test('tcp-socket connects a guest to a granted address', () => {
  assert.equal(ask({ connect: [`127.0.0.1:${port}`] }).body, 'pong\n');
  assert.equal(ask({ connect: ['127.0.0.1:*'] }).body, 'pong\n');
});

test('tcp-socket is refused without a grant, and to any other address', () => {
  assert.equal(ask(undefined).body, ACCESS_DENIED);
  for (const connect of [
    [],
    ['127.0.0.1:1'],
    [`127.0.0.2:${port}`],
    [`[::1]:${port}`],
    [`[::ffff:127.0.0.1]:${port}`],
  ]) {
    assert.equal(ask({ connect }).body, ACCESS_DENIED, String(connect));
  }
  assert.equal(ask({ bind: [`127.0.0.1:${port}`] }).body, ACCESS_DENIED);
  assert.deepEqual(ask({ connect: [] }, { denial: 'end' }).ending, { kind: 'denied', capability: 'sockets' });
});

test('tcp-socket tells a refused connection', () => {
  const vm = new ComponentVm({
    ...dial,
    capabilities: { ...dial.capabilities, sockets: { connect: ['127.0.0.1:1'] } },
  });
  assert.equal(request(vm, '/1').body, 'error 14');
  vm.close();
});

interface World {
  readonly host: Host;
  readonly create: (family: 'ipv4' | 'ipv6') => TcpSocket;
  readonly network: never;
  readonly resolve: (name: string) => { resolveNextAddress(): unknown };
}

function worldOf(sockets: SocketCapability): World {
  const capabilities = resolveCapabilities({ sockets });
  const host = new Host({ programName: 'test', limits: resolveLimits(), capabilities }, []);
  host.begin({ input: new Uint8Array(), arguments: [], environment: {} });
  const world = createSockets(host);
  const network = (world['wasi:sockets/instance-network'] as { instanceNetwork: () => never }).instanceNetwork();
  const lookup = world['wasi:sockets/ip-name-lookup'] as {
    resolveAddresses: (network: never, name: string) => { resolveNextAddress(): unknown };
  };
  return {
    host,
    create: (world['wasi:sockets/tcp-create-socket'] as { createTcpSocket: World['create'] }).createTcpSocket,
    network,
    resolve: (name) => lookup.resolveAddresses(network, name),
  };
}

const loopback = (at: number): Parameters<TcpSocket['startConnect']>[1] => ({
  tag: 'ipv4',
  val: { port: at, address: [127, 0, 0, 1] },
});

const failsWith = (payload: string) => ({ payload }) as never;

function connected({ create, network }: World): readonly [TcpSocket, InputStream, OutputStream] {
  const socket = create('ipv4');
  socket.startConnect(network, loopback(port));
  socket.subscribe().block();
  return [socket, ...socket.finishConnect()];
}

function readAll(input: InputStream): string {
  const pieces: Uint8Array[] = [];
  for (;;) {
    try {
      pieces.push(input.blockingRead(65_536n));
    } catch {
      return Buffer.concat(pieces).toString();
    }
  }
}

test('tcp-socket carries more than its window both ways, and ends its direction by shutdown', () => {
  const world = worldOf({ connect: ['127.0.0.1:*'] });
  const [socket, input, output] = connected(world);
  assert.deepEqual(socket.remoteAddress(), loopback(port));
  const chunk = new Uint8Array(60_000).fill(97);
  let received = 0;
  for (let round = 0; round < 20; round++) {
    output.blockingWriteAndFlush(chunk);
    while (received < (round + 1) * chunk.length) received += input.blockingRead(65_536n).length;
  }
  socket.shutdown('send');
  assert.throws(() => output.checkWrite(), { payload: { tag: 'closed' } });
  assert.equal(readAll(input), '');
  world.host.end();
});

test('tcp-socket listens at a granted address and accepts', () => {
  const world = worldOf({ bind: ['127.0.0.1:0'] });
  const listener = world.create('ipv4');
  listener.startBind(world.network, loopback(0));
  listener.finishBind();
  listener.startListen();
  listener.subscribe().block();
  listener.finishListen();
  assert.equal(listener.isListening(), true);
  const { val } = listener.localAddress();
  assert.ok(val.port > 0);
  assert.throws(() => listener.accept(), failsWith('would-block'));
  peer.postMessage(val.port);
  listener.subscribe().block();
  const [accepted, input] = listener.accept();
  assert.equal(readAll(input), 'from outside');
  assert.equal(accepted.localAddress().val.port, val.port);
  world.host.end();
});

test('tcp-socket refuses binding elsewhere, steps out of order, and what Node cannot set', () => {
  const { create, network, resolve, host } = worldOf({ bind: ['127.0.0.1:0'], connect: [`127.0.0.1:${port}`] });
  const socket = create('ipv4');
  assert.throws(() => socket.startBind(network, loopback(8080)), failsWith('access-denied'));
  assert.throws(() => socket.finishConnect(), failsWith('not-in-progress'));
  assert.throws(() => socket.startListen(), failsWith('invalid-state'));
  assert.throws(() => socket.remoteAddress(), failsWith('invalid-state'));
  assert.throws(() => create('ipv6').startConnect(network, loopback(port)), failsWith('invalid-argument'));
  assert.throws(() => socket.setHopLimit(), failsWith('not-supported'));
  assert.deepEqual(resolve('127.0.0.1').resolveNextAddress(), { tag: 'ipv4', val: [127, 0, 0, 1] });
  assert.throws(() => resolve('localhost'), failsWith('access-denied'));
  host.end();
});

test('tcp-socket is limited in number, and all are closed at the end of the call', () => {
  const world = worldOf({ connect: ['127.0.0.1:*'] });
  for (let at = 0; at < 64; at++) connected(world);
  assert.throws(() => connected(world), failsWith('new-socket-limit'));
  world.host.end();
  assert.equal(world.host.held.size, 0);
});

test('toIpAddress() reads numbers and no names', () => {
  const groups = toIpAddress('[2001:db8::ff:1]');
  assert.deepEqual(groups, { tag: 'ipv6', val: [0x2001, 0xdb8, 0, 0, 0, 0, 0xff, 1] });
  assert.equal(toIpAddress('localhost'), undefined);
});

test('fromGuest() writes the address that toGuest() was given', () => {
  for (const address of ['::', '::1', '2001:db8::ff:1', 'fe80::', '::ffff:1.2.3.4']) {
    const told = fromGuest(toGuest({ family: 'ipv6', address, port: 1 }));
    assert.equal(isGranted([`[${address}]:1`], told), true, address);
  }
});
