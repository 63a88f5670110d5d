import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { LoadLine } from '../../../hardware/marker/load-line.ts';
import { markerLogRows, readMarkerLog } from '../../../hardware/marker/log-file.ts';
import { SessionMarker } from '../../../hardware/marker/marker.ts';
import { openMarker } from '../../../hardware/marker/markers.ts';

test('LoadLine works while it is high and rests while it is low', async () => {
  const line = await LoadLine.open(100, 2);
  const used = async (level: 0 | 1): Promise<number> => {
    line.write(level);
    await sleep(50);
    const before = process.cpuUsage();
    await sleep(1000);
    const { user } = process.cpuUsage(before);
    return user / 1e6;
  };
  const [rest, work, restAgain] = [await used(0), await used(1), await used(0)];
  line.close();
  assert.ok(work > 0.1, `${work} s of processor time`);
  assert.ok(rest < work / 3 && restAgain < work / 3, `${rest} s and ${restAgain} s at rest, ${work} s at work`);
});

test('SessionMarker makes bursts of a load, marks no windows with it, and reads the wall clock at both ends', async () => {
  const { marker, cost } = await openMarker('load?unit=0.05');
  assert.equal(cost, undefined);
  assert.match(marker.label, /^load of \d+ threads, units of 0\.05 s$/);
  marker.start('a');
  marker.end('a');
  await marker.close();
  const log = marker.log();
  assert.deepEqual([log.synthetic, log.bursts, log.wall?.length], [false, 'load', 2]);
  const windows = log.edges.filter(({ kind }) => kind !== 'sync');
  assert.ok(windows.length === 2 && windows.every(({ written }) => !written));
  assert.ok(log.edges.filter(({ kind }) => kind === 'sync').every(({ written }) => written));
  const { marker: label, ...read } = await readMarkerLog(markerLogRows(log, marker.label));
  assert.deepEqual([read, label], [log, marker.label]);
  const [first, last] = log.wall ?? [];
  assert.ok(Math.abs(Number((first?.realNs ?? 0n) / 1_000_000n) - Date.now()) < 120_000);
  assert.ok((last?.hostNs ?? 0n) > (first?.hostNs ?? 0n));
  await assert.rejects(openMarker('load?unit=0'), { key: 'ARGUMENT' });
  await assert.rejects(openMarker('load:4'), { key: 'ARGUMENT' });
  assert.equal((await SessionMarker.open(undefined)).log().bursts, undefined);
});
