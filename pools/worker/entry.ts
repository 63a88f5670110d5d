/**
 * The worker's side of the pool, in Piscina's worker threads. The answer leaves before the micro-VM is put back, and the
 * micro-VM is put back before the next request is read.
 */

import type { MessagePort } from 'node:worker_threads';
import { AddressSpace } from '../../host/address-space.ts';
import { deployHere } from '../../host/deployment.ts';
import { isNebulaError, messageOf, toFailure } from '../../host/errors.ts';
import { GuestThread } from '../../host/guest-thread.ts';
import {
  claim,
  encodeOutcome,
  type Chore,
  type ChoreAnswer,
  type InvokeAnswer,
  type InvokeRequest,
  type Refusal,
  type Request,
  type Serve,
} from './messages.ts';

/** From this size on an output is handed over instead of copied. */
const MOVE_BYTES = 65_536;
/** How long the first answer of a batch may wait for the others. */
const BATCH_MS = 0.1;

/** Piscina's handler: answers what comes over the port from now on. */
export function serve(task: Serve): void {
  const { port } = task;
  const claims = new Int32Array(task.claims);
  const thread = new GuestThread(new AddressSpace(task.memories, task.memoriesLimit, task.ownMemories));
  port.on('message', (request: Request) => {
    if ('op' in request) void answerChore(port, thread, request);
    else new Batch(port, thread, claims).run(request);
  });
}

/** Runs the invocations of one message, one after the other. */
class Batch {
  readonly #port: MessagePort;
  readonly #thread: GuestThread;
  readonly #claims: Int32Array;
  #answers: (InvokeAnswer | Refusal)[] = [];
  #moved: ArrayBuffer[] = [];
  #startedMs = 0;

  constructor(port: MessagePort, thread: GuestThread, claims: Int32Array) {
    this.#port = port;
    this.#thread = thread;
    this.#claims = claims;
  }

  run(requests: readonly InvokeRequest[]): void {
    const last = requests.length - 1;
    for (let at = 0; at <= last; at++) {
      const request = requests[at] as InvokeRequest;
      const isClaimed = claim(this.#claims, request[0], request[1]);
      if (isClaimed) this.#invoke(request);
      if (at === last || performance.now() - this.#startedMs > BATCH_MS) this.#send();
      if (isClaimed) this.#thread.settle(request[2]);
    }
  }

  #invoke(request: InvokeRequest): void {
    const [, ticket, id, input, calledNs, given, install] = request;
    const thread = this.#thread;
    try {
      if (install !== undefined && !thread.has(id)) thread.install(install.definition, install.image, install.strategy);
      const outcome = thread.invoke(id, given === undefined ? { input } : { ...given, input }, calledNs, 0);
      if (outcome.stdout.length >= MOVE_BYTES) this.#moved.push(outcome.stdout.buffer as ArrayBuffer);
      this.#add(encodeOutcome(ticket, outcome));
    } catch (error) {
      if (isNebulaError(error) && error.key === 'ADDRESS_SPACE') void invokeWithRoom(this.#port, thread, request);
      else this.#add({ ...refusal(error), ticket });
    }
  }

  #add(answer: InvokeAnswer | Refusal): void {
    if (this.#answers.push(answer) === 1) this.#startedMs = performance.now();
  }

  #send(): void {
    if (this.#answers.length === 0) return;
    this.#port.postMessage(this.#answers, this.#moved.length === 0 ? undefined : this.#moved);
    this.#answers = [];
    this.#moved = [];
  }
}

/** Makes room and tries once more; requests that come meanwhile are answered meanwhile. */
async function invokeWithRoom(port: MessagePort, thread: GuestThread, request: InvokeRequest): Promise<void> {
  const [, ticket, id, input, calledNs, given] = request;
  try {
    await thread.makeRoom();
    port.postMessage([encodeOutcome(ticket, thread.invoke(id, { ...given, input }, calledNs, 0))]);
    thread.settle(id);
  } catch (error) {
    port.postMessage([{ ...refusal(error), ticket }]);
  }
}

async function answerChore(port: MessagePort, thread: GuestThread, chore: Chore): Promise<void> {
  try {
    port.postMessage(await doChore(thread, chore));
  } catch (error) {
    port.postMessage(refusal(error));
  }
}

async function doChore(thread: GuestThread, chore: Chore): Promise<ChoreAnswer> {
  switch (chore.op) {
    case 'deploy': {
      const { definition } = chore;
      const deployment = deployHere(definition);
      const { snapshot: _, ...installed } = definition;
      thread.install(installed, deployment.image, deployment.strategy);
      thread.makeReady(definition.id);
      return { ok: true, deployment };
    }
    case 'remove':
      thread.remove(chore.id);
      return { ok: true };
    case 'evict':
      await thread.makeRoom();
      return { ok: true };
    default:
      return chore satisfies never;
  }
}

function refusal(error: unknown): Refusal {
  return { ok: false, failure: toFailure(error), detail: messageOf(error) };
}
