/**
 * Which machine, and which start of it, a monotonic clock belongs to. Two clocks that count since a start of two boards, or
 * of one board twice, look alike: times of one are none of the other.
 */

import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Whose monotonic clock a time is of. */
export interface HostIdentity {
  /** The kernel's id of this start; in a time namespace of its own with the offset of its clock. */
  readonly bootId: string;
  /** A hash of the machine's id, which by its manual is not to be told. */
  readonly machineId: string;
}

const KEY = 'nebula host identity';

function textOf(path: string): string | undefined {
  try {
    const text = readFileSync(path, 'utf8').trim();
    return text === '' ? undefined : text;
  } catch {
    return undefined;
  }
}

/** Seconds and nanoseconds by which the monotonic clock of this time namespace differs; empty where it does not. */
function offsetIn(root: string): string {
  const line = textOf(join(root, 'proc/self/timens_offsets'))?.split('\n')[0] ?? '';
  const [, seconds = '0', nanoseconds = '0'] = line.trim().split(/\s+/);
  return Number(seconds) === 0 && Number(nanoseconds) === 0 ? '' : `+${seconds}.${nanoseconds}`;
}

/**
 * The identity of this machine; undefined where the kernel tells no boot id. A machine without a machine id, as in many
 * containers, goes by its boot id alone.
 * @param root where `/proc` and `/etc` are; another one for tests
 */
export function readHost(root = '/'): HostIdentity | undefined {
  const boot = textOf(join(root, 'proc/sys/kernel/random/boot_id'));
  if (boot === undefined) return undefined;
  const machine =
    textOf(join(root, 'etc/machine-id')) ?? textOf(join(root, 'var/lib/dbus/machine-id')) ?? `boot ${boot}`;
  const machineId = createHmac('sha256', KEY).update(machine).digest('hex').slice(0, 32);
  return { bootId: `${boot}${offsetIn(root)}`, machineId };
}

/** Whether both are known and the same. */
export function isSameHost(one: HostIdentity | undefined, other: HostIdentity | undefined): boolean {
  return one !== undefined && other !== undefined && one.bootId === other.bootId && one.machineId === other.machineId;
}

/** As fields of a file: `boot_id` and `machine_id`; none where it is not known. */
export function hostFields(host: HostIdentity | undefined): { boot_id?: string; machine_id?: string } {
  return host === undefined ? {} : { boot_id: host.bootId, machine_id: host.machineId };
}

const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';

/** Out of fields of a file; undefined where one of both is missing. */
export function hostOf(fields: Readonly<Record<string, unknown>>): HostIdentity | undefined {
  const { boot_id: bootId, machine_id: machineId } = fields;
  return isText(bootId) && isText(machineId) ? { bootId, machineId } : undefined;
}
