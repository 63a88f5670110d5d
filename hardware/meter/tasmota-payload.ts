/**
 * What a Tasmota says of its sensors: over MQTT in `tele/<device>/SENSOR`, over HTTP and MQTT as the answer of `Status 8` (or
 * 10) under `StatusSNS`. ENERGY.Power in whole W unless WattRes is set, Total in kWh, both lists where there are several
 * channels; or an INA219's Power in W. Pure functions. Source: tasmota.github.io/docs, JSON status responses.
 */

import { JsonFields, WH_J, type MeterMessage } from './payload-fields.ts';

const json = new JsonFields('tasmota');

/**
 * One message; undefined where it has neither power nor energy, as that of any other sensor.
 * @throws HardwareError SOURCE_PAYLOAD
 */
export function tasmotaMessage(payload: string, channel: number | undefined): MeterMessage | undefined {
  const whole = json.parse(payload);
  const fields = json.object(whole, 'StatusSNS') ?? whole;
  const sensor = json.object(fields, 'ENERGY') ?? json.object(fields, 'INA219');
  if (sensor === undefined) return undefined;
  const powerW = json.ofChannel(sensor, 'Power', channel);
  // A device of several channels may count them together: of one of them the energy is not told then.
  const [power, total] = [sensor['Power'], sensor['Total']];
  const isSum = Array.isArray(power) && power.length > 1 && !Array.isArray(total);
  const energyKwh = isSum ? undefined : json.ofChannel(sensor, 'Total', Array.isArray(total) ? channel : undefined);
  if (powerW === undefined && energyKwh === undefined) return undefined;
  const local = typeof fields['Time'] === 'string' ? Date.parse(`${fields['Time']}Z`) : Number.NaN;
  return {
    powerW,
    energyJ: energyKwh === undefined ? undefined : energyKwh * 1000 * WH_J,
    stamp: Number.isNaN(local) ? undefined : local / 1e3,
  };
}
