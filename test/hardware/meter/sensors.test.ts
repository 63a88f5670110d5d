import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { listHwmon, openHwmon, readHwmonW } from '../../../hardware/meter/hwmon.ts';
import { openPmic, parsePmic } from '../../../hardware/meter/pmic.ts';
import { PowerIntegral } from '../../../hardware/analysis/integral.ts';
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

test('listHwmon() tells two sensors of one kind apart by label files and addresses, and reads further chips', (context) => {
  const root = tree(context, {
    'devices/1-0040/of': '',
    'devices/1-0041/of': '',
    'class/hwmon0/name': 'ina226',
    'class/hwmon0/power1_input': 1_000_000,
    'class/hwmon1/name': 'ina226',
    'class/hwmon1/power1_input': 2_000_000,
    'class/hwmon2/name': 'ina238',
    'class/hwmon2/label': '5V rail',
    'class/hwmon2/power1_input': 3_000_000,
    'class/hwmon3/name': 'ina228',
    'class/hwmon3/label': 'USB',
    'class/hwmon3/power1_input': 4_000_000,
    'class/hwmon10/name': 'ltc2945',
    'class/hwmon10/power1_input': 5_000_000,
    'class/hwmon11/name': 'pac1934',
    'class/hwmon11/in1_input': 5000,
    'class/hwmon11/curr1_input': 1200,
    'class/hwmon11/in4_input': 5000,
    'class/hwmon11/curr4_input': 1400,
    'class/hwmon12/name': 'ina237',
    'class/hwmon12/in1_input': 5000,
    'class/hwmon12/curr1_input': 1600,
  });
  symlinkSync(join(root, 'devices/1-0040'), join(root, 'class/hwmon0/device'));
  symlinkSync(join(root, 'devices/1-0041'), join(root, 'class/hwmon1/device'));
  const places = join(root, 'class');
  const read = listHwmon(places).map((channel) => [channel.label, Number(readHwmonW(channel).toFixed(6))]);
  assert.deepEqual(read, [
    ['ina226 channel 1 at 1-0040', 1],
    ['ina226 channel 1 at 1-0041', 2],
    ['5V rail', 3],
    ['USB', 4],
    ['ltc2945 channel 1', 5],
    ['pac1934 channel 1', 6],
    ['pac1934 channel 4', 7],
    ['ina237 channel 1', 8],
  ]);
  for (const [label] of read)
    assert.ok(openHwmon({ root: places, label: label as string }).properties.name.includes(label as string));
  assert.equal(openHwmon({ root: places, label: '1-0041' }).properties.name, 'hwmon ina226 channel 1 at 1-0041');
});

test('openHwmon() takes polls that come late on a busy machine for no gaps', async (context) => {
  const root = tree(context, { 'hwmon0/name': 'ina226', 'hwmon0/power1_input': 3_000_000 });
  const source = openHwmon({ root });
  const stop = new AbortController();
  const recorded = recordSource(source, stop.signal);
  // The loop is held up for 40 ms again and again, as by others on the processor.
  for (let round = 0; round < 20; round++) {
    await sleep(20);
    const until = monotonicS() + 0.04;
    while (monotonicS() < until);
  }
  stop.abort();
  const { trace, counts } = await recorded;
  const late = trace.timeS.filter((timeS, index) => timeS - (trace.timeS[index - 1] ?? timeS) > 0.03).length;
  assert.ok(late > 5, `${late} late polls`);
  const [firstS, lastS] = [trace.timeS[0] as number, trace.timeS.at(-1) as number];
  const { energyJ, uncoveredS } = new PowerIntegral(trace).over(firstS, lastS);
  if (counts.gaps === 0)
    assert.ok(Math.abs(energyJ - 3 * (lastS - firstS)) < 1e-6 && uncoveredS === 0, `${uncoveredS} s`);
  assert.equal(trace.gapS, 0.5);
});

