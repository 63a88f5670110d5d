/** The executor in the caller's own thread. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { collectGarbage } from '../../../host/linux/address-space.ts';
import { GuestThread } from '../../../host/thread/guest-thread.ts';
import { MicroVm } from '../../../host/micro-vm/micro-vm.ts';
import { createInThreadExecutor } from '../../../pools/in-thread/executor.ts';
import { deploy, input, stdoutOf } from '../fixture.ts';

test('invoke() discards a micro-VM whose restore fails, and never runs it again', async (context) => {
  const executor = createInThreadExecutor();
  context.after(() => executor.close(0));
  const count = await deploy(executor, 'guests/count-calls');
  assert.equal(stdoutOf(await executor.invoke(count, input())), '1 1\n');
  context.mock.method(MicroVm.prototype, 'restore', () => {
    throw new Error('no page can be put back');
  });
  for (let call = 0; call < 4; call++) {
    const outcome = await executor.invoke(count, input());
    assert.equal(stdoutOf(outcome), '1 1\n');
    if (call % 2 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
});

test('invoke() takes a time of 0 for none given, and the limit holds', async (context) => {
  const executor = createInThreadExecutor();
  context.after(() => executor.close(0));
  const forever = await deploy(executor, 'guests/forever', { limits: { timeoutMs: 40 } });
  const outcome = await executor.invoke(forever, { ...input(), timeoutMs: 0 });
  assert.equal(outcome.kind === 'timeout' && outcome.timeoutMs, 40);
});

test('invoke() takes the wait for a memory off the time that its caller gave, and starts no guest when it is up', async (context) => {
  const executor = createInThreadExecutor({ memories: 1 });
  context.after(() => executor.close(0));
  const forever = await deploy(executor, 'guests/forever', { limits: { timeoutMs: 20_000 } });
  const noop = await deploy(executor, 'noop');
  let waitMs = 60;
  context.mock.method(GuestThread.prototype, 'makeRoom', async function (this: GuestThread): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, waitMs));
    this.evict(1);
    collectGarbage();
    for (let turns = 0; turns < 8; turns++) await new Promise((resolve) => setImmediate(resolve));
  });
  const late = await executor.invoke(noop, { ...input(), timeoutMs: 30 });
  assert.deepEqual([late.kind, late.kind === 'timeout' && late.timeoutMs, late.phases.run], ['timeout', 30, 0]);
  assert.ok(late.phases.queue >= 55e6, `it waited for ${late.phases.queue} ns`);
  assert.equal((await executor.invoke(noop, input())).kind, 'ok');
  waitMs = 1_500;
  const outcome = await executor.invoke(forever, { ...input(), timeoutMs: 2_000 });
  assert.equal(outcome.kind === 'timeout' && outcome.timeoutMs, 2_000);
  assert.ok(outcome.phases.run < 1_500e6, `it ran for ${outcome.phases.run} ns`);
});

test('close() right after a call leaves nothing to be done later, and refuses what comes', async () => {
  const executor = createInThreadExecutor();
  const noop = await deploy(executor, 'noop');
  const last = executor.invoke(noop, input());
  await executor.close(0);
  await executor.close(0);
  assert.equal((await last).kind, 'ok');
  await new Promise((resolve) => setImmediate(resolve));
  await assert.rejects(executor.invoke(noop, input()), { code: 'ERR_NEBULA_CLOSED' });
  await assert.rejects(executor.deploy(noop), { code: 'ERR_NEBULA_CLOSED' });
  assert.equal(executor.stats().running, 0);
});

test('invoke() of a function that was undeployed is refused; a signal aborted before is told', async (context) => {
  const executor = createInThreadExecutor();
  context.after(() => executor.close(0));
  const noop = await deploy(executor, 'noop');
  assert.equal((await executor.invoke(noop, input(), AbortSignal.abort())).kind, 'aborted');
  await executor.undeploy(noop.id);
  await executor.undeploy(noop.id);
  await assert.rejects(executor.invoke(noop, input()), { code: 'ERR_NEBULA_FUNCTION_NOT_FOUND' });
});
