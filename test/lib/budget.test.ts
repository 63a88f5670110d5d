/** Which functions count units, as their records tell, and that one that has cost a thread is prepared again. */

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { createNebula, type DeployOptions, type Nebula, type NebulaOptions } from '../../lib/index.ts';
import { formatServerTiming, parseCpuNs } from '../../lib/wire/server-timing.ts';
import { NO_PHASES } from '../../host/phases.ts';
import { modulePath } from '../definition.ts';
import { until } from '../pools/fixture.ts';

async function open(context: TestContext, options: NebulaOptions = {}): Promise<Nebula> {
  const nebula = await createNebula({ threads: 2, ...options });
  context.after(() => nebula.close({ drainMs: 0 }));
  return nebula;
}

async function budgetOf(nebula: Nebula, folder: string, options: DeployOptions = {}): Promise<string | undefined> {
  return (await nebula.deploy(modulePath(folder), { name: 'function', ...options })).budget;
}

test('deploy() has code count where the manifest says so, where a limit needs it, and where it may wait', async (context) => {
  const nebula = await open(context);
  assert.equal(await budgetOf(nebula, 'noop'), undefined);
  assert.equal(await budgetOf(nebula, 'noop', { budget: true }), 'manifest');
  assert.equal(await budgetOf(nebula, 'noop', { limits: { units: 10_000 } }), 'limit');
  assert.equal(await budgetOf(nebula, 'noop', { limits: { cpuMs: 100 } }), 'limit');
  assert.equal(await budgetOf(nebula, 'sleep'), 'waits');
  assert.equal(await budgetOf(nebula, 'sleep', { budget: false }), undefined);
  const inThread = await open(context, { executor: 'in-thread' });
  assert.equal(await budgetOf(inThread, 'noop'), 'deadline');
  assert.equal(await budgetOf(inThread, 'noop', { limits: { timeoutMs: 0 } }), undefined);
});

test('deploy() refuses limits that could not hold', async (context) => {
  const nebula = await open(context, { runtimes: ['wasm', 'process'] });
  for (const limits of [{ units: 1 }, { cpuMs: 1 }]) {
    const [name = ''] = Object.keys(limits);
    await assert.rejects(
      budgetOf(nebula, 'noop', { budget: false, limits }),
      new RegExp(`"budget" must not be false where limits.${name}`),
    );
    await assert.rejects(
      budgetOf(nebula, 'noop', { runtime: 'process', limits }),
      new RegExp(`"limits.${name}" must be left out`),
    );
  }
});

/** Calls until a call has cost a thread, and waits until the function counts. */
async function costThread(nebula: Nebula): Promise<void> {
  assert.equal(nebula.get('forever').budget, undefined);
  assert.equal((await nebula.invoke('forever')).kind, 'timeout');
  await until('it is prepared again', () => nebula.get('forever').budget === 'stopped');
}

test('invoke() that costs a thread has its function prepared again, which then costs none', async (context) => {
  const nebula = await open(context);
  const limits = { timeoutMs: 100 };
  const { version, digest } = await nebula.deploy(modulePath('guests/forever'), { name: 'forever', limits });
  await costThread(nebula);
  const record = nebula.get('forever');
  assert.deepEqual([record.version, record.digest, record.previous], [version, digest, []]);
  const { unitsReplaced } = nebula.stats().executor;
  for (let call = 0; call < 10; call++) {
    const outcome = await nebula.invoke('forever');
    assert.equal(outcome.kind, 'timeout');
  }
  assert.ok(nebula.stats().executor.stops >= 5);
  assert.ok(nebula.stats().executor.unitsReplaced <= unitsReplaced + 5);
  // Another version is tried anew, and the one before it comes back as it was.
  await nebula.deploy(modulePath('guests/forever'), { name: 'forever', limits });
  await costThread(nebula);
  assert.equal((await nebula.rollback('forever')).budget, 'stopped');
});

test('a function that is not to count is not prepared again', async (context) => {
  const nebula = await open(context);
  await nebula.deploy(modulePath('guests/forever'), { name: 'forever', budget: false, limits: { timeoutMs: 20 } });
  for (let call = 0; call < 2; call++) assert.equal((await nebula.invoke('forever')).kind, 'timeout');
  await new Promise((resolve) => setTimeout(resolve, 300));
  assert.equal(nebula.get('forever').budget, undefined);
});

test('createNebula() brings back from its store that a function had to be prepared again', async (context) => {
  const store = mkdtempSync(join(tmpdir(), 'nebula-budget-'));
  context.after(() => rmSync(store, { recursive: true, force: true }));
  const first = await createNebula({ threads: 1, store });
  await first.deploy(modulePath('guests/forever'), { name: 'forever', limits: { timeoutMs: 100 } });
  await costThread(first);
  await first.close();
  const second = await createNebula({ threads: 1, store });
  assert.equal(second.get('forever').budget, 'stopped');
  await second.close();
});

test('formatServerTiming() tells processor time where it was counted', () => {
  const field = formatServerTiming({ ...NO_PHASES, run: 5e6 }, { cpuNs: 1_500_000 });
  assert.equal(field, 'run;dur=5, cpu;dur=1.5');
  assert.equal(parseCpuNs(field), 1_500_000);
  assert.equal(parseCpuNs(formatServerTiming({ ...NO_PHASES, run: 5e6 })), undefined);
  assert.equal(formatServerTiming(NO_PHASES, { cpuNs: 1e6 }), 'cpu;dur=1');
});
