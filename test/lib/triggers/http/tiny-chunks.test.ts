/** Bodies in as many pieces as a client can make of them. */

import assert from 'node:assert/strict';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { createNebula, startServer, type Nebula, type NebulaServer } from '../../../../lib/index.ts';
import { scriptedFolder } from '../../../host/component/components.ts';
import { RawConnection } from './raw-connection.ts';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

const CHUNKS = 100_000;
const CHUNK = '1\r\na\r\n';
/** A third of what as many objects with a byte each take. */
const MOST_BYTES = 12e6;

function heldBytes(): number {
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

describe('startServer() and bodies in pieces of one byte', () => {
  let nebula: Nebula;
  let server: NebulaServer;

  before(async () => {
    nebula = await createNebula({ threads: 1 });
    await nebula.deploy(await scriptedFolder());
    await nebula.deploy(new URL('../../../../../functions/echo', import.meta.url).pathname);
    server = await startServer(nebula);
  });

  after(async () => {
    await server.close();
    await nebula.close({ drainMs: 0 });
  });

  for (const path of ['/invoke/echo', '/fn/echo', '/fn/scripted/?read']) {
    it(`holds their bytes and little more: ${path}`, async () => {
      let socket: Socket | undefined;
      const onStart = (message: unknown): void => void (socket = (message as { socket: Socket }).socket);
      subscribe('http.server.request.start', onStart);
      const beforeBytes = heldBytes();
      const head = `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n`;
      const connection = new RawConnection(server.url).write(head);
      for (let sent = 0; sent < CHUNKS; sent += 10_000) connection.write(CHUNK.repeat(10_000));
      while ((socket?.bytesRead ?? 0) < head.length + CHUNKS * CHUNK.length) await sleep(10);
      const growthBytes = heldBytes() - beforeBytes;
      unsubscribe('http.server.request.start', onStart);
      connection.socket.destroy();
      await connection.closed;
      assert.ok(growthBytes < MOST_BYTES, `${growthBytes} bytes for ${CHUNKS}`);
    });
  }
});
