/** What is told of a guest whose thread was ended: what it wrote and used until then. */

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { Worker } from 'node:worker_threads';
import type { CountingWish } from '../../host/definition/budget.ts';
import type { FunctionDefinition } from '../../host/definition/definition.ts';
import { isNebulaError } from '../../host/errors.ts';
import type { Recorded } from '../../host/wasi/session/run-reader.ts';
import { CAN_SUSPEND } from '../../host/waiting/jspi.ts';
import type { Executor } from '../../pools/executor.ts';
import { commandComponent, defineComponent } from '../host/component/components.ts';
import { define, type DefinitionOverrides } from '../definition.ts';
import { loudLoop, loudOutput, loudSleep } from '../loud-loop.ts';
import { deploy, input, openPool, stdoutOf, until } from './fixture.ts';
import { WASM_PAGE_BYTES } from '../../host/wasm-page.ts';

/** Which guest, if not the one that loops, and whether it counts units. */
interface LoudGuest {
  readonly bytes: Promise<Uint8Array>;
  readonly wish: CountingWish;
}

async function deployLoud(
  context: TestContext,
  pool: Executor,
  chunks: number,
  limits: DefinitionOverrides['limits'] = {},
  { bytes = loudLoop(chunks), wish = 'never' }: Partial<LoudGuest> = {},
): Promise<FunctionDefinition> {
  const folder = mkdtempSync(join(tmpdir(), 'nebula-stopped-'));
  context.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'loud.wasm');
  writeFileSync(path, await bytes);
  const definition = await define('loud', path, { limits, wish });
  await pool.deploy(definition);
  return definition;
}

const stderrOf = ({ stderr }: { readonly stderr: Uint8Array }): string => new TextDecoder().decode(stderr);

test('invoke() that is stopped at its deadline tells what its guest wrote and used', async (context) => {
  const pool = openPool(context);
  for (const chunks of [0, 1, 16, 17, 2000]) {
    const loud = await deployLoud(context, pool, chunks, { timeoutMs: 1500 });
    const outcome = await pool.invoke(loud, input('12345'));
    assert.equal(outcome.kind, 'timeout');
    assert.equal(stderrOf(outcome), 'err');
    assert.ok(stdoutOf(outcome) === loudOutput(chunks), `${outcome.stdout.length} bytes of ${chunks} chunks`);
    const { inputBytes, hostCalls, memoryBytes } = outcome.usage;
    assert.deepEqual([inputBytes, hostCalls], [3, 2 + chunks]);
    // A memory that grew is seen by the next call into the host.
    assert.equal(memoryBytes, chunks === 0 ? WASM_PAGE_BYTES : 2 * WASM_PAGE_BYTES);
  }
});

test('invoke() that is stopped tells no more than the limits of its streams', async (context) => {
  const pool = openPool(context);
  const loud = await deployLoud(context, pool, 3, { timeoutMs: 2000, stderrBytes: 3, outputBytes: 3000 });
  const outcome = await pool.invoke(loud, input());
  assert.deepEqual([outcome.kind, outcome.stdout.length, outcome.stderr.length], ['timeout', 3000, 3]);
});

test('invoke() that is aborted while it runs tells what its guest wrote, one that waits tells nothing', async (context) => {
  const pool = openPool(context, { threads: 1 });
  const loud = await deployLoud(context, pool, 100, { timeoutMs: 0 });
  const echo = await deploy(pool, 'echo');
  const [running, waiting] = [new AbortController(), new AbortController()];
  const ran = pool.invoke(loud, input(), running.signal);
  const waited = pool.invoke(echo, input('text'), waiting.signal);
  await until('one runs', () => pool.stats().running === 1, 20_000);
  // What it writes takes far less than this on any machine; until then the same is told of fewer writes.
  await new Promise((resolve) => setTimeout(resolve, 1000));
  waiting.abort();
  running.abort();
  const [first, second] = [await ran, await waited];
  assert.deepEqual([first.kind, stderrOf(first)], ['aborted', 'err']);
  assert.ok(stdoutOf(first) === loudOutput(100));
  assert.deepEqual([second.kind, second.stdout.length, second.usage.hostCalls], ['aborted', 0, 0]);
});

test('invoke() that is stopped tells nothing of the guests before it in the same thread', async (context) => {
  const pool = openPool(context, { threads: 1, spareThreads: 0 });
  const echo = await deploy(pool, 'echo');
  const forever = await deploy(pool, 'guests/forever', { limits: { timeoutMs: 50 } });
  for (const sizeBytes of [10, 100_000, 3_000_000]) {
    const secret = 's'.repeat(sizeBytes);
    assert.equal(stdoutOf(await pool.invoke(echo, input(secret))), secret);
    const { kind, stdout, stderr } = await pool.invoke(forever, input());
    assert.deepEqual([kind, stdout.length, stderr.length], ['timeout', 0, 0]);
  }
});

