/** Sockets in the thread that holds them: what goes when they are closed, whatever their peers do. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import type { SocketAnswer } from '../../../../host/component/outgoing/messages.ts';
import { Sockets } from '../../../../host/component/outgoing/socket-connections.ts';

/** More than the machine takes for a peer that reads nothing. */
const MUCH = new Uint8Array(64 * 1024 * 1024);

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await setImmediate();
}

test('Sockets.accept() closes what its peer does not take: after a while, and at once where there are many', async (context) => {
  context.mock.timers.enable({ apis: ['setTimeout'] });
  const peers = new Map<number | undefined, Socket>();
  const server = createServer({ pauseOnConnect: true }, (socket) => {
    socket.on('error', () => undefined);
    peers.set(socket.remotePort, socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const answers: SocketAnswer[] = [];
  const sockets = new Sockets((answer) => answers.push(answer));
  context.after(() => {
    sockets.close();
    for (const peer of peers.values()) peer.destroy();
    server.close();
  });
  const remote = { family: 'ipv4', address: '127.0.0.1', port: (server.address() as AddressInfo).port } as const;
  const ids = Array.from({ length: 66 }, (_, id) => id);
  for (const id of ids) {
    sockets.accept({ op: 'connect', id, signal: new SharedArrayBuffer(4), remote, local: undefined });
    await until(() => answers.some((answer) => answer.kind === 'open' && answer.id === id));
  }
  await until(() => peers.size === 66);
  for (const id of ids) {
    sockets.accept({ op: 'socket-data', id, bytes: MUCH });
    sockets.accept({ op: 'close', id });
  }
  assert.equal(answers.filter(({ kind }) => kind === 'socket-closed').length, 66);
  const peerOf = (id: number): Socket => {
    const open = answers.find((answer) => answer.kind === 'open' && answer.id === id);
    assert.ok(open?.kind === 'open');
    return peers.get(open.local.port) as Socket;
  };
  const takeAll = async (id: number): Promise<void> => {
    const peer = peerOf(id);
    peer.resume();
    await until(() => peer.destroyed || peer.readableEnded);
    assert.ok(peer.bytesRead < MUCH.length);
  };
  await takeAll(0);
  await takeAll(1);
  context.mock.timers.tick(5_000);
  await takeAll(2);
  await takeAll(65);
});
