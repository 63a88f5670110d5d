/** Plugs over HTTP against real servers on loopback that answer as their makers document it; no plug. */

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test, type TestContext } from 'node:test';
import type { PowerSource } from '../../../hardware/meter/power-source.ts';
import { openSource } from '../../../hardware/meter/sources.ts';

/** The next values, however long a loaded machine takes for them, and what was lost between them. */
async function read(source: PowerSource, count = 1): Promise<{ values: number[]; lost: string[] }> {
  const values: number[] = [];
  const lost: string[] = [];
  for await (const reading of source.readings(AbortSignal.timeout(30_000))) {
    if (reading.kind === 'value') values.push(reading.value);
    else lost.push(reading.detail);
    if (values.length === count) break;
  }
  await source.close();
  return { values, lost };
}

type Answers = Readonly<Record<string, (call: number) => string | number>>;

/** Serves answers by path and query; a number is a status. Resolves to the host and port, and what was asked. */
async function serve(context: TestContext, answers: Answers): Promise<{ at: string; asked: string[] }> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const url = request.url ?? '';
    asked.push(url);
    const answer = answers[url]?.(asked.filter((each) => each === url).length) ?? 404;
    if (typeof answer === 'number') response.statusCode = answer;
    response.end(typeof answer === 'number' ? 'no' : answer);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  context.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { at: `127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

function shellySwitch(apower: number, id = 0): string {
  return `{"id":${id},"source":"init","output":true,"apower":${apower},"voltage":239.7,"freq":50.2,"current":0.188,"aenergy":{"total":913.252,"by_minute":[404.631,404.631,404.631],"minute_ts":1782936360},"ret_aenergy":{"total":0.000,"by_minute":[0,0,0],"minute_ts":1782936360},"temperature":{"tC":68.1,"tF":154.6}}`;
}

const SYS = '"sys":{"mac":"A8032ABE54DC","unixtime":1654511972,"uptime":2},"wifi":{"sta_ip":"192.168.33.1","rssi":-60}';

test('openSource(shelly-http) asks the one switch that measures, and loses an answer that fails', async (context) => {
  const { at, asked } = await serve(context, {
    '/rpc/Shelly.GetStatus': () => `{${SYS},"switch:0":${shellySwitch(25.7)}}`,
    '/rpc/Switch.GetStatus?id=0': (call) => (call === 3 ? 500 : shellySwitch(call < 3 ? 25.7 : 26.1)),
  });
  const source = await openSource(`shelly-http://${at}?interval=0.02`);
  assert.deepEqual(
    [source.properties.name, source.properties.rule, source.properties.refreshS, source.properties.advice],
    [`Shelly switch:0 http://${at}`, 'average', 1, undefined],
  );
  assert.deepEqual(await read(source, 3), { values: [25.7, 26.1, 26.1], lost: ['status 500'] });
  assert.ok(asked.slice(1).every((url) => url === '/rpc/Switch.GetStatus?id=0'));
});

test('openSource(shelly-http) takes no first one of several, and reads the one that is named', async (context) => {
  const { at } = await serve(context, {
    '/rpc/Shelly.GetStatus': () => `{${SYS},"switch:0":${shellySwitch(25.7)},"switch:1":${shellySwitch(3.2, 1)}}`,
    '/rpc/Switch.GetStatus?id=1': () => shellySwitch(3.2, 1),
  });
  await assert.rejects(openSource(`shelly-http://${at}`), { key: 'ARGUMENT', message: /switch:0, switch:1/ });
  await assert.rejects(openSource(`shelly-http://${at}?channel=2`), { key: 'ARGUMENT', message: /none of them/ });
  await assert.rejects(openSource(`shelly-http://${at}?component=em1`), { key: 'ARGUMENT' });
  const source = await openSource(`shelly-http://${at}?channel=1&interval=0.02`);
  assert.deepEqual((await read(source)).values, [3.2]);
});

