/**
 * The worker's side of the pool, in Piscina's worker threads. The answer leaves before the micro-VM is put back, and the
 * micro-VM is put back before the next request is read.
 */

import type { MessagePort } from 'node:worker_threads';
import { AddressSpace, collectGarbage } from '../../host/linux/address-space.ts';
import { GuestThread } from '../../host/thread/guest-thread.ts';
import { loadLibc } from '../../host/linux/libc.ts';
import { tellThreadMemory } from '../../host/linux/thread-memory.ts';
import { RestoreTally } from '../../host/restore-tally.ts';
import { RunRecord } from '../../host/wasi/session/run-record.ts';
import { AnswerBox } from './answer-box.ts';
import { REQUESTS_LEFT, toRefusal, type Chore, type ChoreAnswer, type Request, type Serve } from './messages.ts';
import { RequestBox } from './request-box.ts';
import { Runner } from './runner.ts';

/** Piscina's handler: answers what comes over the port from now on. */
export function serve(task: Serve): void {
  const { port } = task;
  // A thread that is ended while it loads koffi takes the process with it, so that must be over before any guest runs.
  loadLibc();
  tellThreadMemory(task.threadMemory);
  const space = new AddressSpace(task.memories, task.memoriesLimit, task.ownMemories);
  const record = new RunRecord(task.record, (buffer) => port.postMessage(buffer));
  const thread = new GuestThread(space, new RestoreTally(task.restores), record);
  const claims = new Int32Array(task.claims);
  const [requests, answers] = [new RequestBox(task.requests), new AnswerBox(task.answers)];
  const runner = new Runner({ port, thread, record, claims, requests, answers });
  port.on('message', (request: Request) => {
    if (request !== REQUESTS_LEFT && 'op' in request) {
      if (request.op === 'remove') runner.forget(request.id);
      void answerChore(port, thread, request);
      return;
    }
    if (request !== REQUESTS_LEFT) runner.keep(request);
    runner.run();
  });
}

async function answerChore(port: MessagePort, thread: GuestThread, chore: Chore): Promise<void> {
  try {
    port.postMessage(await doChore(thread, chore));
  } catch (error) {
    port.postMessage(toRefusal(error));
  }
}

async function doChore(thread: GuestThread, chore: Chore): Promise<ChoreAnswer> {
  switch (chore.op) {
    case 'deploy':
      return { ok: true, deployment: await thread.deploy(chore.definition) };
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
