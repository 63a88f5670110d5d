/**
 * The worker's side of the pool, in Piscina's worker threads. The answer leaves before the micro-VM is put back, and the
 * micro-VM is put back before the next request is read.
 */

import type { MessagePort } from 'node:worker_threads';
import { AddressSpace, collectGarbage } from '../../host/linux/address-space.ts';
import { shareOutgoing } from '../../host/component/outgoing/outgoing.ts';
import { GuestThread } from '../../host/thread/guest-thread.ts';
import { loadLibc } from '../../host/linux/libc.ts';
import { kernelThreadId } from '../../host/linux/thread-cpu.ts';
import { tellThreadMemory } from '../../host/linux/thread-memory.ts';
import { WaitingRecords } from '../../host/thread/waiting-records.ts';
import { RestoreTally } from '../../host/restore-tally.ts';
import { tellWaiting } from '../../host/wasi/session/blocked-thread.ts';
import { RunRecord } from '../../host/wasi/session/run-record.ts';
import { Turns } from '../../host/waiting/turns.ts';
import { AnswerBox } from './answer-box.ts';
import { stopCell } from './claims.ts';
import {
  REQUESTS_LEFT,
  toRefusal,
  type Chore,
  type ChoreAnswer,
  type OutgoingPort,
  type Request,
  type Serve,
} from './messages.ts';
import { RequestBox } from './request-box.ts';
import { Runner } from './runner.ts';
import { WorkerLink } from './worker-link.ts';

/** Piscina's handler: answers what comes over the port from now on. */
export function serve(task: Serve): void {
  const { port } = task;
  // A thread that is ended while it loads koffi takes the process with it, so that must be over before any guest runs.
  loadLibc();
  tellThreadMemory(task.threadMemory);
  const space = new AddressSpace(task.memories, task.memoriesLimit, task.ownMemories);
  const record = new RunRecord(task.record, (buffer) => port.postMessage(buffer));
  const claims = stopCell(task.claims);
  const records = new WaitingRecords((told) => port.postMessage(told), new Int32Array(task.waiting, 4));
  const waiting = { records, turns: new Turns(new Int32Array(task.waiting, 8)) };
  const link =
    task.bindings === undefined
      ? undefined
      : new WorkerLink({
          line: task.bindings,
          signal: claims.signal,
          send: (message) => port.postMessage(message),
        });
  const thread = new GuestThread({
    space,
    restores: new RestoreTally(task.restores),
    record,
    stop: claims,
    link,
    waiting,
  });
  tellWaiting(task.waiting);
  new Int32Array(task.waiting)[3] = kernelThreadId();
  shareOutgoing({
    losses: task.outgoingLosses,
    connect: (far) => port.postMessage({ outgoing: far } satisfies OutgoingPort, [far]),
  });
  const [requests, answers] = [new RequestBox(task.requests), new AnswerBox(task.answers)];
  const runner = new Runner({ port, thread, record, claims, requests, answers });
  port.on('message', (request: Request) => {
    runner.sendLater();
    if (request !== REQUESTS_LEFT && 'drop' in request) {
      runner.drop(request.drop);
      return;
    }
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
