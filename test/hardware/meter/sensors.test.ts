import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { listHwmon, openHwmon, readHwmonW } from '../../../hardware/meter/hwmon.ts';
import { openPmic, parsePmic } from '../../../hardware/meter/pmic.ts';
import { monotonicS, pollReadings, recordSource, type Reading } from '../../../hardware/meter/power-source.ts';
import { RaplCounter, listRapl, openRapl, wholeMachine } from '../../../hardware/meter/rapl.ts';

function tree(context: TestContext, files: Readonly<Record<string, string | number>>): string {
  const root = mkdtempSync(join(tmpdir(), 'nebula-sys-'));
  context.after(() => rmSync(root, { recursive: true }));
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(join(root, path, '..'), { recursive: true });
    writeFileSync(join(root, path), `${content}\n`);
  }
  return root;
}

test('listHwmon() finds the sensors of current and passes over the rest', (context) => {
  const root = tree(context, {
    'hwmon0/name': 'cpu_thermal',
    'hwmon1/name': 'ina226',
    'hwmon1/power1_input': 2_475_000,
    'hwmon2/name': 'ina3221',
    'hwmon2/in1_label': 'VDD_IN',
    'hwmon2/in1_input': 5000,
    'hwmon2/curr1_input': 600,
    'hwmon2/in3_input': 3300,
    'hwmon2/curr3_input': 100,
    'hwmon3/name': 'ina219',
    'hwmon3/in1_input': 5100,
    'hwmon3/curr1_input': 200,
  });
  const channels = listHwmon(root);
  assert.deepEqual(
    channels.map(({ label }) => label),
    ['ina226 channel 1', 'VDD_IN', 'ina3221 channel 3', 'ina219 channel 1'],
  );
  const powers = channels.map((channel) => Number(readHwmonW(channel).toFixed(6)));
  assert.deepEqual(powers, [2.475, 3, 0.33, 1.02]);
  assert.throws(() => openHwmon({ root }), { key: 'ARGUMENT' });
  assert.throws(() => openHwmon({ root, label: 'VDD' }), { key: 'NO_SOURCE' });
  assert.throws(() => openHwmon({ root: join(root, 'none') }), { key: 'NO_SOURCE' });
});

test('openHwmon() reads at the pace of the chip and records lost readings, never repeats', async (context) => {
  const root = tree(context, {
    'hwmon0/name': 'ina226',
    'hwmon0/update_interval': 4,
    'hwmon0/power1_input': 3_000_000,
  });
  const source = openHwmon({ root });
  assert.equal(source.properties.refreshS, 0.004);
  const file = join(root, 'hwmon0/power1_input');
  const beforeS = monotonicS();
  const stop = new AbortController();
  const recorded = recordSource(source, stop.signal);
  for (const content of ['broken', '4000000']) {
    await sleep(150);
    writeFileSync(file, `${content}\n`);
  }
  await sleep(150);
  stop.abort();
  const recording = await recorded;
  assert.ok(recording.counts.lost > 0);
  assert.match(recording.firstLoss ?? '', /a number in .*power1_input, got/);
  assert.deepEqual(new Set(recording.trace.value), new Set([3, 4]));
  assert.equal(recording.trace.breaks.length, 1);
  assert.equal(recording.trace.clock, 'host-monotonic');
  assert.ok((recording.trace.timeS[0] ?? 0) >= beforeS);
  await source.close();
});

function raplTree(context: TestContext): string {
  return tree(context, {
    'intel-rapl/enabled': 1,
    'intel-rapl:0/name': 'package-0',
    'intel-rapl:0/energy_uj': 900,
    'intel-rapl:0/max_energy_range_uj': 1000,
    'intel-rapl:0:0/name': 'core',
    'intel-rapl:0:0/energy_uj': 100,
    'intel-rapl:0:0/max_energy_range_uj': 1000,
    'intel-rapl:1/name': 'package-1',
    'intel-rapl:1/energy_uj': 10,
    'intel-rapl:1/max_energy_range_uj': 500,
    'intel-rapl-mmio:0/name': 'package-0',
    'intel-rapl-mmio:0/energy_uj': 900,
    'intel-rapl-mmio:0/max_energy_range_uj': 1000,
  });
}

