import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { listSources } from '../../../hardware/meter/listing.ts';
import { recordSource } from '../../../hardware/meter/power-source.ts';
import { SOURCE_KINDS, checkSource, openSource, type MachinePlaces } from '../../../hardware/meter/sources.ts';

function machine(context: TestContext, files: Readonly<Record<string, string>> = {}): MachinePlaces {
  const root = mkdtempSync(join(tmpdir(), 'nebula-machine-'));
  context.after(() => rmSync(root, { recursive: true }));
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(join(root, path, '..'), { recursive: true });
    writeFileSync(join(root, path), `${content}\n`);
  }
  const at = (name: string): string => join(root, name);
  return {
    hwmon: at('hwmon'),
    powercap: at('powercap'),
    vcgencmd: at('vcgencmd'),
    devices: at('dev'),
    cpuInfo: at('cpuinfo'),
    scaphandre: at('scaphandre'),
  };
}

const BOARD = {
  'hwmon/hwmon1/name': 'ina3221',
  'hwmon/hwmon1/in1_label': 'VDD IN/5V',
  'hwmon/hwmon1/in1_input': '5000',
  'hwmon/hwmon1/curr1_input': '600',
  'powercap/intel-rapl:0/name': 'package-0',
  'powercap/intel-rapl:0/energy_uj': '900',
  'powercap/intel-rapl:0/max_energy_range_uj': '1000',
  'powercap/intel-rapl:0:0/name': 'core',
  'powercap/intel-rapl:0:0/energy_uj': '900',
  'powercap/intel-rapl:0:0/max_energy_range_uj': '1000',
  'dev/ttyACM0': '',
};

test('listSources() of a machine without meters says of each kind why there is none, and never a value', async (context) => {
  const listed = await listSources(machine(context));
  assert.deepEqual(
    listed.map(({ source, state }) => [source.replace(/[:?].*/, ''), state]),
    [
      ['hwmon', 'absent'],
      ['rapl', 'absent'],
      ['pmic', 'absent'],
      ['ppk2', 'absent'],
      ['shelly-http', 'elsewhere'],
      ['tasmota-http', 'elsewhere'],
      ['mqtt', 'elsewhere'],
      ['mqtts', 'elsewhere'],
      ['gude-http', 'elsewhere'],
      ['gude-modbus', 'elsewhere'],
      ['gude-snmp', 'elsewhere'],
      ['synthetic', 'present'],
    ],
  );
  for (const { state, properties, detail } of listed) {
    assert.equal(properties !== undefined, state === 'present');
    assert.ok(detail.length > 5);
  }
  assert.match(listed[0]?.detail ?? '', /no sensor of current at .*hwmon/);
  assert.match(listed[1]?.detail ?? '', /no RAPL zone at .*powercap/);
  assert.equal(listed.at(-1)?.properties?.synthetic, true);
});

test('listSources() gives texts that openSource() opens', async (context) => {
  const places = machine(context, BOARD);
  const listed = await listSources(places);
  const present = listed.filter(({ state }) => state === 'present').map(({ source }) => source);
  assert.deepEqual(present, ['hwmon:VDD%20IN%2F5V', 'rapl', 'rapl:core', 'synthetic']);
  for (const text of present) {
    const source = await openSource(text, places);
    await source.close();
  }
  const port = listed.find(({ kind }) => kind === 'ppk2');
  assert.equal(port?.state, 'elsewhere');
  assert.equal(port?.source, `ppk2:${join(places.devices, 'ttyACM0')}?vdd=VOLTS`);
});

test('listSources() tells a counter that may not be read from none', async (context) => {
  const places = machine(context, BOARD);
  rmSync(join(places.powercap, 'intel-rapl:0/energy_uj'));
  // Reading a folder fails for root too.
  mkdirSync(join(places.powercap, 'intel-rapl:0/energy_uj'));
  const rapl = (await listSources(places)).find(({ source }) => source === 'rapl');
  assert.equal(rapl?.state, 'denied');
  await assert.rejects(openSource('rapl', places), { key: 'SOURCE_DENIED' });
});

