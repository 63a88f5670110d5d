import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { hostWindows } from '../../../hardware/analysis/windows.ts';
import { MemoryLine } from '../../../hardware/marker/line.ts';
import { SessionMarker } from '../../../hardware/marker/marker.ts';
import { makeOutcome, FakeExecutor } from '../fake-executor.ts';
import { tinyModule } from '../tiny-module.ts';
import { createNebula, createNebulaOn } from '../../../lib/nebula.ts';
import type { Markers } from '../../../lib/schema/nebula-options.ts';
import type { NebulaOptions } from '../../../lib/schema/nebula-options.ts';

const FUNCTIONS = join(import.meta.dirname, '../../../../functions');

class Told implements Markers {
  readonly said: string[] = [];

  start(label: string): void {
    this.said.push(`start ${label}`);
  }

  end(label: string, calls: number): void {
    this.said.push(`end ${label} ${calls}`);
  }
}

test('createNebula({ markers }) marks each call of a pool from before it is asked to its answer', async () => {
  const marker = await SessionMarker.open(new MemoryLine(), { burstUnitMs: 1 });
  await using nebula = await createNebula({ threads: 1, markers: marker });
  await nebula.deploy(join(FUNCTIONS, 'fibonacci'));
  const outcomes = [];
  for (let call = 0; call < 5; call++) outcomes.push(await nebula.invoke('fibonacci', '30'));
  await marker.close();
  const { windows, incomplete } = hostWindows(marker.log());
  assert.deepEqual(incomplete, []);
  assert.deepEqual(
    windows.map(({ id, calls }) => [id, calls]),
    [1, 2, 3, 4, 5].map((count) => [`fibonacci#${count}`, 1]),
  );
  for (const [index, { hostDurationS }] of windows.entries()) {
    assert.ok(hostDurationS * 1e9 >= (outcomes[index]?.phases.run ?? Number.NaN), `window ${index}`);
  }
  const stats = nebula.stats().markers;
  assert.deepEqual([stats?.windows, stats?.calls, stats?.batches, stats?.failures], [5, 5, 0, 0]);
  assert.equal(stats?.cost.count, 10);
  assert.ok(stats.cost.p50Ns > 0 && stats.cost.p50Ns <= stats.cost.p99Ns && stats.cost.p99Ns <= stats.cost.maxNs);
});

test('createNebula({ markers }) closes the window of an in-thread call before invoke() returns', async () => {
  const told = new Told();
  await using nebula = await createNebula({ executor: 'in-thread', markers: told });
  await nebula.deploy(join(FUNCTIONS, 'fibonacci'));
  const calls = [nebula.invoke('fibonacci', '10'), nebula.invoke('fibonacci', '11')];
  assert.deepEqual(told.said, ['start fibonacci#1', 'end fibonacci#1 1', 'start fibonacci#2', 'end fibonacci#2 1']);
  await Promise.all(calls);
});

test('createNebula({ markers }) makes calls that overlap one batch, and says so', async () => {
  const told = new Told();
  await using nebula = await createNebula({ threads: 2, markers: told });
  await nebula.deploy(join(FUNCTIONS, 'fibonacci'));
  await Promise.all([
    nebula.invoke('fibonacci', '20'),
    nebula.invoke('fibonacci', '21'),
    nebula.invoke('fibonacci', '22'),
  ]);
  await nebula.invoke('fibonacci', '23');
  assert.deepEqual(told.said, ['start fibonacci#1', 'end fibonacci#1 3', 'start fibonacci#2', 'end fibonacci#2 1']);
  const { windows, calls, batches } = nebula.stats().markers ?? {};
  assert.deepEqual([windows, calls, batches], [2, 4, 1]);
});

async function withFake(options: NebulaOptions) {
  const executor = new FakeExecutor();
  const nebula = await createNebulaOn(executor, options);
  await nebula.deploy(tinyModule(), { name: 'tiny' });
  return { nebula, executor };
}

test('createNebula({ markers }) carries a call out whose marks fail, and counts the failures', async () => {
  let fails = { start: true, end: false };
  const told = new Told();
  const markers = {
    start(label: string): void {
      if (fails.start) throw new Error('EIO: the pin is gone');
      told.start(label);
    },
    end(label: string, calls: number): void {
      if (fails.end) throw new Error('EIO again');
      told.end(label, calls);
    },
  };
  const { nebula } = await withFake({ markers });
  assert.equal((await nebula.invoke('tiny')).kind, 'ok');
  assert.deepEqual(told.said, []);
  fails = { start: false, end: true };
  assert.equal((await nebula.invoke('tiny')).kind, 'ok');
  fails = { start: false, end: false };
  assert.equal((await nebula.invoke('tiny')).kind, 'ok');
  assert.deepEqual(told.said, ['start tiny#2', 'start tiny#3', 'end tiny#3 1']);
  const stats = nebula.stats().markers;
  assert.deepEqual([stats?.failures, stats?.windows, stats?.calls], [2, 1, 3]);
  assert.equal(stats?.firstFailure, 'EIO: the pin is gone');
  await nebula.close();
});

test('createNebula({ markers }) closes the window of a call that Nebula could not carry out', async () => {
  const told = new Told();
  const { nebula, executor } = await withFake({ markers: told });
  executor.run = () => Promise.reject(new Error('lost'));
  await assert.rejects(nebula.invoke('tiny'), /lost/);
  executor.run = () => {
    throw new Error('at once');
  };
  await assert.rejects(async () => await nebula.invoke('tiny'), /at once/);
  executor.run = async () => makeOutcome({ kind: 'timeout' });
  assert.equal((await nebula.invoke('tiny')).kind, 'timeout');
  assert.deepEqual(
    told.said,
    [1, 2, 3].flatMap((count) => [`start tiny#${count}`, `end tiny#${count} 1`]),
  );
  await nebula.close();
});

test('createNebula() refuses markers without both functions, and has no marker statistics without markers', async () => {
  const wrong = [null, 'gpio:17', {}, { start: () => undefined }];
  for (const markers of wrong) {
    await assert.rejects(createNebula({ markers } as unknown as NebulaOptions), {
      code: 'ERR_NEBULA_ARGUMENT',
      message: /options\.markers/,
    });
  }
  const { nebula } = await withFake({});
  await nebula.invoke('tiny');
  assert.equal('markers' in nebula.stats(), false);
  await nebula.close();
});
