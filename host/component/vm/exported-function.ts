/** Runs an exported function of a component by its name, with values as jco lifts and lowers them. */

import { deserialize, serialize } from 'node:v8';
import { trapOf } from '../../trap.ts';
import type { FunctionEntry } from '../../component-entry.ts';
import type { Exports } from '../prepare/glue/contract.ts';
import type { SuspendableEntry } from './entering.ts';
import type { CapturedCall } from './glue-exports.ts';
import { trapOfAccess } from './lift-lower.ts';
import { requireSettled } from './settled.ts';
import { sizeOf, Untransferable } from './value-size.ts';
import { type Host, withHost } from '../world/host.ts';
import { ChannelSink } from '../world/http/response-sink.ts';

/** What a function came to: the value, or the `err` of a function whose type is a result; or that its arguments do not fit. */
export type FunctionResult =
  | { readonly kind: 'value'; readonly value: unknown }
  | { readonly kind: 'error'; readonly error: unknown }
  | { readonly kind: 'mistake'; readonly message: string };

type Target = (...values: readonly unknown[]) => unknown;

/** Runs the function and sends its result to whoever asked for it. */
export function runFunction(host: Host, entry: FunctionEntry, exports: Exports): void {
  const target = targetOf(entry, exports);
  reply(host, entry, typeof target === 'function' ? invoke(host, () => target(...entry.arguments), true) : target);
}

/**
 * The same of a guest that can be suspended, in three parts: the glue lowers the arguments, the guest runs, and the glue lifts
 * what it has answered.
 */
export async function runSuspendableFunction(
  host: Host,
  entry: FunctionEntry,
  exports: Exports,
  { capture, enter }: SuspendableEntry,
): Promise<void> {
  const target = targetOf(entry, exports);
  if (typeof target !== 'function') {
    reply(host, entry, target);
    return;
  }
  let split: { readonly core: CapturedCall; readonly lift: (answer: unknown) => unknown } | undefined;
  host.splitter = (call, lift) => {
    host.splitter = undefined;
    split = { core: capture(call), lift };
  };
  const begun = withHost(host, () => invoke(host, () => target(...entry.arguments), true));
  host.splitter = undefined;
  // Glue of another shape has run its guest to the end.
  if (split === undefined) {
    reply(host, entry, begun);
    return;
  }
  const { core, lift } = split;
  const answer = await enter(core);
  withHost(host, () =>
    reply(
      host,
      entry,
      invoke(host, () => lift(answer), false),
    ),
  );
}

/** The glue's function that a call is of, or why there is none that takes its arguments. */
function targetOf(entry: FunctionEntry, exports: Exports): Target | FunctionResult {
  const owner = entry.interface === undefined ? exports : (exports[entry.interface] as Exports);
  const key = toJavaScriptName(entry.name);
  const target = Object.hasOwn(owner, key) ? owner[key] : undefined;
  if (typeof target !== 'function')
    return { kind: 'mistake', message: `the component exports no function "${entry.name}" there` };
  const given = entry.arguments.length;
  if (target.length !== given) return { kind: 'mistake', message: `expected ${target.length} arguments, got ${given}` };
  return target as Target;
}

/** @param lowers whether it begins with the arguments, which may not be of their types */
function invoke(host: Host, call: () => unknown, lowers: boolean): FunctionResult {
  try {
    return { kind: 'value', value: requireSettled(call()) };
  } catch (thrown) {
    if (host.ending !== undefined || thrown instanceof WebAssembly.RuntimeError) throw thrown;
    // The glue throws a result's `err` as it is.
    if (!(thrown instanceof Error)) return { kind: 'error', error: thrown };
    if (trapOfAccess(thrown) !== undefined) throw thrown;
    // A value that has not the parameter's type is found before the guest runs.
    if (lowers && host.hostCalls === 0 && isMisfit(thrown)) return { kind: 'mistake', message: thrown.message };
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
