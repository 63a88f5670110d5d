/** What calls of bindings take of memory, however many and long they are. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CAN_SUSPEND } from '../../../host/waiting/jspi.ts';
import { ask, deployCaller, open } from './bindings.ts';

const MIB = 2 ** 20;
const CALLS = 1200;
/** The part of what was moved that may stay meanwhile: of what is garbage and of what is kept. */
const SHARE = 0.25;

const long = new Uint8Array(MIB);

/** Bytes by which the process has grown at the most while `run` ran. */
async function growthOf(run: () => Promise<unknown>): Promise<number> {
  const before = process.memoryUsage.rss();
  let most = before;
  const timer = setInterval(() => (most = Math.max(most, process.memoryUsage.rss())), 5);
  await run();
  clearInterval(timer);
  return Math.max(most, process.memoryUsage.rss()) - before;
}

for (const [what, request, name] of [
  ['answers', 'x', 'long'],
  ['requests', 'x'.repeat(MIB), 'short'],
] as const) {
  test(`nebula.call takes no more memory the more long ${what} there are`, async (context) => {
    const nebula = await open(context, 'worker', {
      orders: { long: () => long, short: () => 'short' },
    });
    await deployCaller(nebula, { limits: { inputBytes: 2 * MIB, timeoutMs: 60_000 } });
    const expected = name === 'short' ? 5 : MIB;
    const call = async (count: number): Promise<void> => {
      const { kind, stdout } = await nebula.invoke('caller', `${count} orders.${name}\n${request}`);
      assert.deepEqual([kind, stdout.length], ['ok', expected]);
    };
    await call(10);
    const growth = await growthOf(() => call(CALLS));
    assert.ok(growth < SHARE * CALLS * MIB, `${growth} bytes for ${CALLS * MIB}`);
    const growthOfCalls = await growthOf(async () => {
      for (let count = 0; count < CALLS / 10; count++) await call(10);
    });
    assert.ok(growthOfCalls < SHARE * CALLS * MIB, `${growthOfCalls} bytes for ${CALLS * MIB}`);
  });
}

test('nebula.call has room again for guests that were dropped while they waited', {
  skip: !CAN_SUSPEND,
}, async (context) => {
  let caller = new AbortController();
  const hang = (): Promise<string> => {
    setImmediate(() => caller.abort());
    return new Promise((resolve) => caller.signal.addEventListener('abort', () => resolve('late')));
  };
  const nebula = await open(context, 'in-thread', { orders: { hang } }, { memories: 20 });
  await deployCaller(nebula);
  for (let call = 0; call < 60; call++) {
    caller = new AbortController();
    assert.equal((await ask(nebula, 'orders.hang', { signal: caller.signal }))[0], 'aborted');
  }
});
