/** Clients that send or read slowly, as many as there are threads and more, beside calls that need one. */

import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createNebula, startServer, type Nebula, type NebulaServer } from '../../../lib/index.ts';
import { put, script, scriptedFolder } from '../../host/component/components.ts';
import { RawConnection } from '../triggers/http/raw-connection.ts';

const FUNCTIONS = join(import.meta.dirname, '..', '..', '..', '..', 'functions');
const THREADS = 2;
const SLOW = 6;
const CALLS = 10;
/** Far beyond what this test takes: a call that waited for a slow client's deadline would be told by it. */
const TIMEOUT_MS = 300_000;

/** Resolves once something holds. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await sleep(10);
}

describe('ClientWatch: slow clients', () => {
  let nebula: Nebula;
  let server: NebulaServer;
  const sockets: Socket[] = [];

  before(async () => {
    const folder = await scriptedFolder();
    nebula = await createNebula({ threads: THREADS });
    await nebula.deploy(folder, { limits: { timeoutMs: TIMEOUT_MS } });
    await nebula.deploy(folder, { name: 'other' });
    await nebula.deploy(join(FUNCTIONS, 'echo'), { limits: { timeoutMs: TIMEOUT_MS } });
    server = await startServer(nebula);
  });

  after(async () => {
    for (const socket of sockets) socket.destroy();
    await server.close();
    await nebula.close({ drainMs: 0 });
  });

  function say(text: string, isReading = true): Socket {
    const socket = connect(Number(new URL(server.url).port), '127.0.0.1', () => socket.write(text));
    if (isReading) socket.resume();
    else socket.pause();
    socket.on('error', () => undefined);
    sockets.push(socket);
    return socket;
  }

  /** Answers of calls to functions that have nothing to do with the slow clients. */
  async function others(): Promise<string[]> {
    const calls = Array.from({ length: CALLS }, async (_, at) => {
      const core = await fetch(`${server.url}/invoke/echo`, { method: 'POST', body: `core ${at}` });
      const component = await fetch(`${server.url}/fn/other${script('head', put('component'), 'finish')}`);
      return [core.status, await core.text(), component.status, await component.text()].join(' ');
    });
    return Promise.all(calls);
  }

  const expected = Array.from({ length: CALLS }, (_, at) => `200 core ${at} 200 component`);
  const echo = `/fn/scripted${script('head', 'echo', 'finish')}`;
  const read = `/fn/scripted${script('read', 'head', put('read'), 'finish')}`;
  const senders = [
    ['that stop in a body they announced', `POST ${echo} HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\nabc`],
    [
      'that stop in a body of chunks',
      `POST ${echo} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n`,
    ],
    ['that send nothing of a body', `POST ${read} HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n`],
    [
      'that stop behind what is buffered',
      `POST ${read} HTTP/1.1\r\nHost: a\r\nContent-Length: 9000000\r\n\r\n${'x'.repeat(1_500_000)}`,
    ],
    ['of a core function', 'POST /invoke/echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\nabc'],
    ['of a CGI program', 'POST /fn/echo/ HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\nabc'],
  ] as const;
  for (const [which, text] of senders) {
    it(`${which} keep no other function from answering`, async () => {
      const slow = Array.from({ length: SLOW }, () => say(text));
      const isComponent = text.includes('/fn/scripted');
      if (isComponent) await until(() => nebula.stats().executor.running > 0);
      assert.deepEqual(await others(), expected);
      for (const socket of slow) socket.destroy();
      await until(() => nebula.stats().executor.running === 0);
    });
  }

  it('that do not read keep no other function from answering', async () => {
    const path = `/fn/scripted${script('head', 'zeros:60000000', 'finish')}`;
    const slow = Array.from({ length: SLOW }, () => say(`GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`, false));
    await until(() => nebula.stats().executor.running === THREADS);
    assert.deepEqual(await others(), expected);
    for (const socket of slow) socket.destroy();
    await until(() => nebula.stats().executor.running === 0);
  });

  it('are told so with 408, and their threads live on', async () => {
    const replaced = nebula.stats().executor.unitsReplaced;
    const slow = Array.from({ length: SLOW }, () =>
      new RawConnection(server.url).write(`POST ${read} HTTP/1.1\r\nHost: a\r\nContent-Length: 500\r\n\r\nabc`),
    );
    // All but one of the threads serve bodies that still come: the others wait for a place, which is theirs in turn.
    await Promise.all(slow.slice(0, -1).map((each) => each.until(/^HTTP\/1\.1 408 [^]*ERR_NEBULA_CLIENT_SLOW/)));
    assert.equal(nebula.stats().executor.unitsReplaced, replaced);
    for (const { socket } of slow) socket.destroy();
    await until(() => nebula.stats().executor.running === 0);
  });

  it('are served as slowly as they are where nobody waits for their thread', async () => {
    const raw = new RawConnection(server.url);
    raw.write(`POST ${echo} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n`);
    await raw.until(/one/);
    await sleep(700);
    raw.write('3\r\ntwo\r\n');
    await raw.until(/two/);
    raw.write('0\r\n\r\n');
    assert.match(await raw.until(/\r\n0\r\n\r\n$/), /^HTTP\/1\.1 200 /);
    raw.socket.destroy();
  });
});
