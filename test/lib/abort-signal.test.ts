/** Many calls on one AbortSignal, through every way that takes one: Node warns of none of them. */

import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { test, type TestContext } from 'node:test';
import { Request } from 'undici';
import { NebulaClient } from '../../lib/client/client.ts';
import { startServer } from '../../lib/triggers/http/server.ts';
import { createNebula } from '../../lib/nebula.ts';
import { modulePath } from '../definition.ts';
import { put, script, scriptedFolder } from '../host/component/components.ts';

const CALLS = 30;

const times = <T>(call: () => Promise<T>): Promise<T[]> => Promise.all(Array.from({ length: CALLS }, call));

async function drain({ body }: { readonly body: AsyncIterable<Uint8Array> }): Promise<void> {
  for await (const _ of body) continue;
}

/** Warnings that the process prints from now on. */
function watchWarnings(context: TestContext): string[] {
  const warnings: string[] = [];
  const keep = ({ name, message }: Error): void => void warnings.push(`${name}: ${message}`);
  process.on('warning', keep);
  context.after(() => process.off('warning', keep));
  return warnings;
}

test('invoke(), fetch(), send() and NebulaClient take one signal for many calls without a warning', async (context) => {
  const warnings = watchWarnings(context);
  await using nebula = await createNebula({ threads: 2 });
  await nebula.deploy(modulePath('echo'), { name: 'echo' });
  await nebula.deploy(await scriptedFolder());
  const server = await startServer(nebula, {});
  const client = new NebulaClient({ url: server.url });
  context.after(async () => {
    await client.close();
    await server.close();
  });
  const controller = new AbortController();
  const { signal } = controller;
  const request = {
    method: 'GET',
    scheme: 'http',
    authority: 'a',
    pathWithQuery: script('head', put('x'), 'finish'),
    headers: [],
  } as const;
  await times(() => nebula.invoke('echo', 'text', { signal }));
  await times(async () => drain(await nebula.fn('scripted').send(request, new Uint8Array(), signal)));
  await times(() => client.invoke('echo', new Uint8Array(3), { signal }));
  assert.equal(getEventListeners(signal, 'abort').length, 0);
  // A Request of undici's listens for as long as it is not collected.
  await times(async () => {
    const response = await nebula.fn('scripted').fetch(new Request(`http://a${request.pathWithQuery}`, { signal }));
    assert.equal(await response.text(), 'x');
  });
  await times(async () => {
    const response = await nebula.fetch(new Request('http://a/invoke/echo', { method: 'POST', body: 'text', signal }));
    assert.equal(await response.text(), 'text');
  });
  // Warnings are told in a turn of their own.
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(warnings, []);
});

test('invoke() of calls on one signal ends all of them when it aborts', async () => {
  await using nebula = await createNebula({ threads: 1 });
  await nebula.deploy(modulePath('guests/forever'), { name: 'forever' });
  const controller = new AbortController();
  const calls = Array.from({ length: CALLS }, () => nebula.invoke('forever', '', { signal: controller.signal }));
  controller.abort();
  for (const { kind } of await Promise.all(calls)) assert.equal(kind, 'aborted');
});
