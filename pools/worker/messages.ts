/**
 * What the pool and its workers say to each other, over a MessagePort of each worker's own. Plain data; errors travel as
 * failures, for a thread loses their class. What is on the path of every call is an array: keys cost as much as a call.
 */

import type { MessagePort } from 'node:worker_threads';
import { noOutput } from '../../host/bytes.ts';
import type { FunctionDefinition } from '../../host/definition/definition.ts';
import type { Strategy } from '../../host/definition/strategies.ts';
import type { Deployment } from '../../host/snapshot/deployment.ts';
import { messageOf, toFailure, type Failure } from '../../host/errors.ts';
import type { CoreValue } from '../../host/export-call.ts';
import type { Ending, Invocation, Outcome, Start } from '../../host/outcome.ts';
import { loadWasmPhases, storeWasmPhases } from '../../host/phases.ts';
import type { StreamBuffer } from '../../host/wasi/session/record-layout.ts';
import type { SnapshotImage } from '../../host/snapshot/image.ts';
import type { BindingMessage } from './binding-slot.ts';
import type { NewRecord } from '../../host/thread/waiting-records.ts';

/** The one task that Piscina gives a worker: to answer what comes over this port. */
export interface Serve {
  readonly port: MessagePort;
  /** Claims, one Int32 for each slot, and what a guest waits on: see claims.ts. */
  readonly claims: SharedArrayBuffer;
  /** Where requests are left: see RequestBox. */
  readonly requests: SharedArrayBuffer;
  /** Where answers are left: see AnswerBox. */
  readonly answers: SharedArrayBuffer;
  /** One Int32 each: the memories alive in the process, and in this worker. */
  readonly memories: SharedArrayBuffer;
  readonly ownMemories: SharedArrayBuffer;
  readonly memoriesLimit: number;
  /** Where the worker tells what is to be given back when it has ended (host/linux/thread-memory.ts). */
  readonly threadMemory: SharedArrayBuffer;
  /** Where the worker tells what it put back: a RestoreTally. */
  readonly restores: SharedArrayBuffer;
  /** Where the worker tells of its thread and of guests that are suspended: see SuspendedGuests. */
  readonly waiting: SharedArrayBuffer;
  /** What tells that the thread for outgoing requests was lost (host/component/outgoing/thread.ts). */
  readonly outgoingLosses: SharedArrayBuffer;
  /** Where the worker tells of calls of bindings: a Line; absent where there are none. */
  readonly bindings: SharedArrayBuffer | undefined;
  /** Where it is kept what its guest writes and uses: a RunRecord, whose runs are tickets. */
  readonly record: SharedArrayBuffer;
}

/** Requests that a worker may hold at once, those left out whose guests are suspended. */
export const SLOTS = 64;

/** A function for a worker that does not have it yet. */
export interface Installation {
  readonly definition: FunctionDefinition;
  readonly image: SnapshotImage;
  readonly strategy: Strategy;
}

/** A request that does not fit into the box: its place there says when its turn is. */
export type InvokeRequest = readonly [
  slot: number,
  ticket: number,
  id: string,
  /** The pool's number for the function, by which later requests in the box call it. */
  functionNumber: number,
  input: Uint8Array,
  calledNs: number,
  given: Omit<Invocation, 'input'> | undefined,
  install: Installation | undefined,
  /** By which later requests in the box call the channel that is among what is given. */
  channelNumber: number | undefined,
];

/** Anything but an invocation. */
export type Chore =
  | { readonly op: 'deploy'; readonly definition: FunctionDefinition }
  | { readonly op: 'remove'; readonly id: string }
  /** Drops micro-VMs that were not used of late, so that another thread finds room. */
  | { readonly op: 'evict' }
  /** Collects what deploys left behind. */
  | { readonly op: 'collect' };

/** Has a worker let go of a guest that was dropped while it was suspended. */
export interface Drop {
  readonly drop: number;
}

/** Says that requests were left in the box. */
export const REQUESTS_LEFT = 0;

/** What travels over the port to a worker. */
export type Request = InvokeRequest | Chore | Drop | typeof REQUESTS_LEFT;

