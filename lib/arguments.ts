/** Checks what callers of the library hand in, before any work. Each problem is a TypeError or RangeError with a code. */

import { UTF8_ENCODER } from '../host/bytes.ts';
import { argumentError } from '../host/errors.ts';
import type { Invocation } from '../host/outcome.ts';
import type { DeployOptions, Input, InvokeOptions, NebulaOptions } from './api.ts';
import { checkToken } from './triggers/http/authorization.ts';
import { findLimitsProblem } from './manifest.ts';

const RUNTIMES: ReadonlySet<unknown> = new Set(['wasm', 'container', 'process']);

/** An input as bytes; text is UTF-8. */
export function toInputBytes(input: Input): Uint8Array {
  if (input instanceof Uint8Array) return input;
  if (typeof input === 'string') return UTF8_ENCODER.encode(input);
  throw argumentError('input', 'a Uint8Array or a string', input);
}

/** The invocation that `options` describe. */
export function toInvocation(input: Uint8Array, options: InvokeOptions): Invocation {
  requireObject('options', options);
  for (const [key, value] of Object.entries(options)) if (value !== undefined) checkInvokeOption(key, value);
  const { arguments: argumentList, environment, timeoutMs } = options;
  return {
    input,
    // Copies: a caller may change its own while the call waits, or for the next one.
    ...(argumentList === undefined ? {} : { arguments: [...argumentList] }),
    ...(environment === undefined ? {} : { environment: { ...environment } }),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  };
}

function checkInvokeOption(key: string, value: unknown): void {
  switch (key) {
    case 'arguments':
      if (!Array.isArray(value) || !value.every(isPlainText)) {
        throw argumentError('options.arguments', 'a list of strings without NUL', value);
      }
      return;
    case 'environment':
      checkEnvironment(value);
      return;
    case 'timeoutMs':
      if (typeof value !== 'number' || !(value > 0 && value < 2 ** 31)) {
        throw argumentError('options.timeoutMs', 'a number of milliseconds above 0 and below 2147483648', value);
      }
      return;
    case 'signal':
      if (!(value instanceof AbortSignal)) throw argumentError('options.signal', 'an AbortSignal', value);
      return;
    default:
      throw argumentError(`options.${key}`, 'left out: expected arguments, environment, timeoutMs or signal', value);
  }
}

function checkEnvironment(value: unknown): void {
  requireObject('options.environment', value);
  for (const [name, text] of Object.entries(value as object)) {
    if (!/^[^=\0]+$/.test(name)) {
      throw argumentError('options.environment', 'an object whose names hold neither "=" nor NUL', name);
    }
    if (!isPlainText(text)) throw argumentError(`options.environment.${name}`, 'a string without NUL', text);
  }
}

function isPlainText(value: unknown): boolean {
  return typeof value === 'string' && !value.includes('\0');
}

/** Refuses deploy options that are no object, or that name the module twice. The schema checks the rest. */
export function checkDeployOptions(options: DeployOptions): void {
  requireObject('options', options);
  const { module, snapshot } = options as { module?: unknown; snapshot?: unknown };
  if (module !== undefined) throw argumentError('options.module', 'left out: the source is the module', module);
  if (snapshot !== undefined && typeof snapshot !== 'string' && !(snapshot instanceof Uint8Array)) {
    throw argumentError('options.snapshot', 'the bytes of a snapshot, or a path', snapshot);
  }
}

/** Refuses unknown fields and values of the wrong kind in what `createNebula` was given. */
export function checkNebulaOptions(options: NebulaOptions): void {
  requireObject('options', options);
  for (const [key, value] of Object.entries(options)) if (value !== undefined) checkNebulaOption(key, value);
}

function checkNebulaOption(key: string, value: unknown): void {
  const field = `options.${key}`;
  switch (key) {
    case 'executor':
      if (value !== 'worker' && value !== 'in-thread') throw argumentError(field, '"worker" or "in-thread"', value);
      return;
    case 'threads':
    case 'memories':
      requireInteger(field, value, 1);
      return;
    case 'spareThreads':
      requireInteger(field, value, 0);
      return;
    case 'store':
      if (typeof value !== 'string' || value === '') throw argumentError(field, 'the path of a directory', value);
      return;
    case 'dockerSocket':
      if (typeof value !== 'string' || value === '') throw argumentError(field, 'the path of a socket', value);
      return;
    case 'runtimes':
      if (!Array.isArray(value) || !value.every((name) => RUNTIMES.has(name))) {
        throw argumentError(field, 'a list of "wasm", "container" and "process"', value);
      }
      return;
    case 'token':
      checkToken(field, value);
      return;
    case 'audit':
      if (typeof value !== 'boolean') throw argumentError(field, 'a boolean', value);
      return;
    case 'markers': {
      const { start, end } = (value ?? {}) as { start?: unknown; end?: unknown };
      if (typeof start !== 'function' || typeof end !== 'function') {
        throw argumentError(field, 'an object with the functions start and end', value);
      }
      return;
    }
    case 'limits': {
      const problem = findLimitsProblem(value);
      if (problem !== undefined) throw argumentError(field, `limits that fit: ${problem}`, value);
      return;
    }
    default:
      throw argumentError(
        field,
        'left out: expected executor, threads, spareThreads, store, limits, token, audit, memories, runtimes, dockerSocket or markers',
        value,
      );
  }
}

function requireInteger(field: string, value: unknown, minimum: number): void {
  if (!Number.isSafeInteger(value) || (value as number) < minimum) {
    throw argumentError(field, `an integer of at least ${minimum}`, value);
  }
}

function requireObject(field: string, value: unknown): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw argumentError(field, 'an object', value);
  }
}

/** How long `close` waits for calls in flight. */
export function toDrainMs(options: { readonly drainMs?: number } = {}): number {
  const { drainMs = 10_000 } = options;
  if (!(drainMs >= 0 && drainMs < 2 ** 31)) {
    throw argumentError('options.drainMs', 'a number of milliseconds from 0 to 2147483647', drainMs);
  }
  return drainMs;
}
