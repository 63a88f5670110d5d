import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RequestHead } from '../../../../host/http-message.ts';
import type { Nebula } from '../../../../lib/api/nebula.ts';
import { serveComponent } from '../../../../lib/triggers/http/component.ts';
import { NO_BYTES } from '../../../../host/bytes.ts';
import type { Exchange } from '../../../../lib/triggers/http/exchange.ts';
import { parseRequestTarget } from '../../../../lib/triggers/http/request-target.ts';
import { FakeNebula } from './fake-nebula.ts';

async function* noBody(): AsyncGenerator<Uint8Array, void, undefined> {}

async function headOf(target: string): Promise<RequestHead> {
  const heads: RequestHead[] = [];
  const fake = new FakeNebula().define('f', () => {
    throw new Error('it is called as a component');
  });
  const send = (head: RequestHead): Promise<unknown> => {
    heads.push(head);
    const response = { status: 200, headers: [], body: noBody(), trailers: () => undefined };
    return Promise.resolve({ ...response, outcome: Promise.resolve() });
  };
  const nebula = { get: (name: string) => fake.get(name), fn: () => ({ with: () => ({ send }) }) } as unknown as Nebula;
  const host = { text: 'Host.Example:81', hostname: 'host.example', port: '81' };
  const exchange: Exchange = {
    method: 'GET',
    target: parseRequestTarget('GET', target, 'http', host),
    protocol: 'HTTP/1.1',
    remoteAddress: '192.0.2.1',
    localAddress: undefined,
    signal: new AbortController().signal,
    requestId: 'test',
    redirects: 0,
    hasBody: false,
    header: () => undefined,
    headers: () => [],
    readBody: () => Promise.resolve(NO_BYTES),
    bodyStream: noBody,
  };
  await serveComponent(nebula, exchange, 'f', { requestId: 'test', mayManage: () => false });
  return heads[0] as RequestHead;
}

for (const [target, seen] of [
  ['/fn/f', '/'],
  ['/fn/f?', '/?'],
  ['/fn/f?a=/b', '/?a=/b'],
  ['/fn/f/', '/'],
  ["/fn/f//x/%FF\\'?\"<>'%ff", "//x/%FF\\'?\"<>'%ff"],
] as const) {
  test(`serveComponent() hands on ${target} as it was sent`, async () => {
    const { pathWithQuery, authority, scheme } = await headOf(target);
    assert.deepEqual([pathWithQuery, authority, scheme], [seen, 'Host.Example:81', 'http']);
  });
}

test('serveComponent() takes authority and scheme of a target in absolute form', async () => {
  const { pathWithQuery, authority, scheme } = await headOf('https://other/fn/f/x');
  assert.deepEqual([pathWithQuery, authority, scheme], ['/x', 'other', 'https']);
});
