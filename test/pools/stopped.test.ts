/** What is told of a guest whose thread was ended: what it wrote and used until then. */

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import type { FunctionDefinition } from '../../host/definition/definition.ts';
import type { Executor } from '../../pools/executor.ts';
import { commandComponent, defineComponent } from '../host/component/components.ts';
import { define, type DefinitionOverrides } from '../definition.ts';
import { loudLoop, loudOutput } from '../loud-loop.ts';
import { deploy, input, openPool, stdoutOf, until } from './fixture.ts';
import { WASM_PAGE_BYTES } from '../../host/wasm-page.ts';

async function deployLoud(
  context: TestContext,
  pool: Executor,
  chunks: number,
  limits: DefinitionOverrides['limits'] = {},
): Promise<FunctionDefinition> {
  const folder = mkdtempSync(join(tmpdir(), 'nebula-stopped-'));
  context.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'loud.wasm');
  writeFileSync(path, await loudLoop(chunks));
  const definition = await define('loud', path, { limits });
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