test('openSource(shelly-http) reads EM, EM1 and PM1, and their energies where they are', async (context) => {
  const em1 = '{"id":0,"current":0.08,"voltage":234.9,"act_power":1.5,"aprt_power":18.7,"pf":0.1,"freq":50}';
  const em =
    '{"id":0,"a_act_power":1,"b_act_power":2,"c_act_power":3,"total_current":1,"total_act_power":6,"total_aprt_power":9}';
  const pm1 = '{"id":0,"voltage":228.9,"current":0.02,"apower":3.4,"freq":50,"aenergy":{"total":12.5}}';
  const { at } = await serve(context, {
    '/rpc/Shelly.GetStatus': () => `{${SYS},"em1:0":${em1},"em:0":${em},"pm1:0":${pm1},"em1data:0":{"id":0}}`,
    '/rpc/EM1.GetStatus?id=0': () => em1,
    '/rpc/EM1Data.GetStatus?id=0': () => '{"id":0,"total_act_energy":2776.5,"total_act_ret_energy":0}',
    '/rpc/EM.GetStatus?id=0': () => em,
    '/rpc/EMData.GetStatus?id=0': () => '{"id":0,"a_total_act_energy":1000,"total_act":6000,"total_act_ret":60}',
    '/rpc/PM1.GetStatus?id=0': () => pm1,
  });
  for (const [component, powerW, energyWh] of [
    ['em1', 1.5, 2776.5],
    ['em', 6, 6000],
    ['pm1', 3.4, 12.5],
  ] as const) {
    const power = await openSource(`shelly-http://${at}?component=${component}&interval=0.02`);
    assert.deepEqual((await read(power)).values, [powerW]);
    const energy = await openSource(`shelly-http://${at}?component=${component}&quantity=energy&interval=0.02`);
    assert.deepEqual([energy.properties.rule, energy.properties.resolution], ['counter', 3.6]);
    assert.deepEqual((await read(energy)).values, [energyWh * 3600]);
  }
});

test('openSource(shelly-http) says that nothing measures, that it is asked for a password, and that nobody is there', async (context) => {
  const { at } = await serve(context, { '/rpc/Shelly.GetStatus': () => `{${SYS},"switch:0":{"id":0,"output":true}}` });
  await assert.rejects(openSource(`shelly-http://${at}`), { key: 'ARGUMENT', message: /none measures/ });
  const locked = await serve(context, { '/rpc/Shelly.GetStatus': () => 401 });
  await assert.rejects(openSource(`shelly-http://${locked.at}`), { key: 'SOURCE_DENIED', message: /password/ });
  await assert.rejects(openSource('shelly-http://127.0.0.1:1'), { key: 'SOURCE_UNREACHABLE' });
});

function statusSns(power: string): string {
  return `{"StatusSNS":{"Time":"2019-09-06T20:06:19","ENERGY":{"TotalStartTime":"2019-08-18T11:07:55","Total":0.003,"Yesterday":0.000,"Today":0.003,"Power":${power},"ApparentPower":25,"ReactivePower":25,"Factor":0.06,"Voltage":239,"Current":0.106}}}`;
}

test('openSource(tasmota-http) asks for Status 8, with an account where one is given', async (context) => {
  const { at } = await serve(context, {
    '/cm?cmnd=Status%208': () => statusSns('26'),
    '/cm?user=admin&password=p%20w&cmnd=Status%208': () => statusSns('27'),
  });
  const source = await openSource(`tasmota-http://${at}?interval=0.02`);
  assert.deepEqual([source.properties.resolution, source.properties.refreshS], [1, 1]);
  assert.deepEqual((await read(source)).values, [26]);
  const locked = await openSource(`tasmota-http://admin:p%20w@${at}?interval=0.02`);
  assert.ok(!locked.properties.name.includes('p w') && !locked.properties.name.includes('p%20w'));
  assert.deepEqual((await read(locked)).values, [27]);
});

test('openSource(tasmota-http) takes no first one of several channels', async (context) => {
  const { at } = await serve(context, { '/cm?cmnd=Status%208': () => statusSns('[26,4]') });
  await assert.rejects(openSource(`tasmota-http://${at}`), { key: 'SOURCE_PAYLOAD', message: /channel=0 \.\. 1/ });
  const source = await openSource(`tasmota-http://${at}?channel=1&interval=0.02`);
  assert.deepEqual((await read(source)).values, [4]);
  const bare = await serve(context, { '/cm?cmnd=Status%208': () => '{"StatusSNS":{"Time":"2019-09-06T20:06:19"}}' });
  await assert.rejects(openSource(`tasmota-http://${bare.at}`), { key: 'SOURCE_PAYLOAD', message: /a power/ });
});

test('openSource(tasmota-http) tells no energy of a channel that is counted with others', async (context) => {
  const { at } = await serve(context, { '/cm?cmnd=Status%208': () => statusSns('[26,4]') });
  const source = `tasmota-http://${at}?channel=1&quantity=energy`;
  await assert.rejects(openSource(source), { key: 'SOURCE_PAYLOAD', message: /an energy/ });
});