test('openHwmon() reads at the pace of the chip and records lost readings, never repeats', async (context) => {
  const root = tree(context, {
    'hwmon0/name': 'ina226',
    'hwmon0/update_interval': 4,
    'hwmon0/power1_input': 3_000_000,
  });
  const source = openHwmon({ root });
  assert.equal(source.properties.lagS, 0.004);
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

const ids = (chosen: readonly { readonly id: string }[]): string[] =>
  chosen.map(({ id }) => id.replace('intel-rapl:', ''));

test('wholeMachine() adds the DRAM of each package, which no package counts, unless it is told otherwise', (context) => {
  const files: Record<string, string | number> = {};
  for (const socket of [0, 1]) {
    for (const [id, name] of [
      [`${socket}`, `package-${socket}`],
      [`${socket}:0`, 'core'],
      [`${socket}:1`, 'dram'],
    ] as const) {
      files[`intel-rapl:${id}/name`] = name;
      files[`intel-rapl:${id}/energy_uj`] = 0;
      files[`intel-rapl:${id}/max_energy_range_uj`] = 1e12;
    }
  }
  const root = tree(context, files);
  const zones = listRapl(root);
  assert.deepEqual(ids(wholeMachine(zones)), ['0', '0:1', '1', '1:1']);
  assert.deepEqual(ids(wholeMachine(zones, true)), ['0', '1']);
  const names = (options: object): string => openRapl({ root, cpuInfo: root, ...options }).properties.name;
  assert.equal(names({}), 'RAPL package-0 + dram + package-1 + dram');
  // Of a name, the zones of both sockets.
  assert.equal(names({ zone: 'dram' }), 'RAPL dram + dram');
  assert.equal(names({ zone: 'core' }), 'RAPL core + core');
  assert.equal(names({ zone: 'intel-rapl:1:1' }), 'RAPL dram');
});

test('openRapl() reads what a host attributes to a virtual machine, as an estimate', async (context) => {
  // Scaphandre's qemu exporter: a counter without name and range, and an empty folder for its first domain.
  const guest = tree(context, { 'intel-rapl:0/energy_uj': '5000000' });
  mkdirSync(join(guest, 'intel-rapl:0:0'));
  const source = openRapl({ root: guest, intervalS: 0.02 });
  const { name, estimate, refreshS } = source.properties;
  assert.deepEqual([name, estimate, refreshS], ['RAPL package-0 of a virtual machine', true, 5]);
  const recorded = recordSource(source, AbortSignal.timeout(3000));
  await sleep(500);
  // Written anew as Scaphandre does: emptied first.
  writeFileSync(join(guest, 'intel-rapl:0/energy_uj'), '');
  await sleep(500);
  writeFileSync(join(guest, 'intel-rapl:0/energy_uj'), '17000000');
  const { trace, counts } = await recorded;
  assert.equal(trace.value.at(-1), 12);
  assert.ok(counts.lost > 0 && counts.resets === 0);
  // QEMU's virtual RAPL: the guest's own powercap tree.
  const cpuInfo = join(tree(context, { cpuinfo: 'flags\t\t: fpu vme hypervisor lahf_lm' }), 'cpuinfo');
  const virtual = openRapl({ root: raplTree(context), cpuInfo });
  assert.deepEqual([virtual.properties.estimate, virtual.properties.refreshS], [true, 1]);
  const bare = join(tree(context, { cpuinfo: 'flags\t\t: fpu vme lahf_lm' }), 'cpuinfo');
  assert.equal(openRapl({ root: raplTree(context), cpuInfo: bare }).properties.estimate, false);
});

test('RaplCounter adds zones that wrap at their own ranges', (context) => {
  const root = raplTree(context);
  const counter = new RaplCounter(wholeMachine(listRapl(root)));
  assert.equal(counter.readJ(), 0);
  writeFileSync(join(root, 'intel-rapl:0/energy_uj'), '50\n');
  writeFileSync(join(root, 'intel-rapl:1/energy_uj'), '410\n');
  assert.ok(Math.abs(counter.readJ() - 550e-6) < 1e-12);
  writeFileSync(join(root, 'intel-rapl:1/energy_uj'), '5\n');
  assert.ok(Math.abs(counter.readJ() - 645e-6) < 1e-12);
  assert.equal(counter.wraps, 2);
});

test('RaplCounter takes no counter that was set back for one that wrapped, and goes on from its new value', (context) => {
  const root = raplTree(context);
  const counter = new RaplCounter(wholeMachine(listRapl(root)));
  const write = (package0: number, package1: number): void => {
    writeFileSync(join(root, 'intel-rapl:0/energy_uj'), `${package0}\n`);
    writeFileSync(join(root, 'intel-rapl:1/energy_uj'), `${package1}\n`);
  };
  for (const [package0, package1] of [
    [700, 20],
    [710, 5],
    [505, 6],
  ] as const) {
    write(package0, package1);
    const lost = { key: 'SOURCE_PAYLOAD', message: /a count of at least \d+ in/ };
    if (package1 !== 20) assert.throws(() => counter.readJ(), lost);
    else assert.throws(() => counter.readJ(), { ...lost, message: /at least 900 in .*intel-rapl:0, got 700/ });
  }
  write(515, 8);
  // 10, 10, 1 and 12 uJ: what each zone counted on, without its falls.
  assert.ok(Math.abs(counter.readJ() - 33e-6) < 1e-12);
  assert.equal(counter.wraps, 0);
});

test('openRapl() says that there is no source, never 0', (context) => {
  assert.throws(() => openRapl({ root: join(raplTree(context), 'none') }), { key: 'NO_SOURCE' });
  assert.throws(() => openRapl({ root: raplTree(context), zone: 'dram' }), { key: 'NO_SOURCE' });
  const source = openRapl({ root: raplTree(context), cpuInfo: join(raplTree(context), 'none') });
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
  assert.deepEqual(rails, ['3V3_SYS', 'VDD_CORE']);
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

const TWELVE = [
  '3V7_WL_SW',
  '3V3_SYS',
  '1V8_SYS',
  'DDR_VDD2',
  'DDR_VDDQ',
  '1V1_SYS',
  '0V8_SW',
  'VDD_CORE',
  '3V3_DAC',
  '3V3_ADC',
  '0V8_AON',
  'HDMI',
];

/** 12 rails, of which the core draws 5.36 W of 7.24 W; without one of its lines, as a bus error leaves it. */
function pmicText(without: RegExp = /^$/): string {
  const lines = TWELVE.flatMap((rail, index) => {
    const amperes = rail === 'VDD_CORE' ? 5.36 : 1.88 / 11;
    return [` ${rail}_A current(${index})=${amperes.toFixed(8)}A`, ` ${rail}_V volt(${index + 8})=1.00000000V`];
  });
  return [...lines, ' EXT5V_V volt(24)=4.87894000V', ' BATT_V volt(25)=0.00488280V']
    .filter((line) => !without.test(line))
    .join('\n');
}

test('openPmic() loses a reading that lacks a rail, and tells no smaller power', async (context) => {
  assert.throws(() => parsePmic(pmicText(/VDD_CORE_V/)), {
    key: 'SOURCE_PAYLOAD',
    message: /VDD_CORE_V beside VDD_CORE_A/,
  });
  assert.ok(Math.abs(parsePmic(pmicText()).powerW - 7.24) < 1e-6);
  const root = tree(context, {
    'text-1': pmicText(),
    'text-2': pmicText(/VDD_CORE_/),
    'text-3': pmicText(/VDD_CORE_V/),
  });
  const command = join(root, 'vcgencmd');
  writeFileSync(
    command,
    `#!/bin/sh\nn=$(cat ${root}/n 2>/dev/null || echo 0); echo $((n + 1)) >${root}/n\ncat ${root}/text-$((n % 3 + 1))\n`,
  );
  chmodSync(command, 0o755);
  const source = await openPmic({ command, intervalS: 0.01 });
  const { trace, counts, firstLoss } = await recordSource(source, AbortSignal.timeout(1500));
  assert.ok(
    trace.value.every((powerW) => Math.abs(powerW - 7.24) < 1e-6),
    `${Math.min(...trace.value)} W`,
  );
  assert.ok(counts.lost >= 2);
  assert.match(firstLoss ?? '', /its 12 rails, got 11, apart in VDD_CORE/);
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