test('openSource() hands options on', async (context) => {
  const places = machine(context, BOARD);
  const source = await openSource('hwmon:VDD%20IN/5V?interval=0.02', places);
  assert.equal(source.properties.name, 'hwmon VDD IN/5V');
  const { trace } = await recordSource(source, AbortSignal.timeout(500));
  // A loaded machine reads later, never more often than it was told: 20 ms where the chip alone would be read each 10.
  for (let index = 1; index < trace.timeS.length; index++) {
    assert.ok((trace.timeS[index] as number) - (trace.timeS[index - 1] as number) > 0.012);
  }
  assert.equal(trace.value[0], 3);
  writeFileSync(places.vcgencmd, "#!/bin/sh\nprintf ' A_A current(1)=2.0A\\n A_V volt(2)=1.5V\\n'\n");
  chmodSync(places.vcgencmd, 0o755);
  assert.equal((await openSource('pmic', places)).properties.estimate, true);
  assert.equal((await openSource('rapl:core', places)).properties.name, 'RAPL core');
  await assert.rejects(openSource('rapl:dram', places), { key: 'NO_SOURCE' });
});

test('openSource() reaches meters by address', async (context) => {
  const fields = [{ name: 'Active Power', unit: 'W' }];
  const answer = JSON.stringify({ sensor_descr: [{ fields }], sensor_values: [{ values: [[{ v: 6 }], [{ v: 7 }]] }] });
  const server = createServer((_, response) => response.end(answer));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  context.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  const source = await openSource(`gude-http://127.0.0.1:${port}?line=1&interval=0.02`);
  assert.equal((await recordSource(source, AbortSignal.timeout(2000))).trace.value[0], 7);
});

