/** Calls an exported function of a component by its name, with values as jco lifts and lowers them. */

import { deserialize, serialize } from 'node:v8';
import { trapOf } from '../../trap.ts';
import type { FunctionCall } from '../channel/component-call.ts';
import type { Exports } from '../prepare/glue/contract.ts';
import { trapOfAccess } from './lift-lower.ts';
import { requireSettled } from './settled.ts';
import { sizeOf, Untransferable } from './value-size.ts';
import type { Host } from '../world/host.ts';
import { ChannelSink } from '../world/http/exchange.ts';

/** What a call came to: the value, or the `err` of a function whose type is a result; or that its arguments do not fit. */
export type CallResult =
  | { readonly kind: 'value'; readonly value: unknown }
  | { readonly kind: 'error'; readonly error: unknown }
  | { readonly kind: 'mistake'; readonly message: string };

export function callFunction(host: Host, call: FunctionCall, exports: Exports): void {
  const owner = call.interface === undefined ? exports : (exports[call.interface] as Exports);
  const key = toJavaScriptName(call.name);
  const target = Object.hasOwn(owner, key) ? owner[key] : undefined;
  if (typeof target !== 'function') {
    reply(host, call, { kind: 'mistake', message: `the component exports no function "${call.name}" there` });
    return;
  }
  reply(host, call, invoke(host, target as (...values: readonly unknown[]) => unknown, call.arguments));
}

function invoke(
  host: Host,
  target: (...values: readonly unknown[]) => unknown,
  values: readonly unknown[],
): CallResult {
  if (target.length !== values.length) {
    return { kind: 'mistake', message: `expected ${target.length} arguments, got ${values.length}` };
  }
  try {
    return { kind: 'value', value: requireSettled(target(...values)) };
  } catch (thrown) {
    if (host.ending !== undefined || thrown instanceof WebAssembly.RuntimeError) throw thrown;
    // The glue throws a result's `err` as it is.
    if (!(thrown instanceof Error)) return { kind: 'error', error: thrown };
    if (trapOfAccess(thrown) !== undefined) throw thrown;
    // A value that has not the parameter's type is found before the guest runs.
    if (host.hostCalls === 0 && isMisfit(thrown)) return { kind: 'mistake', message: thrown.message };
    throw thrown;
  }
}

/** What the glue, and the `BigInt` it uses, throw for a value of another type or out of range. */
function isMisfit(error: Error): boolean {
  if (error instanceof RangeError) return trapOf(error) === undefined;
  return error instanceof TypeError || error instanceof SyntaxError;
}

function reply(host: Host, call: FunctionCall, result: CallResult): void {
  const bytes = encodeResult(host, result);
  if (call.channel === undefined) call.sink?.value(bytes);
  else new ChannelSink(call.channel, (sink) => host.wait([sink])).message(bytes);
}

/** Measured first: V8 makes the bytes of a value at once, however many they are. */
function encodeResult(host: Host, result: CallResult): Uint8Array {
  try {
    const { outputBytes } = host.options.limits;
    if (sizeOf(result, outputBytes) > outputBytes) throw host.values.stopForResult();
    return serialize(result);
  } catch (error) {
    if (!(error instanceof Untransferable)) throw error;
    const message = 'its result holds a resource, which cannot leave its instance';
    return serialize({ kind: 'mistake', message } satisfies CallResult);
  }
}

/** @throws Error for bytes that no call made */
export function decodeResult(bytes: Uint8Array): CallResult {
  return deserialize(bytes) as CallResult;
}

/** `get-value` as `getValue`: jco's names for WIT's. */
export function toJavaScriptName(name: string): string {
  return name.replace(/-(\w)/g, (_whole, letter: string) => letter.toUpperCase());
}
