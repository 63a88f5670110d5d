/** In which order a worker runs what comes to it: no answer waits for a guest that is not its own. */

import assert from 'node:assert/strict';
import { setImmediate as turn } from 'node:timers/promises';
import { MessageChannel, receiveMessageOnPort } from 'node:worker_threads';
import { test, type TestContext } from 'node:test';
import { NebulaError } from '../../../host/errors.ts';
import type { Outcome } from '../../../host/outcome.ts';
import type { GuestThread } from '../../../host/thread/guest-thread.ts';
import type { StartedCall } from '../../../host/thread/waiting-lane.ts';
import { Suspension } from '../../../host/waiting/suspension.ts';
import { Turns } from '../../../host/waiting/turns.ts';
import { createRecord } from '../../../host/wasi/session/record-layout.ts';
import { RunRecord } from '../../../host/wasi/session/run-record.ts';
import { AnswerBox } from '../../../pools/worker/answer-box.ts';
import { createClaims, stopCell } from '../../../pools/worker/claims.ts';
import { RequestBox } from '../../../pools/worker/request-box.ts';
import { Runner } from '../../../pools/worker/runner.ts';

const CALL = { input: new Uint8Array(), calledNs: 0 };

const OUTCOME: Outcome = {
  kind: 'ok',
  stdout: new Uint8Array(),
  stderr: new Uint8Array(),
  start: 'ready',
  phases: { queue: 0, compile: 0, instantiate: 0, restore: 0, run: 0, collect: 0 },
  usage: { memoryBytes: 0, inputBytes: 0, hostCalls: 0 },
};

/** A call of the waiting lane whose end the test says. */
interface Started extends StartedCall {
  end(): void;
}

function deferred(): { readonly promise: Promise<Outcome>; readonly resolve: (outcome: Outcome) => void } {
  const made: { resolve?: (outcome: Outcome) => void } = {};
  const promise = new Promise<Outcome>((resolve) => (made.resolve = resolve));
  return { promise, resolve: (outcome) => made.resolve?.(outcome) };
}

/** Lets what is promised come: the event loop has no turn meanwhile. */
async function microtasks(): Promise<void> {
  for (let step = 0; step < 10; step++) await Promise.resolve();
}

function started(isSuspended: boolean): Started {
  const suspension = new Suspension(new Turns());
  const record = new RunRecord(createRecord(64), () => {}, 1);
  suspension.begin(record);
  if (isSuspended) suspension.sleep(60_000).catch(() => undefined);
  const { promise: outcome, resolve } = deferred();
  return { suspension, record, outcome, end: () => resolve(OUTCOME), settle: () => undefined };
}

/** A runner of a thread whose calls begin as `start` says, by ticket, and what it has answered. */
function open(context: TestContext, start: (ticket: number) => StartedCall) {
  const { port1, port2 } = new MessageChannel();
  const [claims, requests, answers] = [stopCell(createClaims()), new RequestBox(), new AnswerBox()];
  const thread = {
    start: (_id: string, _invocation: unknown, _calledNs: number, ticket: number) => start(ticket),
    makeRoom: () => turn(),
  } as unknown as GuestThread;
  const record = new RunRecord(createRecord(), () => {});
  const [far, box] = [new RequestBox(requests.buffer), new AnswerBox(answers.buffer)];
  const runner = new Runner({ port: port1, thread, record, claims, requests, answers });
  context.after(() => port1.close());
  const told: number[] = [];
  const collect = (): readonly number[] => {
    box.take((ticket) => told.push(ticket));
    for (;;) {
      const received: { message: { later?: readonly [number][] } } | undefined = receiveMessageOnPort(port2);
      if (received === undefined) return told;
      for (const [ticket] of received.message.later ?? []) told.push(ticket);
    }
  };
  const send = (slot: number): void => {
    claims.cells[slot] = slot + 1;
    far.leave(slot, slot + 1, 0, CALL);
  };
  return { runner, send, collect };
}

test('Runner takes no further call while one for which room was made has not answered', async (context) => {
  const begun: number[] = [];
  const first = started(false);
  const { runner, send, collect } = open(context, (ticket) => {
    begun.push(ticket);
    if (begun.length === 1) throw new NebulaError('ADDRESS_SPACE', { name: 'f', limit: 1 });
    return ticket === 1 ? first : started(true);
  });
  send(0);
  send(1);
  runner.run();
  await turn();
  await turn();
  assert.deepEqual(begun, [1, 1]);
  first.end();
  await turn();
  assert.deepEqual(begun, [1, 1, 2]);
  assert.deepEqual(collect(), [1]);
});

test('Runner sends the answer of a guest that was suspended before any other guest goes on or begins', async (context) => {
  const calls = [started(true), started(true), started(true)];
  const seen: number[][] = [];
  const { runner, send, collect } = open(context, (ticket) => {
    if (ticket === 3) seen.push([...collect()]);
    return calls[ticket - 1] as Started;
  });
  send(0);
  send(1);
  runner.run();
  calls[0]?.end();
  await microtasks();
  calls[1]?.suspension.beforeGoingOn?.();
  assert.deepEqual(collect(), [1]);
  calls[1]?.end();
  await microtasks();
  send(2);
  runner.run();
  assert.deepEqual(seen, [[1, 2]]);
  for (const { suspension } of calls) suspension.abandon();
});
