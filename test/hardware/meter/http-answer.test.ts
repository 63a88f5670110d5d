/** Answers over HTTP from a server on loopback that sends what no meter does. */

import assert from 'node:assert/strict';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test, type TestContext } from 'node:test';
import { gzipSync } from 'node:zlib';
import { askHttp } from '../../../hardware/meter/http-answer.ts';

async function serve(
  context: TestContext,
  answer: (response: ServerResponse, encodings: string | undefined) => void,
): Promise<string> {
  const server = createServer((request, response) => answer(response, request.headers['accept-encoding']?.toString()));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  context.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

test('askHttp() asks for an answer as it is, and gives it with its status', async (context) => {
  const url = await serve(context, (response, encodings) => {
    response.statusCode = 418;
    response.end(`é ${encodings}`);
  });
  assert.deepEqual(await askHttp('a meter', url), { status: 418, text: 'é identity' });
  const empty = await serve(context, (response) => response.writeHead(204).end());
  assert.deepEqual(await askHttp('a meter', empty), { status: 204, text: '' });
});

test('askHttp() takes 64 KiB and refuses more, also of a few bytes that unpack to it', async (context) => {
  const most = 64 * 1024;
  const full = await serve(context, (response) => response.end('x'.repeat(most)));
  assert.equal((await askHttp('a meter', full)).text.length, most);
  const message = /an answer of at most 65536 bytes/;
  const more = await serve(context, (response) => response.end('x'.repeat(most + 1)));
  await assert.rejects(askHttp('a meter', more), { key: 'SOURCE_PAYLOAD', message });
  const packed = gzipSync(Buffer.alloc(4 << 20));
  const bomb = await serve(context, (response) => {
    response.setHeader('content-encoding', 'gzip');
    response.end(packed);
  });
  await assert.rejects(askHttp('a meter', bomb), { key: 'SOURCE_PAYLOAD', message });
});
