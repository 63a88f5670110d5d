/** One message of each MQTT format as its maker documents it. */

export interface DocumentedMessage {
  readonly format: string;
  readonly device: string;
  readonly topic: string;
  readonly payload: string;
  readonly powerW: number;
  readonly energyJ: number | undefined;
  /** The same message with another power, sent later. */
  readonly next: (powerW: number, step: number) => string;
}

function changed(payload: string, change: (fields: Record<string, unknown>) => void): string {
  const fields = JSON.parse(payload) as Record<string, unknown>;
  change(fields);
  return JSON.stringify(fields);
}

const SHELLY =
  '{"id":0,"source":"HTTP_in","output":true,"apower":25.7,"voltage":239.7,"freq":50.2,"current":0.188,"aenergy":{"total":913.252,"by_minute":[404.631,404.631,404.631],"minute_ts":1782936360},"temperature":{"tC":68.1,"tF":154.6}}';
const TASMOTA =
  '{"Time":"2021-01-01T12:00:00","ENERGY":{"TotalStartTime":"2020-01-01T00:00:00","Total":0.003,"Yesterday":0.000,"Today":0.003,"Period":0,"Power":22,"ApparentPower":24,"ReactivePower":11,"Factor":0.90,"Voltage":246,"Current":0.098}}';
const ZIGBEE =
  '{"current":11.12,"energy":10.48,"last_seen":"2024-01-01T00:00:00.000Z","linkquality":39,"power":2441,"state":"ON","voltage":223}';
const ZWAVE = '{"time":1548683523859,"value":10}';
const GUDE =
  '{"type":"telemetry","portstates":[{"port":"1","name":"Power Port","state":1}],"line_in":[{"voltage":230,"current":0.03,"freq":50,"phase":1,"act_pow":4,"react_pow":1,"app_pow":5,"pow_fact":0.8,"tot_energy":12,"res_energy":2,"res_time":9}],"ts":1632}';

export const MESSAGES: readonly DocumentedMessage[] = [
  {
    format: 'shelly',
    device: 'plug',
    topic: 'plug/status/switch:0',
    payload: SHELLY,
    powerW: 25.7,
    energyJ: 913.252 * 3600,
    next: (powerW) => changed(SHELLY, (fields) => (fields['apower'] = powerW)),
  },
  {
    format: 'tasmota',
    device: 'plug',
    topic: 'tele/plug/SENSOR',
    payload: TASMOTA,
    powerW: 22,
    energyJ: 0.003 * 3.6e6,
    next: (powerW, step) =>
      changed(TASMOTA, (fields) => {
        fields['Time'] = `2021-01-01T12:00:${String(10 + step)}`;
        (fields['ENERGY'] as Record<string, unknown>)['Power'] = powerW;
      }),
  },
  {
    format: 'zigbee2mqtt',
    device: 'plug',
    topic: 'zigbee2mqtt/plug',
    payload: ZIGBEE,
    powerW: 2441,
    energyJ: 10.48 * 3.6e6,
    next: (powerW, step) =>
      changed(ZIGBEE, (fields) => {
        fields['power'] = powerW;
        fields['last_seen'] = `2024-01-01T00:00:${String(10 + step)}.000Z`;
      }),
  },
  {
    format: 'zwave',
    device: 'Power/plug',
    topic: 'zwave/Power/plug/meter/endpoint_0/value/66049',
    payload: ZWAVE,
    powerW: 10,
    energyJ: undefined,
    next: (powerW, step) => JSON.stringify({ time: 1_548_683_523_859 + 1000 * step, value: powerW }),
  },
  {
    format: 'gude',
    device: 'meter',
    topic: 'de/gudesystems/epc/meter/device/telemetry',
    payload: GUDE,
    powerW: 4,
    energyJ: undefined,
    next: (powerW, step) =>
      changed(GUDE, (fields) => {
        (fields['line_in'] as Record<string, unknown>[])[0]!['act_pow'] = powerW;
        fields['ts'] = 1632 + step;
      }),
  },
];
