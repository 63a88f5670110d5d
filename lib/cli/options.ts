/** Reads the values of command line options. A value that does not fit is a usage error that says what would. */

import { resolve } from 'node:path';
import { InvalidArgumentError } from 'commander';
import type { Mount } from '../../host/capabilities/mounts/schema.ts';
import { DEFAULT_LIMITS, type Limits } from '../../host/limits.ts';
import type { Manifest } from '../schema/manifest.ts';

const MIB = 1024 * 1024;

/** The port of `nebula serve`, and of the server that the other commands ask. */
export const DEFAULT_PORT = 7070;

/** Options of the commands that run or deploy a function. */
export interface FunctionOptions {
  readonly arg?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly mount?: readonly Mount[];
  readonly timeoutMs?: number;
  readonly memoryMib?: number;
}

/** Options of the commands that talk to a server. */
export interface ServerAccess {
  readonly url: string;
  readonly token?: string;
}

/** A reader of integers of at least `minimum`. */
export function integerFrom(minimum: number, maximum: number = Number.MAX_SAFE_INTEGER): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < minimum || value > maximum) {
      const range = maximum === Number.MAX_SAFE_INTEGER ? `of at least ${minimum}` : `from ${minimum} to ${maximum}`;
      throw new InvalidArgumentError(`Expected an integer ${range}.`);
    }
    return value;
  };
}

/** Gathers the values of an option that may be given several times. */
export function collect(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, text];
}

/** Gathers `LIMIT=VALUE`, in the limit's own unit. */
export function collectLimit(text: string, before: Partial<Limits> = {}): Partial<Limits> {
  const [, name = '', value = ''] = /^(\w+)=(\d+)$/.exec(text) ?? [];
  if (!Object.hasOwn(DEFAULT_LIMITS, name)) {
    throw new InvalidArgumentError(`Expected LIMIT=INTEGER, with one of ${Object.keys(DEFAULT_LIMITS).join(', ')}.`);
  }
  return { ...before, [name]: Number(value) };
}

const UNITS_MS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Reads a time: ISO 8601, or how long ago it was, such as `10m`. */
export function sinceTime(text: string): number {
  const [, count = '', unit = ''] = /^(\d+)([smhd])$/.exec(text) ?? [];
  const timeMs = unit === '' ? Date.parse(text) : Date.now() - Number(count) * (UNITS_MS[unit] as number);
  if (!Number.isFinite(timeMs))
    throw new InvalidArgumentError('Expected a time in ISO 8601, or such as 30s, 10m, 2h, 1d.');
  return timeMs;
}

/** What `serve` may log: its own start and end, deploys, failures, what guests write to stderr, and each request. */
export const LOG_KINDS = ['start', 'deploy', 'failure', 'stderr', 'access'] as const;
export type LogKind = (typeof LOG_KINDS)[number];

/** Reads `KIND,KIND`, or `none`. */
export function collectLogKinds(text: string): readonly LogKind[] {
  if (text === 'none') return [];
  return text.split(',').map((name) => {
    const kind = LOG_KINDS.find((each) => each === name.trim());
    if (kind === undefined) throw new InvalidArgumentError(`Expected none, or some of ${LOG_KINDS.join(',')}.`);
    return kind;
  });
}

/** Gathers `K=V`. */
export function collectVariable(
  text: string,
  before: Readonly<Record<string, string>> = {},
): Readonly<Record<string, string>> {
  const at = text.indexOf('=');
  if (at < 1) throw new InvalidArgumentError('Expected NAME=VALUE.');
  return { ...before, [text.slice(0, at)]: text.slice(at + 1) };
}

/** Gathers `GUEST=MACHINE` and `GUEST=MACHINE:rw`. */
export function collectMount(text: string, before: readonly Mount[] = []): readonly Mount[] {
  const match = /^([^=]+)=(.+?)(:rw|:ro)?$/.exec(text);
  if (match === null) throw new InvalidArgumentError('Expected GUEST/PATH=MACHINE/DIRECTORY, or the same with :rw.');
  const [, guest = '', machine = '', access] = match;
  const mount: Mount = { guest, machine: resolve(machine), access: access === ':rw' ? 'read-write' : 'read-only' };
  return [...before, mount];
}

/** A manifest with what the options say in place of, and for variables and mounts beside, what it says. */
export function applyOptions<T extends Partial<Manifest>>(manifest: T, options: FunctionOptions): T {
  const { limits, capabilities } = manifest;
  return {
    ...manifest,
    limits: {
      ...limits,
      ...(options.timeoutMs === undefined ? {} : { timeoutMs: options.timeoutMs }),
      ...(options.memoryMib === undefined ? {} : { memoryBytes: options.memoryMib * MIB }),
    },
    capabilities: {
      ...capabilities,
      ...(options.arg === undefined ? {} : { arguments: options.arg }),
      environment: { ...capabilities?.environment, ...options.env },
      mounts: [...(capabilities?.mounts ?? []), ...(options.mount ?? [])],
    },
  };
}
