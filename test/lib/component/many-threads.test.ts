/** Many guest threads that all wait for an upstream: as many answers, and one thread that makes the requests of all. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { Request } from 'undici';
import { createNebula } from '../../../lib/index.ts';
import { FUNCTIONS_FOLDER } from '../../functions/cases.ts';

const THREADS = 64;
const CALLERS = 128;
const UPSTREAM_MS = 50;
const TASKS = '/proc/self/task';

test('64 threads answer 128 callers of a slow upstream without a failure, many at once', async (context) => {
  let [asking, mostAsking] = [0, 0];
  const upstream = createServer((_, response) => {
    mostAsking = Math.max(mostAsking, ++asking);
    setTimeout(() => {
      asking--;
      response.end('x');
    }, UPSTREAM_MS);
  });
  upstream.listen(0, '127.0.0.1');
  await once(upstream, 'listening');
  const origin = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`;
  const nebula = await createNebula({ threads: THREADS, spareThreads: 0 });
  context.after(async () => {
    await nebula.close();
    upstream.close();
  });
  const http = { origins: [origin], private: true };
  const limits = { timeoutMs: 0, concurrency: CALLERS };
  await nebula.deploy(join(FUNCTIONS_FOLDER, 'components', 'call-out'), { capabilities: { http }, limits });
  while (nebula.stats().executor.units < THREADS) await new Promise((resolve) => setTimeout(resolve, 10));
  const tasks = existsSync(TASKS) ? readdirSync(TASKS).length : 0;
  const url = `http://localhost/?${origin}/`;
  const answers = await Promise.all(
    Array.from({ length: CALLERS }, async () => {
      const response = await nebula.fn('call-out').fetch(new Request(url));
      return `${response.status} ${await response.text()}`;
    }),
  );
  assert.deepEqual(new Set(answers), new Set(['200 x']));
  assert.ok(mostAsking > 16, `at most ${mostAsking} requests were under way at once`);
  // One for the requests; V8's watchdog has one now and then.
  if (tasks > 0) assert.ok(readdirSync(TASKS).length - tasks < THREADS / 4);
});
