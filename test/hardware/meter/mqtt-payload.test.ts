import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { HardwareError } from '../../../hardware/instrument/errors.ts';
import { MQTT_FORMATS } from '../../../hardware/meter/mqtt-payload.ts';
import type { MeterMessage } from '../../../hardware/meter/payload-fields.ts';
import { shellyMeters, type ShellyComponent } from '../../../hardware/meter/shelly-payload.ts';
import { MESSAGES } from './mqtt-messages.ts';

function parse(
  format: string,
  topic: string,
  payload: string,
  channel?: number,
  component?: ShellyComponent,
): MeterMessage | undefined {
  const found = MQTT_FORMATS.get(format);
  assert.ok(found !== undefined);
  return found.parse(topic, payload, channel, component);
}

for (const { format, topic, payload, powerW, energyJ } of MESSAGES) {
  test(`MQTT_FORMATS ${format} reads ${topic}`, () => {
    const message = parse(format, topic, payload);
    assert.equal(message?.powerW, powerW);
    if (energyJ === undefined) assert.equal(message?.energyJ, undefined);
    else assert.ok(Math.abs((message?.energyJ ?? Number.NaN) - energyJ) < 1e-6 * energyJ);
  });
}

test('MQTT_FORMATS tasmota takes one channel of a list, and a board sensor', () => {
  const list = '{"Time":"2021-01-01T12:00:00","ENERGY":{"Total":[1,2],"Power":[22,7]}}';
  assert.equal(parse('tasmota', 'tele/a/SENSOR', list, 1)?.powerW, 7);
  assert.throws(() => parse('tasmota', 'tele/a/SENSOR', list, 2), { key: 'SOURCE_PAYLOAD' });
  const board = '{"Time":"2021-01-01T12:00:00","INA219":{"Voltage":4.494,"Current":0.020,"Power":0.089}}';
  assert.equal(parse('tasmota', 'tele/a/SENSOR', board)?.powerW, 0.089);
});

test('MQTT_FORMATS zwave reads a ValueId, a bare value and energy', () => {
  const topic = 'zwave/Power/plug/meter/endpoint_0/value/66049';
  assert.equal(parse('zwave', topic, '12.5')?.powerW, 12.5);
  assert.equal(parse('zwave', topic, '{"id":"3-50-0-value-66049","value":9,"unit":"W"}')?.powerW, 9);
  assert.equal(parse('zwave', 'zwave/3/50/0/value/65537', '{"time":1,"value":2}')?.energyJ, 7_200_000);
  assert.equal(parse('zwave', 'zwave/3/50/0/value/66561', '230'), undefined);
});

test('MQTT_FORMATS pass over messages of another kind', () => {
  assert.equal(parse('shelly', 'shelly/online', 'true'), undefined);
  assert.equal(parse('tasmota', 'tele/a/STATE', '{}'), undefined);
  for (const other of [
    '{"Time":"2021-01-01T12:00:00","SI7021":{"Temperature":21.8}}',
    '{"Time":"2021-01-01T12:00:00","Switch1":"OFF"}',
  ]) {
    assert.equal(parse('tasmota', 'tele/a/SENSOR', other), undefined);
  }
  assert.equal(parse('zigbee2mqtt', 'zigbee2mqtt/a', '{"linkquality":39,"state":"ON","power":null}'), undefined);
  assert.equal(parse('shelly', 'plug/status/wifi', '{"rssi":-60}'), undefined);
  assert.equal(parse('shelly', 'plug/status/input:0', '{"id":0,"state":false}'), undefined);
  assert.equal(parse('shelly', 'plug/status/switch:0', '{"id":0,"output":true}'), undefined);
  assert.equal(parse('zigbee2mqtt', 'zigbee2mqtt/a/availability', '{"state":"online"}'), undefined);
  assert.equal(parse('gude', 'de/gudesystems/epc/a/switch/2', '{"type":"portswitch"}'), undefined);
});

test('MQTT_FORMATS refuse with a typed error and never give a value that is no number', () => {
  const payload = fc.oneof(
    fc.string(),
    fc.json(),
    fc.constantFrom(
      '{"apower":"25"}',
      '{"ENERGY":1}',
      '{"ENERGY":{"Power":null}}',
      '{"power":[]}',
      '{"value":true}',
      '{}',
      'null',
    ),
  );
  fc.assert(
    fc.property(fc.constantFrom(...MESSAGES), payload, ({ format, topic }, text) => {
      try {
        const message = parse(format, topic, text);
        for (const value of [message?.powerW, message?.energyJ])
          assert.ok(value === undefined || Number.isFinite(value));
      } catch (error) {
        assert.ok(error instanceof HardwareError && error.key === 'SOURCE_PAYLOAD', String(error));
      }
    }),
    { numRuns: 300 },
  );
});

function event(params: object, method = 'NotifyStatus'): string {
  return JSON.stringify({ src: 'plug', method, params });
}

function read(payload: string): MeterMessage | undefined {
  return parse('shelly', 'plug/events/rpc', payload);
}