/** An answer that does not fit into the box. */
export type InvokeAnswer = readonly [
  ticket: number,
  /** The exit code of a normal end; anything else is told in full. */
  ending: number | Ending,
  stdout: Uint8Array | undefined,
  stderr: Uint8Array | undefined,
  start: Start,
  /** In the order of WASM_PHASES. */
  phasesNs: readonly number[],
  memoryBytes: number,
  inputBytes: number,
  hostCalls: number,
  units: number | undefined,
  cpuNs: number | undefined,
  /** How long the guest had the thread, where it was suspended meanwhile. */
  heldNs: number | undefined,
  /** What an export answered that was called by its name. */
  values: readonly CoreValue[] | undefined,
];

/** Answers of guests that were suspended: those of one turn of the event loop. */
export interface LaterAnswers {
  readonly later: readonly InvokeAnswer[];
}

/** Something that went wrong in the worker: one of our failures, or a fault described in words. */
export interface Refusal {
  readonly ok: false;
  /** Of an invocation; a chore has none. */
  readonly ticket?: number;
  readonly failure: Failure | undefined;
  readonly detail: string;
  /** It never left the pool's thread: what the caller gave is no data, or was given away since. */
  readonly isUnsent?: boolean;
}

/** What a chore came to. */
export type ChoreAnswer = { readonly ok: true; readonly deployment?: Deployment } | Refusal;

/** Says that answers were left in the box. */
export const ANSWERS_LEFT = 0;

/** A port for the thread for outgoing requests, with the first of a worker's. */
export interface OutgoingPort {
  readonly outgoing: MessagePort;
}

/**
 * What travels over the port: answers that do not fit into the box, one by one; those of guests that were suspended; records
 * of such, and larger buffers of any record; a port to be handed on; memory of calls of bindings.
 */
export type Answer =
  | InvokeAnswer
  | LaterAnswers
  | Refusal
  | ChoreAnswer
  | NewRecord
  | StreamBuffer
  | OutgoingPort
  | BindingMessage
  | typeof ANSWERS_LEFT;

/** An error as a refusal, without its class and its stack. */
export function toRefusal(error: unknown): Refusal {
  return { ok: false, failure: toFailure(error), detail: messageOf(error) };
}

/** An outcome as an answer, for the port. */
export function encodeOutcome(ticket: number, outcome: Outcome, heldNs?: number): InvokeAnswer {
  const { kind, stdout, stderr, start, phases, usage, values } = outcome;
  let ending: number | Ending;
  if (kind === 'ok') ending = 0;
  else if (kind === 'exit') ending = outcome.exitCode;
  else {
    const { stdout: _1, stderr: _2, start: _3, phases: _4, usage: _5, ...rest } = outcome;
    ending = rest;
  }
  const phasesNs: number[] = [];
  storeWasmPhases(phasesNs, 0, phases);
  return [
    ticket,
    ending,
    stdout.length === 0 ? undefined : stdout,
    stderr.length === 0 ? undefined : stderr,
    start,
    phasesNs,
    usage.memoryBytes,
    usage.inputBytes,
    usage.hostCalls,
    usage.units,
    usage.cpuNs,
    heldNs,
    values,
  ];
}

/** The outcome that was encoded. */
export function decodeOutcome(answer: InvokeAnswer): Outcome {
  const [, ending, stdout = noOutput(), stderr = noOutput(), start, phasesNs, ...used] = answer;
  const [memoryBytes, inputBytes, hostCalls, units, cpuNs, , values] = used;
  const phases = loadWasmPhases(phasesNs, 0);
  const usage = {
    memoryBytes,
    inputBytes,
    hostCalls,
    ...(units === undefined ? {} : { units }),
    ...(cpuNs === undefined ? {} : { cpuNs }),
  };
  if (ending === 0) {
    return { kind: 'ok', stdout, stderr, start, phases, usage, ...(values === undefined ? {} : { values }) };
  }
  if (typeof ending === 'number') return { kind: 'exit', exitCode: ending, stdout, stderr, start, phases, usage };
  return { ...ending, stdout, stderr, start, phases, usage };
}
