/** Checks what callers of the library hand in, before any work. Each problem is a TypeError or RangeError with a code. */

import { UTF8_ENCODER } from '../host/bytes.ts';
import { argumentError } from '../host/errors.ts';
import type { Invocation } from '../host/outcome.ts';
import type { DeployOptions } from './schema/manifest.ts';
import type { Input } from './api/exports.ts';
import type { InvokeOptions } from './schema/invoke-options.ts';
import type { NebulaOptions } from './schema/nebula-options.ts';
import { invokeOptionsSchema } from './schema/invoke-options.ts';
import { nebulaOptionsSchema } from './schema/nebula-options.ts';
import { hideToken } from './schema/token.ts';
import { createCheck, type FindMisfit } from './schema/validation.ts';

const findInvokeMisfit = createCheck(invokeOptionsSchema);
const findNebulaMisfit = createCheck(nebulaOptionsSchema);

/** An input as bytes; text is UTF-8. @throws TypeError */
export function toInputBytes(input: Input): Uint8Array {
  if (input instanceof Uint8Array) return input;
  if (typeof input === 'string') return UTF8_ENCODER.encode(input);
  throw argumentError('input', 'a Uint8Array or a string', input);
}

/** The invocation that `options` describe. @throws TypeError or RangeError for options that do not fit */
export function toInvocation(input: Uint8Array, options: InvokeOptions): Invocation {
  return { input, ...toGiven(options) };
}

/** What `options` give an invocation besides its input. @throws TypeError or RangeError for options that do not fit */
export function toGiven(options: InvokeOptions): Omit<Invocation, 'input'> {
  check(findInvokeMisfit, options);
  const { arguments: argumentList, environment, timeoutMs, caller, requestId } = options;
  return {
    // Copies: a caller may change its own while the call waits, or for the next one.
    ...(argumentList === undefined ? {} : { arguments: [...argumentList] }),
    ...(environment === undefined ? {} : { environment: { ...environment } }),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    ...(caller === undefined ? {} : { caller }),
    ...(requestId === undefined ? {} : { requestId }),
  };
}

/**
 * Refuses deploy options that are no object, or that name the module twice. The manifest's schema checks the rest.
 * @throws TypeError
 */
export function checkDeployOptions(options: DeployOptions): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw argumentError('options', 'an object', options);
  }
  const { module, snapshot } = options as { readonly module?: unknown; readonly snapshot?: unknown };
  if (module !== undefined) throw argumentError('options.module', 'left out: the source is the module', module);
  if (snapshot !== undefined && typeof snapshot !== 'string' && !(snapshot instanceof Uint8Array)) {
    throw argumentError('options.snapshot', 'the bytes of a snapshot, or a path', snapshot);
  }
}

/**
 * Refuses unknown fields and values of the wrong kind in what `createNebula` was given.
 * @throws TypeError or RangeError
 */
export function checkNebulaOptions(options: NebulaOptions): void {
  check(findNebulaMisfit, options);
  // Compiles it, so that no call has to wait for that.
  findInvokeMisfit({});
}

function check(findMisfit: FindMisfit, options: object): void {
  const found = findMisfit(options);
  if (found === undefined) return;
  // An unknown field counts only where it is given, and is the options' own.
  const misfit = found.kind === 'unknown' ? findMisfit(ownGiven(options)) : found;
  if (misfit === undefined) return;
  const { kind, field, expected, got } = misfit;
  const what = field === '' ? 'options' : `options.${field}`;
  if (kind === 'unknown')
    throw argumentError(what, `left out: expected ${expected.replace(/, (\w+)$/, ' or $1')}`, got);
  throw argumentError(what, expected, field === 'token' ? hideToken(got) : got);
}

function ownGiven(options: object): object {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}

/** How long `close` waits for calls in flight, in milliseconds. @throws RangeError */
export function toDrainMs(options: { readonly drainMs?: number } = {}): number {
  const { drainMs = 10_000 } = options;
  if (!(drainMs >= 0 && drainMs < 2 ** 31)) {
    throw argumentError('options.drainMs', 'a number of milliseconds from 0 to 2147483647', drainMs);
  }
  return drainMs;
}
