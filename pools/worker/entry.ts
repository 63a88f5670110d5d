/**
 * The worker's side of the pool, in Piscina's worker threads. The answer leaves before the micro-VM is put back: Piscina
 * posts it one microtask after the handler returns, and `settle` runs two later, before the next request is read.
 */

import type { Piscina } from 'piscina';
import { createRequire } from 'node:module';
import { workerData } from 'node:worker_threads';
import { AddressSpace } from '../../host/address-space.ts';
import { deployHere } from '../../host/deployment.ts';
import { isNebulaError, messageOf, toFailure } from '../../host/errors.ts';
import { GuestThread } from '../../host/guest-thread.ts';
import type { Answer, Request, WorkerSetup } from './messages.ts';

/** From this size on an output is handed over instead of copied. */
const MOVE_BYTES = 65_536;

const setup = workerData as WorkerSetup;
const space = new AddressSpace(setup.memories, setup.memoriesLimit);
const thread = new GuestThread(space);

let unsettled = '';
const settle = (): void => thread.settle(unsettled);
const settleAfterAnswer = (): void => queueMicrotask(settle);

/** Piscina's handler. */
export function handle(request: Request): Answer | Promise<Answer> {
  try {
    return request.op === 'invoke' ? invoke(request) : serve(request);
  } catch (error) {
    if (request.op === 'invoke' && isNebulaError(error) && error.key === 'ADDRESS_SPACE')
      return invokeWithRoom(request);
    return refuse(error);
  }
}

type Invoke = Request & { op: 'invoke' };

function invoke(request: Invoke): Answer {
  const { id, install } = request;
  if (install !== undefined && !thread.has(id)) thread.install(install.definition, install.image, install.strategy);
  const outcome = thread.invoke(id, request.invocation, request.calledNs, 0);
  unsettled = id;
  queueMicrotask(settleAfterAnswer);
  const answer: Answer = { ok: true, outcome };
  return outcome.stdout.length < MOVE_BYTES ? answer : moved(answer, outcome.stdout.buffer);
}

let piscina: typeof Piscina | undefined;

/** Has Piscina hand the buffer over with the answer. Loaded at the first need: it would double a worker's start. */
function moved(answer: Answer, buffer: ArrayBufferLike): Answer {
  piscina ??= createRequire(import.meta.url)('piscina') as typeof Piscina;
  const { transferableSymbol, valueSymbol } = piscina;
  const transfer = { [transferableSymbol]: buffer, [valueSymbol]: answer };
  return piscina.move(transfer as unknown as ArrayBuffer) as unknown as Answer;
}

async function invokeWithRoom(request: Invoke): Promise<Answer> {
  try {
    await thread.makeRoom();
    return invoke(request);
  } catch (error) {
    return refuse(error);
  }
}

function serve(request: Exclude<Request, Invoke>): Answer | Promise<Answer> {
  switch (request.op) {
    case 'deploy': {
      const { definition } = request;
      const deployment = deployHere(definition);
      const { snapshot: _, ...installed } = definition;
      thread.install(installed, deployment.image, deployment.strategy);
      thread.makeReady(definition.id);
      return { ok: true, deployment };
    }
    case 'remove':
      thread.remove(request.id);
      return { ok: true };
    case 'evict':
      return thread.makeRoom().then(() => ({ ok: true }) as const);
    case 'start':
      return { ok: true };
    default:
      return request satisfies never;
  }
}

function refuse(error: unknown): Answer {
  return { ok: false, failure: toFailure(error), detail: messageOf(error) };
}
