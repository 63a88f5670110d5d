/**
 * The worker's side of the pool, in Piscina's worker threads. The answer leaves before the micro-VM is put back, and the
 * micro-VM is put back before the next request is read.
 */

import type { MessagePort } from 'node:worker_threads';
import { AddressSpace, collectGarbage } from '../../host/address-space.ts';
import { deployHere } from '../../host/deployment.ts';
import { isNebulaError, messageOf, toFailure } from '../../host/errors.ts';
import { GuestThread } from '../../host/guest-thread.ts';
import type { Outcome } from '../../host/outcome.ts';
import { loadLibc } from '../../host/linux/libc.ts';
import { RestoreTally } from '../../host/restore-tally.ts';
import { AnswerBox } from './answer-box.ts';
import {
  ANSWERS_LEFT,
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
  // A thread that is ended while it loads koffi takes the process with it, so that must be over before any guest runs.
  loadLibc();
  const space = new AddressSpace(task.memories, task.memoriesLimit, task.ownMemories);
  const thread = new GuestThread(space, new RestoreTally(task.restores));
  const runner = new Runner(port, thread, new Int32Array(task.claims), new AnswerBox(task.answers));
  port.on('message', (request: Request) => {
    if ('op' in request) void answerChore(port, thread, request);
    else runner.run(request);
  });
}

/**
 * Runs invocations one after the other. None is taken up before the answer of the one before has left: it may never end,
 * and whoever stops it then loses no other's answer.
 */
class Runner {
  readonly #port: MessagePort;
  readonly #thread: GuestThread;
  readonly #claims: Int32Array;
  readonly #answers: AnswerBox;
  /** What came while room was made for one. */
  #later: InvokeRequest[] | undefined;

  constructor(port: MessagePort, thread: GuestThread, claims: Int32Array, answers: AnswerBox) {
    this.#port = port;
    this.#thread = thread;
    this.#claims = claims;
    this.#answers = answers;
  }

  run(requests: readonly InvokeRequest[]): void {
    for (const request of requests) {
      if (this.#later !== undefined) this.#later.push(request);
      else this.#take(request);
    }
  }

  #take(request: InvokeRequest): void {
    const [slot, ticket, id, , , , install] = request;
    // One that was taken back may still bring the function along: those after it rely on that.
    if (install !== undefined && !this.#thread.has(id)) {
      this.#thread.install(install.definition, install.image, install.strategy);
    }
    if (!claim(this.#claims, slot, ticket)) return;
    try {
      this.#invoke(request);
    } catch (error) {
      if (isNebulaError(error) && error.key === 'ADDRESS_SPACE') void this.#invokeWithRoom(request);
      else this.#port.postMessage({ ...refusal(error), ticket });
    }
  }

  #invoke(request: InvokeRequest): void {
    const [slot, ticket, id, input, calledNs, given] = request;
    const outcome = this.#thread.invoke(id, given === undefined ? { input } : { ...given, input }, calledNs, 0);
    if (!this.#answers.leave(slot, ticket, outcome)) this.#send(ticket, outcome);
    else if (this.#answers.mustCall()) this.#port.postMessage(ANSWERS_LEFT);
    this.#thread.settle(id);
  }

  #send(ticket: number, outcome: Outcome): void {
    const { stdout } = outcome;
    const moved = stdout.length < MOVE_BYTES ? undefined : [stdout.buffer as ArrayBuffer];
    this.#port.postMessage(encodeOutcome(ticket, outcome), moved);
  }

  /** Makes room and tries once more; what comes meanwhile waits. */
  async #invokeWithRoom(request: InvokeRequest): Promise<void> {
    const later: InvokeRequest[] = (this.#later = []);
    try {
      await this.#thread.makeRoom();
      this.#invoke(request);
    } catch (error) {
      this.#port.postMessage({ ...refusal(error), ticket: request[1] });
    }
    this.#later = undefined;
    this.run(later);
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
    case 'collect':
      collectGarbage();
      return { ok: true };
    default:
      return chore satisfies never;
  }
}

function refusal(error: unknown): Refusal {
  return { ok: false, failure: toFailure(error), detail: messageOf(error) };
}