test('close() tells of calls that it stops what their guests wrote', async (context) => {
  const pool = openPool(context);
  const loud = await deployLoud(context, pool, 50, { timeoutMs: 0 });
  const call = pool.invoke(loud, input());
  await until('it runs', () => pool.stats().running === 1, 20_000);
  await pool.close(1500);
  const outcome = await call;
  assert.deepEqual([outcome.kind, stderrOf(outcome)], ['aborted', 'err']);
  assert.ok(stdoutOf(outcome) === loudOutput(50));
});

test('invoke() of a component that is stopped tells what it wrote', async (context) => {
  const pool = openPool(context);
  const bytes = await commandComponent(await loudLoop(40));
  const definition = { ...(await defineComponent(bytes, { limits: { timeoutMs: 2000 } })), id: 'loud#1', name: 'loud' };
  await pool.deploy(definition);
  const outcome = await pool.invoke(definition, input('12345'));
  assert.deepEqual([outcome.kind, stderrOf(outcome), outcome.usage.inputBytes], ['timeout', 'err', 3]);
  assert.ok(stdoutOf(outcome) === loudOutput(40), `${outcome.stdout.length} bytes`);
  assert.ok(outcome.usage.hostCalls > 40 && outcome.usage.memoryBytes >= WASM_PAGE_BYTES);
});

/** Chunks that outgrow the first buffer of a stream, in whichever record it is. */
const CHUNKS = 40;

for (const wish of ['never', 'always'] as const) {
  test(`invoke() of a guest that sleeps is stopped with what it wrote, counting ${wish}`, async (context) => {
    const pool = openPool(context);
    const bytes = loudSleep(CHUNKS);
    const late = await deployLoud(context, pool, CHUNKS, { timeoutMs: 1000 }, { bytes, wish });
    const sleeps = await deployLoud(context, pool, CHUNKS, { timeoutMs: 0 }, { bytes, wish });
    const gone = new AbortController();
    const calls = [pool.invoke(late, input('12345')), pool.invoke(sleeps, input('12345'), gone.signal)];
    setTimeout(() => gone.abort(), 1000);
    const outcomes = await Promise.all(calls);
    assert.deepEqual(
      outcomes.map(({ kind }) => kind),
      ['timeout', 'aborted'],
    );
    for (const outcome of outcomes) {
      assert.equal(stderrOf(outcome), 'err');
      assert.ok(stdoutOf(outcome) === loudOutput(CHUNKS), `${outcome.stdout.length} bytes`);
      const { inputBytes, hostCalls, units } = outcome.usage;
      assert.deepEqual([inputBytes, hostCalls], [3, 3 + CHUNKS]);
      // One that was dropped where it was suspended has counted so far; one that is told answers with all of it.
      assert.equal(units !== undefined, wish === 'always');
      if (units !== undefined) assert.ok(units > CHUNKS, `${units} units`);
    }
  });
}

test('invoke() of a component that sleeps is stopped with what it wrote', async (context) => {
  const pool = openPool(context);
  const bytes = await commandComponent(await loudSleep(CHUNKS));
  const limits = { timeoutMs: 0 };
  const definition = { ...(await defineComponent(bytes, { limits })), id: 'asleep#1', name: 'asleep' };
  await pool.deploy(definition);
  const gone = new AbortController();
  const call = pool.invoke(definition, input('12345'), gone.signal);
  await until('it runs or waits', () => pool.stats()[CAN_SUSPEND ? 'suspended' : 'running'] === 1, 20_000);
  setTimeout(() => gone.abort(), 1000);
  const outcome = await call;
  assert.deepEqual([outcome.kind, stderrOf(outcome), outcome.usage.inputBytes], ['aborted', 'err', 3]);
  assert.ok(stdoutOf(outcome) === loudOutput(CHUNKS), `${outcome.stdout.length} bytes`);
});

test('invoke() whose thread dies is lost, and its error has what its guest wrote and used', async (context) => {
  const posted = context.mock.method(Worker.prototype, 'postMessage');
  const pool = openPool(context, { threads: 1, spareThreads: 0 });
  const loud = await deployLoud(context, pool, CHUNKS, { timeoutMs: 0 });
  const call = pool.invoke(loud, input('12345')).catch((error: unknown) => error);
  await until('it runs', () => pool.stats().running === 1, 20_000);
  await new Promise((resolve) => setTimeout(resolve, 1000));
  const workers = new Set(posted.mock.calls.map((each) => each.this as Worker));
  posted.mock.restore();
  for (const worker of workers) await worker.terminate();
  const error = await call;
  assert.ok(isNebulaError(error) && error.key === 'WORKER_LOST');
  const { stdout, stderr, usage } = error.cause as Recorded;
  assert.equal(new TextDecoder().decode(stderr), 'err');
  assert.ok(new TextDecoder().decode(stdout) === loudOutput(CHUNKS), `${stdout.length} bytes`);
  assert.deepEqual([usage.inputBytes, usage.hostCalls], [3, 2 + CHUNKS]);
});
