import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { HardwareError } from '../../../hardware/instrument/errors.ts';
import { MQTT_FORMATS, type MeterMessage } from '../../../hardware/meter/mqtt-payload.ts';
import { MESSAGES } from './mqtt-messages.ts';

function parse(format: string, topic: string, payload: string, channel = 0): MeterMessage | undefined {
  const found = MQTT_FORMATS.get(format);
  assert.ok(found !== undefined);
  return found.parse(topic, payload, channel);
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