test('MQTT_FORMATS shelly reads what changed out of an event, with the time of the device', () => {
  const full = read(event({ ts: 1_700_000_000.25, 'switch:0': { id: 0, apower: 12.5, aenergy: { total: 2 } } }));
  assert.deepEqual(full, { powerW: 12.5, energyJ: 7200, stamp: 1_700_000_000.25 });
  assert.equal(read(event({ ts: 1, 'switch:0': { id: 0, voltage: 230 } }))?.powerW, undefined);
  assert.equal(read(event({ ts: 1, 'switch:1': { apower: 1 } })), undefined);
  assert.equal(read(event({ ts: 1, 'switch:0': { apower: 1 } }, 'NotifyEvent')), undefined);
  assert.throws(() => read(event({ ts: 1, 'switch:0': { apower: 'much' } })), { key: 'SOURCE_PAYLOAD' });
  assert.throws(() => read('{'), { key: 'SOURCE_PAYLOAD' });
});

const EM1 =
  '{"id":0,"current":2.598,"voltage":234.9,"act_power":501.8,"aprt_power":612.4,"pf":0.84,"freq":50,"calibration":"factory"}';
const EM =
  '{"id":0,"a_current":1.1,"a_voltage":231.2,"a_act_power":253.0,"b_act_power":510.0,"c_act_power":770.0,"n_current":null,"total_current":6.6,"total_act_power":1533.0,"total_aprt_power":1536.0}';
const PM1 =
  '{"id":0,"voltage":228.9,"current":0.02,"apower":3.4,"freq":50,"aenergy":{"total":12.5,"by_minute":[0,0,0],"minute_ts":1700000000},"ret_aenergy":{"total":0}}';

test('MQTT_FORMATS shelly reads the topics and events of EM, EM1 and PM1', () => {
  assert.equal(parse('shelly', 'a/status/em1:0', EM1)?.powerW, 501.8);
  assert.equal(parse('shelly', 'a/status/em:0', EM)?.powerW, 1533);
  assert.deepEqual(parse('shelly', 'a/status/pm1:0', PM1), { powerW: 3.4, energyJ: 45_000, stamp: undefined });
  assert.equal(
    parse('shelly', 'a/status/em1data:0', '{"id":0,"total_act_energy":2.5,"total_act_ret_energy":0}')?.energyJ,
    9000,
  );
  assert.equal(
    parse('shelly', 'a/status/emdata:0', '{"id":0,"a_total_act_energy":1,"total_act":3,"total_act_ret":0}')?.energyJ,
    10_800,
  );
  const status = event({ ts: 1788820998.37, 'em1:0': { id: 0, act_power: 10 }, 'em1:1': { id: 1, act_power: 20 } });
  const topic = 'shellyemg3-dcb4d9c564f4/events/rpc';
  assert.deepEqual(parse('shelly', topic, status, 1, 'em1'), { powerW: 20, energyJ: undefined, stamp: 1788820998.37 });
  assert.equal(parse('shelly', topic, status, 0, 'em1')?.powerW, 10);
  assert.equal(parse('shelly', topic, status), undefined);
  const three = event({ ts: 1, 'em:0': { id: 0, total_act_power: 30 }, 'emdata:0': { id: 0, total_act: 2 } });
  assert.deepEqual(parse('shelly', topic, three, 0, 'em'), { powerW: 30, energyJ: 7200, stamp: 1 });
  assert.equal(parse('shelly', topic, event({ ts: 1, 'pm1:0': { id: 0, apower: 4 } }), 0, 'pm1')?.powerW, 4);
});

test('shellyMeters() lists what measures out of the whole status', () => {
  const whole = `{"sys":{"uptime":9},"em1:0":${EM1},"em1:1":${EM1},"em1data:0":{"total_act_energy":1},"switch:0":{"id":0,"output":false}}`;
  assert.deepEqual(shellyMeters(whole), ['em1:0', 'em1:1']);
});

test('MQTT_FORMATS take no first one of several', () => {
  const list = '{"Time":"2021-01-01T12:00:00","ENERGY":{"Total":3,"Power":[22,7]}}';
  assert.throws(() => parse('tasmota', 'tele/a/SENSOR', list), { key: 'SOURCE_PAYLOAD', message: /channel=0 \.\. 1/ });
  const { powerW, energyJ } = parse('tasmota', 'tele/a/SENSOR', list, 1) ?? {};
  // Of one channel the energy of all is not told.
  assert.deepEqual([powerW, energyJ], [7, undefined]);
  const counted = '{"Time":"2021-01-01T12:00:00","ENERGY":{"Total":[1,2],"Power":[22,7]}}';
  assert.equal(parse('tasmota', 'tele/a/SENSOR', counted, 1)?.energyJ, 7_200_000);
  const one = '{"Time":"2021-01-01T12:00:00","ENERGY":{"Total":3,"Power":22}}';
  assert.throws(() => parse('tasmota', 'tele/a/SENSOR', one, 1), { key: 'SOURCE_PAYLOAD' });
  const lines = '{"type":"telemetry","line_in":[{"act_pow":4},{"act_pow":5}],"ts":1}';
  assert.throws(() => parse('gude', 'de/gudesystems/epc/a/device/telemetry', lines), { key: 'SOURCE_PAYLOAD' });
  assert.equal(parse('gude', 'de/gudesystems/epc/a/device/telemetry', lines, 1)?.powerW, 5);
});

test('MQTT_FORMATS tasmota reads the answer of Status 8', () => {
  const answer =
    '{"StatusSNS":{"Time":"2019-09-06T20:06:19","ENERGY":{"TotalStartTime":"2019-08-18T11:07:55","Total":0.003,"Power":26,"Voltage":239}}}';
  assert.equal(parse('tasmota', 'stat/a/STATUS8', answer)?.powerW, 26);
  assert.equal(parse('tasmota', 'stat/a/STATUS10', answer)?.energyJ, 10_800);
});
