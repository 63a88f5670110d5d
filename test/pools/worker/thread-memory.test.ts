/** A pool that ends a thread for each deadline leaves nothing of them mapped: the kernel has a limit of mappings. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadLibc } from '../../../host/linux/libc.ts';
import { koffiStacks } from '../../host/linux/mappings.ts';
import { deploy, input, openPool, until } from '../fixture.ts';

const libc = loadLibc();
const skip =
  libc?.keptBytes === undefined || libc.getcontext(new Uint8Array(8192)) !== 0 ? 'koffi keeps nothing here' : false;
const DEADLINES = 6;

const paused = (error: { code: string }): void => assert.equal(error.code, 'ERR_NEBULA_FUNCTION_PAUSED');

test('invoke() leaves nothing mapped of the threads that deadlines end', { skip }, async (context) => {
  const pool = openPool(context, { threads: 1, spareThreads: 1 });
  const forever = await deploy(pool, 'guests/forever', { limits: { timeoutMs: 20 } });
  const ready = (): Promise<void> => until('all threads are ready', () => pool.stats().units === 2);
  await ready();
  const before = koffiStacks();
  while (pool.stats().unitsReplaced < DEADLINES) {
    // It is given pauses, since it costs a thread each time.
    await pool.invoke(forever, input()).catch(paused);
    await ready();
  }
  // One that has ended may not have been told of yet.
  const after = koffiStacks();
  assert.ok(after <= before + 2, `${before} stacks before, ${after} after ${DEADLINES} deadlines`);
});
