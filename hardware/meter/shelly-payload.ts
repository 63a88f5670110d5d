/**
 * What a Shelly of the second generation and later says of its components: over MQTT in status topics and events, over HTTP as
 * answers of its RPC. Switches, PM1, covers and lights have `apower` and `aenergy.total`; EM1 has `act_power`, EM
 * `total_act_power`, and their energies are those of EM1Data and EMData. W and Wh. Pure functions.
 * Source: shelly-api-docs.shelly.cloud/gen2, ComponentsAndServices.
 */

import { JsonFields, WH_J, type Fields, type MeterMessage } from './payload-fields.ts';

/** Kinds of components that measure, each with its method of the RPC and where its counter is. */
const COMPONENTS = {
  switch: { method: 'Switch', counter: 'switch' },
  pm1: { method: 'PM1', counter: 'pm1' },
  em1: { method: 'EM1', counter: 'em1data' },
  em: { method: 'EM', counter: 'emdata' },
  cover: { method: 'Cover', counter: 'cover' },
  light: { method: 'Light', counter: 'light' },
} as const;

/** A kind of component that measures power. */
export type ShellyComponent = keyof typeof COMPONENTS;

/** The kinds by name. */
export const SHELLY_COMPONENTS: readonly ShellyComponent[] = Object.keys(COMPONENTS) as ShellyComponent[];

const METHODS = { em1data: 'EM1Data', emdata: 'EMData' } as const;

/** The method and key of what has a component's power or energy: `Switch`, `switch:0`. */
export function shellyPart(
  component: ShellyComponent,
  channel: number,
  quantity: 'power' | 'energy',
): { readonly method: string; readonly key: string } {
  const { method, counter } = COMPONENTS[component];
  if (quantity === 'power' || counter === component) return { method, key: `${component}:${channel}` };
  return { method: METHODS[counter as keyof typeof METHODS], key: `${counter}:${channel}` };
}

const json = new JsonFields('shelly');

/** Power and energy out of a component's status, complete or what changed of it. @throws HardwareError SOURCE_PAYLOAD */
export function shellyStatus(status: Fields): MeterMessage {
  const powerW =
    json.number(status, 'apower') ?? json.number(status, 'act_power') ?? json.number(status, 'total_act_power');
  const counted = json.object(status, 'aenergy');
  const energyWh =
    (counted === undefined ? undefined : json.number(counted, 'total')) ??
    json.number(status, 'total_act_energy') ??
    json.number(status, 'total_act');
  return { powerW, energyJ: energyWh === undefined ? undefined : energyWh * WH_J, stamp: undefined };
}

/** The components that have a power, out of the answer of `Shelly.GetStatus`: `switch:0`. @throws HardwareError SOURCE_PAYLOAD */
export function shellyMeters(text: string): string[] {
  const pattern = new RegExp(`^(${SHELLY_COMPONENTS.join('|')}):\\d+$`);
  return Object.entries(json.parse(text))
    .filter(([key, status]) => pattern.test(key) && typeof status === 'object' && status !== null)
    .filter(([, status]) => shellyStatus(status as Fields).powerW !== undefined)
    .map(([key]) => key);
}

/** `<prefix>/status/switch:0`, complete. Undefined for a component or a message without power and energy. */
export function shellyTopic(topic: string, payload: string): MeterMessage | undefined {
  const kind = /\/status\/([a-z0-9]+):\d+$/.exec(topic)?.[1];
  if (kind === undefined || !(kind in COMPONENTS || kind in METHODS)) return undefined;
  return shellyStatus(json.parse(payload));
}

/** `<prefix>/events/rpc`: the time of the device, and of each component what changed. */
export function shellyEvent(payload: string, component: ShellyComponent, channel: number): MeterMessage | undefined {
  const event = json.parse(payload);
  const params = json.object(event, 'params');
  if (event['method'] !== 'NotifyStatus' || params === undefined) return undefined;
  const parts = [...new Set((['power', 'energy'] as const).map((each) => shellyPart(component, channel, each).key))];
  const found = parts.flatMap((key) => json.object(params, key) ?? []);
  if (found.length === 0) return undefined;
  return { ...shellyStatus(Object.assign({}, ...found) as Fields), stamp: json.number(params, 'ts') };
}
