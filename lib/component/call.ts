/** Calls an exported function of a component by its name, such as `ns:pkg/iface#name`. */

import { NO_BYTES } from '../../host/bytes.ts';
import type { FunctionEntry } from '../../host/component-entry.ts';
import { createChannel } from '../../host/component/channel/channel.ts';
import { CallerSignal } from '../../host/component/channel/signal.ts';
import { FRAME } from '../../host/component/channel/ring.ts';
import { decodeResult, type FunctionResult } from '../../host/component/vm/exported-function.ts';
import { sizeOf, Untransferable } from '../../host/component/vm/value-size.ts';
import { parseInterface } from '../../host/component/prepare/wit.ts';
import { argumentError, NebulaError } from '../../host/errors.ts';
import type { Outcome } from '../../host/outcome.ts';
import { ResponseReader } from './response-reader.ts';
import type { Target } from './target.ts';

/** What a call by name came to: the Outcome, and what the function answered. */
export type CallOutcome<Value> = Outcome & {
  /** What the function returned; there is none where its guest ended otherwise, or the function answered with an `err`. */
  readonly value?: Value;
  /** The `err` of a component's function whose type is a result. */
  readonly error?: unknown;
};

/** The `err` of a function whose result has one. */
export class ComponentError extends Error {
  readonly payload: unknown;

  constructor(path: string, payload: unknown) {
    super(`${path} answered with an error`);
    this.name = 'ComponentError';
    this.payload = payload;
  }
}

/**
 * Values are as jco has them: numbers, bigints for 64 bits, strings, lists as arrays (bytes as Uint8Array), records as
 * objects, variants as `{ tag, val }`.
 * @throws TypeError for values that have not the parameters' types; NebulaError ENTRY_MISMATCH, INPUT_TOO_LARGE; what `invoke` throws
 */
export async function callExport(
  target: Target,
  exports: readonly string[],
  path: string,
  values: readonly unknown[],
  signal?: AbortSignal,
): Promise<CallOutcome<unknown>> {
  const entry = { kind: 'function', ...resolve(target.name, exports, path), arguments: values } as const;
  requireInput(path, values, target.limits.inputBytes);
  const [bytes, outcome] = await (target.isInThread ? runHere(target, entry, signal) : run(target, entry, signal));
  if (outcome.kind !== 'ok' || bytes === undefined) return outcome;
  return { ...outcome, ...answerOf(path, decodeResult(bytes)) };
}

/** @throws TypeError for what is no value of the component model, NebulaError INPUT_TOO_LARGE */
function requireInput(path: string, values: readonly unknown[], limitBytes: number): void {
  let sizeBytes: number;
  try {
    sizeBytes = sizeOf(values, limitBytes);
  } catch (error) {
    if (!(error instanceof Untransferable)) throw error;
    throw argumentError(path, `called with values of the component model: ${error.message}`, 'these arguments');
  }
  if (sizeBytes > limitBytes) throw new NebulaError('INPUT_TOO_LARGE', { limitBytes });
}

type Answered = readonly [bytes: Uint8Array | undefined, outcome: Outcome];

async function run(target: Target, entry: FunctionEntry, signal: AbortSignal | undefined): Promise<Answered> {
  const channel = createChannel();
  const running = invoke(target, { ...entry, channel }, signal);
  return Promise.all([readResult(channel, running), running]);
}

/** A guest in this thread needs no channel. */
async function runHere(target: Target, entry: FunctionEntry, signal: AbortSignal | undefined): Promise<Answered> {
  let bytes: Uint8Array | undefined;
  const sink = { result: (given: Uint8Array): void => void (bytes = given) };
  const outcome = await invoke(target, { ...entry, sink }, signal);
  return [bytes, outcome];
}

function invoke(target: Target, component: FunctionEntry, signal: AbortSignal | undefined): Promise<Outcome> {
  return target.invoke({ input: NO_BYTES, component }, signal);
}

/** The interface with its version, and the function: the caller may leave the version out. */
function resolve(
  name: string,
  exports: readonly string[],
  path: string,
): { readonly interface: string | undefined; readonly name: string } {
  const at = path.lastIndexOf('#');
  const [wanted, exported] = [path.slice(0, Math.max(0, at)), path.slice(at + 1)];
  const found = exports.find((each) =>
    at < 0 ? each === path : each === wanted || parseInterface(each)?.id === wanted,
  );
  if (found === undefined || exported === '') {
    throw new NebulaError('ENTRY_MISMATCH', { name, expected: path, exports: exports.join(', ') });
  }
  return { interface: at < 0 ? undefined : found, name: exported };
}

/** The result once it is whole, or undefined when the guest ended without one. */
async function readResult(channel: SharedArrayBuffer, running: Promise<unknown>): Promise<Uint8Array | undefined> {
  const signal = new CallerSignal(channel);
  let isOver = false;
  const end = (): void => {
    isOver = true;
    signal.wake();
  };
  running.then(end, end);
  const reader = new ResponseReader(channel, signal, () => isOver);
  for (;;) {
    const frame = await reader.next();
    if (frame?.kind !== FRAME.piece) return frame?.bytes;
  }
}

/** @throws TypeError for values that have not the parameters' types */
function answerOf(path: string, result: FunctionResult): Pick<CallOutcome<unknown>, 'value' | 'error'> {
  switch (result.kind) {
    case 'value':
      return { value: result.value };
    case 'error':
      return { error: result.error };
    case 'mistake':
      throw argumentError(path, `called as its type says: ${result.message}`, 'these arguments');
    default:
      return result satisfies never;
  }
}
