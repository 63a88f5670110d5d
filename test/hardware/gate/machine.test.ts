import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { parseCpuTicks, readMachine } from '../../../hardware/gate/machine.ts';
import { parseTimex, readTimeCorrection } from '../../../hardware/gate/time-correction.ts';

function tree(context: TestContext, files: Readonly<Record<string, string>>): string {
  const root = mkdtempSync(join(tmpdir(), 'nebula-gate-'));
  context.after(() => rmSync(root, { recursive: true }));
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(join(root, path, '..'), { recursive: true });
    writeFileSync(join(root, path), `${content}\n`);
  }
  return root;
}

const BOARD = {
  'devices/system/cpu/cpu0/cpufreq/scaling_governor': 'performance',
  'devices/system/cpu/cpu0/cpufreq/scaling_cur_freq': '1800000',
  'devices/system/cpu/cpu0/thermal_throttle/core_throttle_count': '2',
  'devices/system/cpu/cpu1/cpufreq/scaling_governor': 'ondemand',
  'devices/system/cpu/cpu1/cpufreq/scaling_cur_freq': '600000',
  'devices/system/cpu/cpu1/thermal_throttle/core_throttle_count': '3',
  'devices/system/cpu/cpufreq/boost': '0',
  'class/thermal/thermal_zone0/temp': '48312',
  'class/thermal/thermal_zone1/temp': '51000',
  'class/thermal/thermal_zone2/type': 'broken',
  'class/hwmon/hwmon0/name': 'cpu_thermal',
  'class/hwmon/hwmon1/name': 'rpi_volt',
  'class/hwmon/hwmon1/in0_lcrit_alarm': '1',
};

test('readMachine() reads clocks, heat and alarms of every CPU and zone', async (context) => {
  const sys = tree(context, BOARD);
  const vcgencmd = join(sys, 'vcgencmd');
  writeFileSync(vcgencmd, '#!/bin/sh\n[ "$1" = get_throttled ] && echo throttled=0x50005\n');
  chmodSync(vcgencmd, 0o755);
  const correction = { frequencyPpm: 3, offsetS: 0, isSteered: true };
  const reading = await readMachine({ sys, vcgencmd, watchS: 0.05, readCorrection: async () => correction });
  assert.deepEqual(reading.governors, ['performance', 'ondemand']);
  assert.deepEqual(reading.frequencyKhz, [1_800_000, 600_000]);
  assert.equal(reading.throttleCount, 5);
  assert.equal(reading.throttledBits, 0x5_0005);
  assert.equal(reading.underVoltage, true);
  assert.equal(reading.temperatureC, 51);
  assert.equal(reading.correction, correction);
});

test('readMachine() falls back to what the kernel shows of the firmware', async (context) => {
  const sys = tree(context, { 'devices/platform/soc/soc:firmware/get_throttled': '50000' });
  assert.equal((await readMachine({ sys, vcgencmd: join(sys, 'none'), watchS: 0.01 })).throttledBits, 0x5_0000);
});

test('readMachine() leaves out what a machine does not say', async (context) => {
  const empty = tree(context, { x: '' });
  const options = { sys: empty, proc: empty, vcgencmd: join(empty, 'none'), watchS: 0.01 };
  const reading = await readMachine({ ...options, readCorrection: async () => undefined });
  assert.deepEqual(Object.keys(reading).sort(), ['monotonicS', 'wallS']);
});

test('readMachine() watches the load of this machine', async () => {
  const reading = await readMachine({ watchS: 0.2 });
  assert.ok(reading.busyShare !== undefined && reading.busyShare >= 0 && reading.busyShare <= 1);
  assert.ok((reading.ticks?.all ?? 0) > 0);
});

test('parseCpuTicks() tells busy, stolen and waiting time apart', () => {
  assert.deepEqual(parseCpuTicks('cpu  1 2 3 40 5 6 7 8 9 10\ncpu0 1 1 1 1 1 1 1 1\n'), {
    busy: 19,
    steal: 8,
    all: 72,
  });
  for (const text of ['', 'cpu  1 2 3', 'cpu0 1 2 3 4 5 6 7 8', 'intr 5']) assert.equal(parseCpuTicks(text), undefined);
});

test('parseTimex() reads the kernel structure', () => {
  const timex = new DataView(new ArrayBuffer(208));
  timex.setBigInt64(8, -2_500_000n, true);
  timex.setBigInt64(16, BigInt(-12.5 * 65_536), true);
  timex.setInt32(40, 0x2001, true);
  assert.deepEqual(parseTimex(timex), { frequencyPpm: -12.5, offsetS: -0.0025, isSteered: true });
  timex.setInt32(40, 0x0041, true);
  assert.deepEqual(parseTimex(timex), { frequencyPpm: -12.5, offsetS: -2.5, isSteered: false });
});

test('readTimeCorrection() asks the kernel and changes nothing', { skip: process.platform !== 'linux' }, async () => {
  const [first, second] = [await readTimeCorrection(), await readTimeCorrection()];
  assert.ok(first !== undefined && Math.abs(first.frequencyPpm) <= 500);
  assert.equal(first.isSteered, second?.isSteered);
});
