/**
 * Plugs and clamps that are asked over HTTP once a second: Shellies of the second generation and later by their RPC, Tasmotas
 * by `Status 8`. Asked, they tell the value of now; by themselves they report changes or every some minutes.
 */

import { HardwareError, detailOf } from '../instrument/errors.ts';
import { openAsked } from './asked-source.ts';
import { askHttp } from './http-answer.ts';
import { JsonFields, type MeterMessage } from './payload-fields.ts';
import type { PowerSource } from './power-source.ts';
import { SHELLY_COMPONENTS, shellyMeters, shellyPart, shellyStatus, type ShellyComponent } from './shelly-payload.ts';
import { tasmotaMessage } from './tasmota-payload.ts';

/** Where a plug is and what of it is wanted. */
export interface PlugOptions {
  readonly host: string;
  readonly port?: number;
  readonly quantity?: 'power' | 'energy';
  /** Which of several components or channels, from 0; default the only one. */
  readonly channel?: number;
  /** Kind of component, of a Shelly; default the only one that measures. */
  readonly component?: ShellyComponent;
  /** Time between readings, in seconds; default 1. */
  readonly intervalS?: number;
  /** Of a Tasmota with a web password. */
  readonly username?: string;
  readonly password?: string;
}

/** Both renew their values once a second, as means of about that time. */
const REFRESH_S = 1;
const STEPS = { shelly: { W: 0.1, J: 3.6 }, tasmota: { W: 1, J: 3600 } } as const;

function baseOf({ host, port = 80 }: PlugOptions): string {
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

async function get(source: string, url: string): Promise<string> {
  const { status, text } = await askHttp(source, url);
  if (status === 401) {
    const fields = { source, path: new URL(url).origin, detail: 'it asks for a password' };
    throw new HardwareError('SOURCE_DENIED', fields);
  }
  if (status !== 200) throw new Error(`status ${status}`);
  return text;
}

function valueOf(
  source: string,
  quantity: 'power' | 'energy',
  message: MeterMessage | undefined,
  text: string,
): number {
  const value = quantity === 'energy' ? message?.energyJ : message?.powerW;
  if (value !== undefined) return value;
  throw new HardwareError('SOURCE_PAYLOAD', {
    source,
    expected: quantity === 'energy' ? 'an energy' : 'a power',
    got: text.slice(0, 120),
  });
}

function known(maker: keyof typeof STEPS, quantity: 'power' | 'energy') {
  return quantity === 'energy'
    ? ({ rule: 'counter', refreshS: REFRESH_S, resolution: STEPS[maker].J } as const)
    : ({ rule: 'average', refreshS: REFRESH_S, lagS: REFRESH_S, resolution: STEPS[maker].W } as const);
}

/** Which component is asked: the one that is named, or the only one that measures. */
async function shellyComponent(options: PlugOptions): Promise<readonly [ShellyComponent, number]> {
  const name = 'Shelly';
  const meters = shellyMeters(await get(name, `${baseOf(options)}/rpc/Shelly.GetStatus`));
  const { component, channel } = options;
  const fitting = meters.filter((key) => {
    const [kind, id] = key.split(':');
    return (component === undefined || kind === component) && (channel === undefined || Number(id) === channel);
  });
  const [key = '', second] = fitting;
  if (second !== undefined || key === '') {
    const expected = `component=${SHELLY_COMPONENTS.join('|')} and channel=NUMBER of one of ${meters.join(', ') || 'its components, of which none measures'}`;
    throw new HardwareError('ARGUMENT', {
      what: name,
      expected,
      got: fitting.length === 0 ? 'none of them' : 'several',
    });
  }
  const [kind, id] = key.split(':');
  return [kind as ShellyComponent, Number(id)];
}

/**
 * Opens a Shelly by its RPC. A device that asks for a password is refused: its digest authentication is not supported.
 * @throws HardwareError ARGUMENT where several components measure and none is named, SOURCE_UNREACHABLE, SOURCE_DENIED, SOURCE_PAYLOAD
 */
export async function openShellyHttp(options: PlugOptions): Promise<PowerSource> {
  const { quantity = 'power' } = options;
  const base = baseOf(options);
  let chosen: readonly [ShellyComponent, number];
  try {
    chosen = await shellyComponent(options);
  } catch (error) {
    if (error instanceof HardwareError) throw error;
    throw new HardwareError(
      'SOURCE_UNREACHABLE',
      { source: 'Shelly', address: base, detail: detailOf(error) },
      { cause: error },
    );
  }
  const [component, channel] = chosen;
  const { method, key } = shellyPart(component, channel, quantity);
  const url = `${base}/rpc/${method}.GetStatus?id=${channel}`;
  const json = new JsonFields('Shelly');
  return openAsked(
    {
      name: `Shelly ${key}`,
      address: base,
      async read() {
        const text = await get('Shelly', url);
        return valueOf('Shelly', quantity, shellyStatus(json.parse(text)), text);
      },
      close: () => Promise.resolve(),
    },
    known('shelly', quantity),
    options.intervalS,
  );
}

/** @throws HardwareError SOURCE_UNREACHABLE, SOURCE_DENIED, SOURCE_PAYLOAD */
export function openTasmotaHttp(options: PlugOptions): Promise<PowerSource> {
  const { quantity = 'power', username, password } = options;
  const base = baseOf(options);
  const query = new URLSearchParams();
  if (password !== undefined) {
    query.set('user', username ?? 'admin');
    query.set('password', password);
  }
  query.set('cmnd', 'Status 8');
  const url = `${base}/cm?${query.toString().replaceAll('+', '%20')}`;
  return openAsked(
    {
      name: 'Tasmota',
      address: base,
      async read() {
        const text = await get('Tasmota', url);
        return valueOf('Tasmota', quantity, tasmotaMessage(text, options.channel), text);
      },
      close: () => Promise.resolve(),
    },
    known('tasmota', quantity),
    options.intervalS,
  );
}