test('wholeMachine() adds packages but no zone inside another, and takes psys alone', (context) => {
  const root = raplTree(context);
  const zones = listRapl(root);
  assert.deepEqual(
    zones.map(({ name }) => name),
    ['package-0', 'core', 'package-1'],
  );
  assert.deepEqual(
    wholeMachine(zones).map(({ id }) => id),
    ['intel-rapl:0', 'intel-rapl:1'],
  );
  const psys = { id: 'intel-rapl:2', name: 'psys', path: '', rangeUj: 1 };
  assert.deepEqual(wholeMachine([...zones, psys]), [psys]);
});

test('RaplCounter adds zones that wrap at their own ranges', (context) => {
  const root = raplTree(context);
  const counter = new RaplCounter(wholeMachine(listRapl(root)));
  assert.equal(counter.readJ(), 0);
  writeFileSync(join(root, 'intel-rapl:0/energy_uj'), '50\n');
  writeFileSync(join(root, 'intel-rapl:1/energy_uj'), '30\n');
  assert.ok(Math.abs(counter.readJ() - 170e-6) < 1e-12);
  writeFileSync(join(root, 'intel-rapl:1/energy_uj'), '5\n');
  assert.ok(Math.abs(counter.readJ() - 645e-6) < 1e-12);
  assert.equal(counter.wraps, 2);
});

test('openRapl() says that there is no source, never 0', (context) => {
  assert.throws(() => openRapl({ root: join(raplTree(context), 'none') }), { key: 'NO_SOURCE' });
  assert.throws(() => openRapl({ root: raplTree(context), zone: 'dram' }), { key: 'NO_SOURCE' });
  const source = openRapl({ root: raplTree(context) });
  assert.equal(source.properties.rule, 'counter');
  assert.equal(source.properties.name, 'RAPL package-0 + package-1');
});

const PMIC = ` VDD_CORE_A current(7)=1.50000000A
 VDD_CORE_V volt(15)=0.90000000V
 3V3_SYS_A current(1)=0.10000000A
 3V3_SYS_V volt(9)=3.30000000V
 EXT5V_V volt(24)=4.87894000V
`;

test('parsePmic() adds the rails that have current and voltage', () => {
  const { powerW, rails } = parsePmic(PMIC);
  assert.ok(Math.abs(powerW - 1.68) < 1e-9);
  assert.equal(rails, 2);
  assert.throws(() => parsePmic('EXT5V_V volt(24)=4.87V'), { key: 'SOURCE_PAYLOAD' });
  assert.throws(() => parsePmic('error=1 error_msg="Command not registered"'), { key: 'SOURCE_PAYLOAD' });
});

test('openPmic() labels its values an estimate and says where there is no PMIC', async (context) => {
  const root = tree(context, { vcgencmd: `#!/bin/sh\n[ "$1" = pmic_read_adc ] && cat <<'END'\n${PMIC}END` });
  const command = join(root, 'vcgencmd');
  chmodSync(command, 0o755);
  const source = await openPmic({ command, intervalS: 0.02 });
  assert.equal(source.properties.estimate, true);
  const recording = await recordSource(source, AbortSignal.timeout(400));
  assert.match(recording.trace.source, /estimate/);
  assert.ok(Math.abs((recording.trace.value[0] ?? 0) - 1.68) < 1e-9);
  await assert.rejects(openPmic({ command: join(root, 'none') }), { key: 'NO_SOURCE' });
});

test('pollReadings() stamps the middle of a call and shifts after a slow one', async () => {
  const taken: Reading[] = [];
  let call = 0;
  const read = async (): Promise<number> => {
    if (call++ === 1) await new Promise((resolve) => setTimeout(resolve, 60));
    return call;
  };
  for await (const reading of pollReadings(read, 0.02, AbortSignal.timeout(10_000))) {
    taken.push(reading);
    if (taken.length === 6) break;
  }
  const times = taken.map((reading) => (reading.kind === 'value' ? reading.timeS : Number.NaN));
  for (let index = 1; index < times.length; index++) assert.ok((times[index] ?? 0) - (times[index - 1] ?? 0) > 0.01);
  assert.equal(taken.length, 6);
});
