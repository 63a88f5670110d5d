/**
 * Who made a container, an image or a network: a label that tells whether its maker still runs, so that what a killed
 * process left behind can be told from what another one uses.
 */

import { randomBytes } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

/** The label on everything an executor makes; its value is an owner's id. */
export const OWNER_LABEL = 'nebula.owner';
/** The function's name. */
export const FUNCTION_LABEL = 'nebula.function';

const FIELDS = 6;
/** Field of /proc/PID/stat, counted after the command's closing parenthesis (proc(5): field 22 of all). */
const START_TIME_AT = 19;

interface Machine {
  readonly host: string;
  readonly boot: string;
  readonly pidNamespace: string;
}

let machine: Machine | undefined;

/** A new id for this process: machine, boot, pid namespace, pid, start time in clock ticks, a random part. */
export function createOwnerId(): string {
  const { host, boot, pidNamespace } = thisMachine();
  const random = randomBytes(6).toString('hex');
  return [host, boot, pidNamespace, process.pid, startTime(process.pid) ?? '', random].join('/');
}

/** The random part of an id. */
export function shortOwner(id: string): string {
  return id.slice(id.lastIndexOf('/') + 1);
}

/**
 * Whether the process of an id has surely ended. One on another machine or in another pid namespace cannot be seen from
 * here, and is left alone.
 */
export function isGone(id: string): boolean {
  const fields = id.split('/');
  if (fields.length !== FIELDS) return false;
  const [host, boot, pidNamespace, pid, started] = fields;
  const here = thisMachine();
  if (host !== here.host) return false;
  if (boot !== here.boot) return true;
  if (pidNamespace !== here.pidNamespace) return false;
  const found = startTime(Number(pid));
  return found === undefined ? !isAlive(Number(pid)) : found !== started;
}

function thisMachine(): Machine {
  machine ??= {
    host: hostname().replaceAll('/', '-'),
    boot: tryRead(() => readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim()) ?? '',
    pidNamespace: tryRead(() => readlinkSync('/proc/self/ns/pid')) ?? '',
  };
  return machine;
}

/** When a process started, in clock ticks after boot; undefined without one, or without /proc. */
function startTime(pid: number): string | undefined {
  const stat = tryRead(() => readFileSync(`/proc/${pid}/stat`, 'latin1'));
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[START_TIME_AT];
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** What a machine without /proc does not have is undefined. */
function tryRead(read: () => string): string | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
