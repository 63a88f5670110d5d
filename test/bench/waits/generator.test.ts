import assert from 'node:assert/strict';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, beforeEach, test } from 'node:test';
import { Generator } from '../../../bench/waits/generator.ts';

const ASKED = { path: '/', method: 'GET', limitMs: 60_000 } as const;

let generator: Generator;
let origin: string;
/** Answers a request, the how manieth it is. */
let answer: (response: ServerResponse, at: number) => void;
let requests = 0;
let underWay = 0;
let mostUnderWay = 0;
const connections = new Set<unknown>();

const server = createServer((request, response) => {
  mostUnderWay = Math.max(mostUnderWay, ++underWay);
  response.once('close', () => underWay--);
  connections.add(request.socket);
  answer(response, ++requests);
});

before(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  generator = new Generator();
});
beforeEach(() => {
  requests = mostUnderWay = 0;
  connections.clear();
  answer = (response) => response.end('x');
});
after(async () => {
  await generator.close();
  server.close();
});

test('atOnce() has all under way at once, on the connections that open() made', async () => {
  await generator.open(origin, 20, ASKED);
  assert.equal(connections.size, 20);
  const held: ServerResponse[] = [];
  answer = (response) => {
    held.push(response);
    if (held.length === 20) for (const each of held) each.end('x');
  };
  const { latenciesUs, failures } = await generator.atOnce(20, ASKED);
  assert.equal(latenciesUs.length, 20);
  assert.deepEqual(failures, {});
  assert.equal(mostUnderWay, 20);
  assert.equal(connections.size, 20);
});

test('atOnce() counts what is answered otherwise by its status and by the code of its error', async () => {
  await generator.open(origin, 9, ASKED);
  answer = (response, at) => {
    if (at % 3 === 0) response.destroy();
    else response.writeHead(at % 3 === 1 ? 200 : 503).end();
  };
  requests = 0;
  const { latenciesUs, failures } = await generator.atOnce(9, ASKED);
  assert.equal(latenciesUs.length, 3);
  assert.deepEqual(failures, { 503: 3, UND_ERR_SOCKET: 3 });
});

test('atOnce() does not wait beyond its limit, and leave() gives up what is under way', async () => {
  await generator.open(origin, 4, ASKED);
  const gone = new Promise<void>((resolve) => {
    answer = (response) => {
      if (requests > 5) response.end('x');
      else if (requests > 4) response.once('close', resolve);
    };
  });
  requests = 4;
  const { latenciesUs, failures } = await generator.atOnce(4, { ...ASKED, limitMs: 2000 });
  assert.equal(latenciesUs.length, 3);
  assert.deepEqual(failures, {});
  await generator.leave();
  await gone;
});

test('loop() has each caller ask again when it was answered, and ends after its time', async () => {
  await generator.open(origin, 3, ASKED);
  answer = (response) => setTimeout(() => response.end('x'), 5);
  const { latenciesUs, elapsedUs } = await generator.loop(3, 0.5, ASKED);
  assert.equal(mostUnderWay, 3);
  assert.ok(latenciesUs.length > 3 && latenciesUs.length < 400, String(latenciesUs.length));
  assert.ok(elapsedUs >= 490_000, String(elapsedUs));
  // What was under way at the end of the time has ended, and is not of the result.
  assert.equal(underWay, 0);
  assert.ok(requests - 3 - latenciesUs.length <= 3, `${requests} requests, ${latenciesUs.length} answers`);
});