const WRONG: readonly (readonly [string, RegExp])[] = [
  ['', /source "": expected one of hwmon\[:LABEL\], .*, got no kind/],
  ['watts', /got watts/],
  ['constructor', /got constructor/],
  ['hwmon?speed=3', /an option among interval, got speed/],
  ['hwmon?interval=0', /interval as a number above 0 of at most 3600, got 0/],
  ['hwmon?interval=1&interval=2', /interval once/],
  ['hwmon:%zz', /hexadecimal/],
  ['pmic:1', /no address, got 1/],
  ['ppk2:/dev/ttyACM0', /vdd=VOLTS, because it measures currents only, got none/],
  ['ppk2:/dev/ttyACM0?vdd=-5', /vdd as a number above 0/],
  ['ppk2?vdd=5', /the path of a serial port/],
  ['mqtt:broker', /no host/],
  ['mqtt://broker/a/b', /format=shelly\|tasmota/],
  ['mqtt://broker/a/b?format=other', /format among shelly/],
  ['mqtt://broker?format=shelly', /the topic as path, or device=NAME, got neither/],
  ['mqtt://broker/a?format=shelly&device=b', /got both/],
  ['mqtt://broker/a?format=shelly&channel=x', /channel as an integer/],
  ['mqtt://broker/a/status/switch:0?format=shelly&channel=1', /no channel: the topic names the component/],
  ['mqtt://broker/a/status/switch:0?format=shelly&component=em', /no component: the topic names the component/],
  ['mqtt://broker/shellies/+/status/switch:0?format=shelly', /one meter, without \+ and #/],
  ['mqtt://broker/tele/%2B/SENSOR?format=tasmota', /one meter, without \+ and #/],
  ['mqtt://broker/zigbee2mqtt/#?format=zigbee2mqtt', /one meter, without \+ and #/],
  ['mqtt://broker?format=tasmota&device=%2B', /one meter, without \+ and #/],
  ['mqtt://broker/zigbee2mqtt/a?format=zigbee2mqtt&channel=1', /no channel: its messages have one power/],
  ['mqtt://broker/tele/a/SENSOR?format=tasmota&component=em', /no component: only a Shelly/],
  ['mqtt://broker/zwave/3/50/1/value/66049?format=zwave&channel=1', /no channel: the topic names the endpoint/],
  ['mqtt://broker/zwave/3/50/1/value/66049?format=zwave&quantity=energy', /no quantity: the topic is that of 66049/],
  ['mqtt://broker?format=gude&device=a&quantity=energy', /no quantity/],
  ['shelly-http://plug/rpc', /a host and no path/],
  ['shelly-http://u:p@plug', /no account/],
  ['tasmota-http://plug?component=em1', /an option among channel, quantity, interval, got component/],
  ['rapl:core?dram=inside', /dram for the whole machine only/],
  ['rapl?dram=outside', /dram among beside, inside/],
  ['gude-http://host/path', /a host and no path, got \/path/],
  ['gude-modbus://host?registers=coils', /registers among input, holding/],
  ['gude-snmp://host?model=1', /model among 1105/],
  ['synthetic?idle=', /idle as a number .*got none/],
];

test('openSource() and checkSource() refuse texts that name no source, before anything is opened', async () => {
  for (const [text, message] of WRONG) {
    await assert.rejects(openSource(text), { key: 'ARGUMENT', message }, text);
    assert.throws(() => checkSource(text), { key: 'ARGUMENT', message }, text);
  }
  for (const { form } of Object.values(SOURCE_KINDS)) assert.ok(form.length > 0);
  checkSource('mqtt://user:pass@broker:1884/shellies/plug/status/switch:0?format=shelly&quantity=energy');
});

test('openSource() tells no password', async () => {
  const text = 'mqtt://user:hunter2@broker/a?format=other';
  await assert.rejects(openSource(text), (error: Error) => !error.message.includes('hunter2'));
  await assert.rejects(openSource('gude-snmp://h?community=hunter2&model=1'), (error: Error) => {
    return error.message.includes('community=***') && !error.message.includes('hunter2');
  });
  await assert.rejects(openSource('mqtt://user:hunter2@127.0.0.1:1/a?format=shelly'), (error: Error) => {
    return error.message.includes('Cannot reach') && !error.message.includes('hunter2');
  });
});

test('openSource("synthetic") is stamped, keeps its grid of times and renews its value at its refresh', async () => {
  const source = await openSource('synthetic?idle=3&noise=0.5&rate=200&refresh=0.1&step=0.25&seed=7');
  const { trace, properties } = await recordSource(source, AbortSignal.timeout(1050));
  assert.equal(trace.synthetic && properties.synthetic, true);
  assert.deepEqual([trace.refreshS, trace.resolution], [0.1, 0.25]);
  assert.ok(trace.timeS.length > 150, `${trace.timeS.length} readings`);
  for (let index = 1; index < trace.timeS.length; index++) {
    assert.ok(Math.abs((trace.timeS[index] as number) - (trace.timeS[index - 1] as number) - 0.005) < 1e-6);
  }
  const values = [...trace.value];
  const changes = values.filter((value, index) => index > 0 && value !== values[index - 1]).length;
  assert.ok(changes >= 4 && changes <= 10, `${changes} changes`);
  assert.ok(values.every((value) => Math.abs(value / 0.25 - Math.round(value / 0.25)) < 1e-9));
});

test('openSource("synthetic") follows the load of the machine', async () => {
  const source = await openSource('synthetic?idle=1&busy=10&noise=0&rate=100');
  const stop = new AbortController();
  const recorded = recordSource(source, stop.signal);
  const until = Date.now() + 600;
  while (Date.now() < until) {
    for (let spin = 0; spin < 1e6; spin++) Math.sqrt(spin);
    await new Promise((resolve) => setImmediate(resolve));
  }
  stop.abort();
  const { trace } = await recorded;
  const most = Math.max(...trace.value);
  assert.ok(most > 2 && most <= 11, `${most} W`);
});
