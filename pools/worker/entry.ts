/**
 * The worker's side of the pool, in Piscina's worker threads. The answer leaves before the micro-VM is put back, and the
 * micro-VM is put back before the next request is read.
 */

import type { MessagePort } from 'node:worker_threads';
import { AddressSpace } from '../../host/address-space.ts';
import { deployHere } from '../../host/deployment.ts';
import { isNebulaError, messageOf, toFailure } from '../../host/errors.ts';
import { GuestThread } from '../../host/guest-thread.ts';
import type { Invocation } from '../../host/outcome.ts';
import {
  claim,
  encodeOutcome,
  type Chore,
  type ChoreAnswer,
  type InvokeRequest,
  type Refusal,
  type Request,
  type Serve,
} from './messages.ts';

/** From this size on an output is handed over instead of copied. */
const MOVE_BYTES = 65_536;

/** Piscina's handler: answers what comes over the port from now on. */
export function serve(task: Serve): void {
  const { port } = task;
  const claims = new Int32Array(task.claims);
  const thread = new GuestThread(new AddressSpace(task.memories, task.memoriesLimit, task.ownMemories));
  port.on('message', (request: Request) => {
    if ('op' in request) void answerChore(port, thread, request);
    else if (claim(claims, request[0], request[1])) invoke(port, thread, request);
  });
}

function invoke(port: MessagePort, thread: GuestThread, request: InvokeRequest): void {
  const [, ticket, id, input, calledNs, given, install] = request;
  try {
    if (install !== undefined && !thread.has(id)) thread.install(install.definition, install.image, install.strategy);
    const invocation: Invocation = given === undefined ? { input } : { ...given, input };
    const outcome = thread.invoke(id, invocation, calledNs, 0);
    const { stdout } = outcome;
    const moved = stdout.length < MOVE_BYTES ? undefined : [stdout.buffer as ArrayBuffer];
    port.postMessage(encodeOutcome(ticket, outcome), moved);
    thread.settle(id);
  } catch (error) {
    if (isNebulaError(error) && error.key === 'ADDRESS_SPACE') void invokeWithRoom(port, thread, request);
    else port.postMessage({ ...refusal(error), ticket });
  }
}

/** Makes room and tries once more; requests that come meanwhile are answered meanwhile. */
async function invokeWithRoom(port: MessagePort, thread: GuestThread, request: InvokeRequest): Promise<void> {
  const [, ticket, id, input, calledNs, given] = request;
  try {
    await thread.makeRoom();
    port.postMessage(encodeOutcome(ticket, thread.invoke(id, { ...given, input }, calledNs, 0)));
    thread.settle(id);
  } catch (error) {
    port.postMessage({ ...refusal(error), ticket });
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
