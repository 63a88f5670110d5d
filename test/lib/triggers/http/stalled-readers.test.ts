/** Clients that ask and do not read. */

import assert from 'node:assert/strict';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { startServer, type NebulaServer } from '../../../../lib/triggers/http/server.ts';
import { FakeNebula, outcomeOf } from './fake-nebula.ts';
import { RawConnection } from './raw-connection.ts';

const SEND_MS = 100;
/** More than the system's buffers take. */
const LONG = Buffer.alloc(32 * 1024 * 1024, 'x');

describe('startServer() with timeouts.sendMs', () => {
  let server: NebulaServer;
  let accepted: Socket[];
  const onStart = (message: unknown): void => void accepted.push((message as { socket: Socket }).socket);

  beforeEach(async () => {
    accepted = [];
    subscribe('http.server.request.start', onStart);
    const nebula = new FakeNebula()
      .define('long', () => outcomeOf({ kind: 'ok' }, LONG))
      .define('late', async () => {
        await sleep(5 * SEND_MS);
        return outcomeOf({ kind: 'ok' }, 'late');
      });
    server = await startServer(nebula, { timeouts: { sendMs: SEND_MS } });
  });

  afterEach(async () => {
    unsubscribe('http.server.request.start', onStart);
    await server.close();
  });

  it('cuts the connection of a client that reads nothing of its answer', async () => {
    const { socket } = new RawConnection(server.url).write('POST /invoke/long HTTP/1.1\r\nHost: h\r\n\r\n');
    socket.pause();
    while (accepted[0] === undefined) await sleep(10);
    if (!accepted[0].destroyed) await once(accepted[0], 'close');
    assert.equal(accepted[0].destroyed, true);
    socket.destroy();
  });

  it('waits for a function that takes longer, and then for the next request', async () => {
    const connection = new RawConnection(server.url);
    for (const answers of [1, 2]) {
      connection.write('POST /invoke/late HTTP/1.1\r\nHost: h\r\n\r\n');
      await connection.until(new RegExp(`(late[^]*){${answers}}$`));
    }
    connection.socket.destroy();
  });
});
