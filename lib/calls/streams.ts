/** Calls whose stdin or stdout is a stream: over a channel where a guest can wait for its caller, else whole. */

import { noOutput, NO_BYTES } from '../../host/bytes.ts';
import { NebulaError } from '../../host/errors.ts';
import { GatheredBytes } from '../../host/gathered-bytes.ts';
import type { Invocation, Outcome } from '../../host/outcome.ts';
import type { InputStream } from '../api/exports.ts';
import type { StreamedInvocation } from '../api/nebula.ts';
import type { Target } from '../component/target.ts';
import { unwatchAbort, watchAbort } from '../../pools/abort-watch.ts';
import { toOutcomeError } from '../wire/outcome-error.ts';
import { InputPieces } from './input-pieces.ts';
import { StreamedCall } from './streamed-call.ts';

/** What is called, and with what. */
export interface StreamRequest {
  readonly target: Target;
  /** Whether its guest is a core module in a thread of its own. */
  readonly canStream: boolean;
  readonly input: InputStream | Uint8Array;
  readonly given: Omit<Invocation, 'input'>;
  readonly signal: AbortSignal | undefined;
}

/** Starts a call whose stdout is read while it runs. @throws NebulaError QUEUE_FULL, CLIENT_CLOSED, INPUT_TOO_LARGE */
export async function startStreamed(request: StreamRequest): Promise<StreamedInvocation> {
  if (request.signal?.aborted === true) throw new NebulaError('CLIENT_CLOSED');
  if (!request.canStream) {
    const outcome = await runWhole(request);
    const kept = { ...outcome, stdout: noOutput() };
    return { stdout: inOnePiece(request.target.name, outcome), outcome: Promise.resolve(kept) };
  }
  const call = await start(request, true);
  return { stdout: call.read(), outcome: call.outcome };
}

/** Runs a call to its end whose stdin is a stream. @throws as `startStreamed`; what the input throws */
export async function runStreamed(request: StreamRequest): Promise<Outcome> {
  if (!request.canStream) return runWhole(request);
  const call = await start(request, false);
  const outcome = await call.outcome;
  if (call.inputError !== undefined) throw call.inputError.error;
  return outcome;
}

async function start({ target, input, given, signal }: StreamRequest, hasOutput: boolean): Promise<StreamedCall> {
  const { name, limits, clients } = target;
  if (input instanceof Uint8Array) return new StreamedCall(target, undefined, { ...given, input, hasOutput }, signal);
  await clients.takePlace(name, limits.queueLength, signal);
  try {
    // It may have gone between the place and this line, where nobody listened.
    if (signal?.aborted === true) throw new NebulaError('CLIENT_CLOSED');
    return new StreamedCall(target, input, { ...given, input: NO_BYTES, hasOutput }, signal);
  } catch (error) {
    clients.leavePlace(name);
    throw error;
  }
}

async function runWhole({ target, input, given, signal }: StreamRequest): Promise<Outcome> {
  const whole = input instanceof Uint8Array ? input : await gather(input, target.limits.inputBytes, signal);
  return target.invoke({ ...given, input: whole }, signal);
}

/** An input to its end, or until the signal aborts: a call with that signal runs nothing. */
async function gather(input: InputStream, limitBytes: number, signal: AbortSignal | undefined): Promise<Uint8Array> {
  if (signal?.aborted === true) return NO_BYTES;
  const gathered = new GatheredBytes();
  const pieces = new InputPieces(input);
  const leave = (): void => pieces.leave();
  if (signal !== undefined) watchAbort(signal, leave);
  try {
    for (let piece = await pieces.next(); piece !== undefined; piece = await pieces.next()) {
      gathered.add(piece);
      if (gathered.sizeBytes > limitBytes) throw new NebulaError('INPUT_TOO_LARGE', { limitBytes });
    }
    return gathered.whole();
  } finally {
    if (signal !== undefined) unwatchAbort(signal, leave);
    pieces.leave();
  }
}

async function* inOnePiece(name: string, outcome: Outcome): AsyncGenerator<Uint8Array, void, undefined> {
  if (outcome.stdout.length > 0) yield outcome.stdout;
  if (outcome.kind !== 'ok') throw toOutcomeError(name, outcome);
}
