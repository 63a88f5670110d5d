/** Runs an exported function of a component by its name, with values as jco lifts and lowers them. */

import { deserialize, serialize } from 'node:v8';
import { trapOf } from '../../trap.ts';
import type { FunctionEntry } from '../../component-entry.ts';
import type { Exports } from '../prepare/glue/contract.ts';
import { trapOfAccess } from './lift-lower.ts';
import { requireSettled } from './settled.ts';
import { sizeOf, Untransferable } from './value-size.ts';
import type { Host } from '../world/host.ts';
import { ChannelSink } from '../world/http/response-sink.ts';

/** What a function came to: the value, or the `err` of a function whose type is a result; or that its arguments do not fit. */
export type FunctionResult =
  | { readonly kind: 'value'; readonly value: unknown }
  | { readonly kind: 'error'; readonly error: unknown }
  | { readonly kind: 'mistake'; readonly message: string };

/** Runs the function and sends its result to whoever asked for it. */
export function runFunction(host: Host, entry: FunctionEntry, exports: Exports): void {
  const owner = entry.interface === undefined ? exports : (exports[entry.interface] as Exports);
  const key = toJavaScriptName(entry.name);
  const target = Object.hasOwn(owner, key) ? owner[key] : undefined;
  if (typeof target !== 'function') {
    reply(host, entry, { kind: 'mistake', message: `the component exports no function "${entry.name}" there` });
    return;
  }
  reply(host, entry, invoke(host, target as (...values: readonly unknown[]) => unknown, entry.arguments));
}

function invoke(
  host: Host,
  target: (...values: readonly unknown[]) => unknown,
  values: readonly unknown[],
): FunctionResult {
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

function reply(host: Host, entry: FunctionEntry, result: FunctionResult): void {
  const bytes = encodeResult(host, result);
  if (entry.channel === undefined) entry.sink?.result(bytes);
  else new ChannelSink(entry.channel, (sink) => host.wait([sink])).message(bytes);
}

/** Measured first: V8 makes the bytes of a value at once, however many they are. */
function encodeResult(host: Host, result: FunctionResult): Uint8Array {
  try {
    const { outputBytes } = host.options.limits;
    if (sizeOf(result, outputBytes) > outputBytes) throw host.values.stopForResult();
    return serialize(result);
  } catch (error) {
    if (!(error instanceof Untransferable)) throw error;
    const message = 'its result holds a resource, which cannot leave its instance';
    return serialize({ kind: 'mistake', message } satisfies FunctionResult);
  }
}

/** The result in the bytes that were sent. @throws Error for bytes that no function made */
export function decodeResult(bytes: Uint8Array): FunctionResult {
  return deserialize(bytes) as FunctionResult;
}

/** `get-value` as `getValue`: jco's names for WIT's. */
function toJavaScriptName(name: string): string {
  return name.replace(/-(\w)/g, (_whole, letter: string) => letter.toUpperCase());
}
