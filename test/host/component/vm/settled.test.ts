import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { runInNewContext } from 'node:vm';
import { runFunction } from '../../../../host/component/vm/exported-function.ts';
import { handleRequest } from '../../../../host/component/vm/incoming-handler.ts';
import { requireSettled } from '../../../../host/component/vm/settled.ts';
import { Host } from '../../../../host/component/world/host.ts';
import { resolveCapabilities } from '../../../../host/capabilities/capabilities.ts';
import { resolveLimits } from '../../../../host/limits.ts';

/** Runs and tells the rejections that nobody took. */
async function unhandledIn(run: () => void): Promise<unknown[]> {
  const seen: unknown[] = [];
  const take = (reason: unknown): void => void seen.push(reason);
  process.on('unhandledRejection', take);
  run();
  await setImmediate();
  process.off('unhandledRejection', take);
  return seen;
}

const UNSUPPORTED = { key: 'MODULE_UNSUPPORTED', message: /WASI 0\.3.*Node 24/ };

test('requireSettled() hands on what is no promise, and takes the rejection of one, of whatever context', async () => {
  for (const value of [undefined, 1, 'a', [], null]) assert.equal(requireSettled(value), value);
  const seen = await unhandledIn(() => {
    const foreign: unknown = runInNewContext('Promise.reject(new Error("of another context"))');
    for (const promise of [Promise.reject(new Error('of this one')), foreign, new Promise(() => undefined)]) {
      assert.throws(() => requireSettled(promise), UNSUPPORTED);
    }
  });
  assert.deepEqual(seen, []);
});

const host = new Host(
  { programName: 'test', limits: resolveLimits(), capabilities: resolveCapabilities(undefined) },
  [],
);
const fail = (): Promise<never> => Promise.reject(new Error('nobody waits for this'));

test('runFunction() refuses an export that answers later', async () => {
  let isAnswered = false;
  const sink = { result: (): void => void (isAnswered = true) };
  const call = { kind: 'function', interface: undefined, name: 'f', arguments: [], sink } as const;
  const seen = await unhandledIn(() => assert.throws(() => runFunction(host, call, { f: fail }), UNSUPPORTED));
  assert.deepEqual([seen, isAnswered], [[], false]);
});

test('handleRequest() refuses a handler that answers later', async () => {
  const request = { method: 'GET', scheme: 'http', authority: 'a', pathWithQuery: '/', headers: [] } as const;
  const sink = { head: fail, room: (): number => 0, piece: fail, trailers: fail, end: fail };
  const call = { kind: 'handler', request, isStreamed: false, sink } as const;
  const seen = await unhandledIn(() => assert.throws(() => handleRequest(host, call, fail), UNSUPPORTED));
  assert.deepEqual(seen, []);
});
