/** Which power sources this machine has, and why it has not the others. */

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { HardwareError, detailOf } from '../instrument/errors.ts';
import { isInstalled } from '../instrument/packages.ts';
import { listHwmon } from './hwmon.ts';
import type { SourceProperties } from './power-source.ts';
import { listRapl, wholeMachine } from './rapl.ts';
import { MACHINE_PLACES, SOURCE_KINDS, openSource, type MachinePlaces } from './sources.ts';

/** Whether a source can be read: `elsewhere` are those on the network or a port, which only an address tells. */
export type SourceState = 'present' | 'absent' | 'denied' | 'elsewhere';

/** A source that this machine has, or why it has not. */
export interface ListedSource {
  readonly kind: string;
  /** The text that opens it; where that needs an address, its form. */
  readonly source: string;
  readonly state: SourceState;
  /** What it is, or why it is not there. */
  readonly detail: string;
  /** Of sources that are present. */
  readonly properties?: SourceProperties;
}

/** Packages without which a kind cannot be opened. */
const PACKAGES: Readonly<Record<string, string>> = {
  mqtt: 'mqtt',
  mqtts: 'mqtt',
  'gude-modbus': 'modbus-serial',
  'gude-snmp': 'net-snmp',
  ppk2: 'serialport',
};

/** Opens and closes a source of this machine, so that what is listed as present can be read. */
async function tried(kind: string, source: string, places: MachinePlaces): Promise<ListedSource> {
  const { about } = SOURCE_KINDS[kind] as { about: string };
  try {
    const opened = await openSource(source, places);
    await opened.close();
    return { kind, source, state: 'present', detail: about, properties: opened.properties };
  } catch (error) {
    if (!(error instanceof HardwareError)) return { kind, source, state: 'absent', detail: detailOf(error) };
    return { kind, source, state: error.key === 'SOURCE_DENIED' ? 'denied' : 'absent', detail: error.problem };
  }
}

function textsOf(kind: string, places: MachinePlaces): string[] {
  try {
    if (kind === 'hwmon') {
      const labels = listHwmon(places.hwmon).map(({ label }) => label);
      return [...new Set(labels)].map((label) => `hwmon:${encodeURIComponent(label)}`);
    }
    if (kind === 'rapl') {
      const zones = listRapl(places.powercap);
      const whole = wholeMachine(zones);
      const isWhole = (name: string): boolean =>
        whole.every((zone) => zone.name === name) && zones.filter((zone) => zone.name === name).length === whole.length;
      const names = zones.map(({ name }) => name).filter((name) => !isWhole(name));
      const own =
        zones.length === 0 ? [] : ['rapl', ...new Set(names.map((name) => `rapl:${encodeURIComponent(name)}`))];
      return listRapl(places.scaphandre).length === 0 ? own : [...own, `rapl?root=${places.scaphandre}`];
    }
  } catch {
    // What cannot be listed cannot be opened either, and opening says why.
  }
  return [];
}

function portsIn(devices: string): string[] {
  try {
    return readdirSync(devices)
      .filter((entry) => entry.startsWith('ttyACM'))
      .sort()
      .map((entry) => join(devices, entry));
  } catch {
    return [];
  }
}

function listPorts(places: MachinePlaces): ListedSource[] {
  const { form, about } = SOURCE_KINDS['ppk2'] as { form: string; about: string };
  const ports = portsIn(places.devices);
  if (ports.length === 0) {
    return [{ kind: 'ppk2', source: form, state: 'absent', detail: `no ${places.devices}/ttyACM*` }];
  }
  return ports.map((port) => ({
    kind: 'ppk2',
    source: form.replace('PORT', port),
    state: 'elsewhere',
    detail: `${about}, if that is what is on this port: it is not asked here`,
  }));
}

/** Every kind of source, those of this machine tried. A machine without any has none: there is no source that reads 0. */
export async function listSources(places: MachinePlaces = MACHINE_PLACES): Promise<ListedSource[]> {
  const listed: ListedSource[] = [];
  for (const [kind, { form, about, isUrl }] of Object.entries(SOURCE_KINDS)) {
    const name = PACKAGES[kind];
    if (name !== undefined && !isInstalled(name)) {
      listed.push({ kind, source: form, state: 'absent', detail: `needs the package ${name}: npm install ${name}` });
    } else if (kind === 'ppk2') listed.push(...listPorts(places));
    else if (isUrl === true) {
      listed.push({ kind, source: form, state: 'elsewhere', detail: `${about}: give its address` });
    } else {
      const texts = textsOf(kind, places);
      for (const text of texts.length === 0 ? [kind] : texts) listed.push(await tried(kind, text, places));
    }
  }
  return listed;
}
