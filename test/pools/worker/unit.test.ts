/** When a unit calls its worker: at once for a first call, once more for all those that follow it in a turn. */

import assert from 'node:assert/strict';
import { setImmediate as turn } from 'node:timers/promises';
import { receiveMessageOnPort, type Worker } from 'node:worker_threads';
import { test } from 'node:test';
import { monotonicNs } from '../../../host/monotonic.ts';
import type { Outcome } from '../../../host/outcome.ts';
import { NO_PHASES } from '../../../host/phases.ts';
import { WaitingRecords } from '../../../host/thread/waiting-records.ts';
import { AnswerBox } from '../../../pools/worker/answer-box.ts';
import { ANSWERS_LEFT, REQUESTS_LEFT } from '../../../pools/worker/messages.ts';
import { RequestBox } from '../../../pools/worker/request-box.ts';
import type { Sending } from '../../../pools/worker/outbox.ts';
import type { Sent } from '../../../pools/worker/suspended-guests.ts';
import { Unit, type UnitEvents } from '../../../pools/worker/unit.ts';

const EVENTS: UnitEvents<Sent> = {
  onOutcome: () => undefined,
  onParked: () => undefined,
  onRefusal: () => undefined,
  onChoreDone: () => undefined,
  onTold: () => undefined,
};

const OUTCOME: Outcome = {
  kind: 'ok',
  stdout: new Uint8Array(),
  stderr: new Uint8Array(),
  start: 'ready',
  phases: NO_PHASES,
  usage: { memoryBytes: 0, inputBytes: 0, hostCalls: 0 },
};

/** A unit whose worker is this test, and the worker's end of its box. */
function unitAndBox(): [Unit<Sent>, RequestBox] {
  const unit = new Unit<Sent>({ threadId: 0 } as Worker, EVENTS, () => undefined);
  return [unit, new RequestBox(unit.requests.buffer)];
}

function send(unit: Unit<Sent>): void {
  const what: Sending = { id: 'f', input: new Uint8Array(), calledNs: 0, given: undefined, install: undefined };
  unit.send({ ticket: 0, slot: 0 }, what);
}

/** How often the worker was called since it was last asked. */
function callsOf(unit: Unit<Sent>): number {
  let calls = 0;
  for (;;) {
    const received: { message: unknown } | undefined = receiveMessageOnPort(unit.farPort);
    if (received === undefined) return calls;
    if (received.message === REQUESTS_LEFT) calls++;
  }
}

/** Looks at all requests and goes to sleep, as a worker does. */
function work(box: RequestBox): number {
  let looked = 0;
  while (box.next()) looked++;
  assert.equal(box.sleep(), true);
  return looked;
}

test('Unit.send() calls a sleeping worker at once, and once at the end of the turn for all that come behind', async () => {
  const [unit, box] = unitAndBox();
  try {
    send(unit);
    assert.equal(callsOf(unit), 1);
    assert.equal(work(box), 1);
    for (let behind = 0; behind < 8; behind++) send(unit);
    assert.equal(callsOf(unit), 0);
    await turn();
    assert.equal(callsOf(unit), 1);
    assert.equal(work(box), 8);
    await turn();
    assert.equal(callsOf(unit), 0);
  } finally {
    unit.close();
  }
});

test('Unit.send() does not call a worker that is awake', async () => {
  const [unit, box] = unitAndBox();
  try {
    send(unit);
    send(unit);
    assert.equal(callsOf(unit), 1);
    await turn();
    assert.equal(callsOf(unit), 0);
    assert.equal(work(box), 2);
  } finally {
    unit.close();
  }
});

test('Unit calls for what came behind as soon as it hears an answer: its time may count from then on', async () => {
  const calls: number[] = [];
  const events = { ...EVENTS, onTold: (): unknown => calls.push(callsOf(unit)) };
  const unit = new Unit<Sent>({ threadId: 0 } as Worker, events, () => undefined);
  const box = new RequestBox(unit.requests.buffer);
  try {
    send(unit);
    assert.equal(callsOf(unit), 1);
    work(box);
    // What is sent in a check phase is called for in the next one, before which messages are heard.
    await turn();
    send(unit);
    unit.farPort.postMessage(ANSWERS_LEFT);
    while (calls.length === 0) await turn();
    assert.deepEqual(calls, [1]);
    assert.equal(work(box), 1);
    await turn();
    assert.equal(callsOf(unit), 0);
  } finally {
    unit.close();
  }
});

test('Unit.collectAll() tells of an answer that was left after it looked into the box, and takes its call off the port', async () => {
  const told: number[] = [];
  let turns = 0;
  const events: UnitEvents<Sent> = {
    ...EVENTS,
    onOutcome: (_, ticket) => void told.push(ticket),
    // The box was looked into before this was heard.
    onRefusal: () => {
      assert.equal(box.leave(sent.slot, sent.ticket, OUTCOME), true);
      assert.equal(box.mustCall(), true);
      unit.farPort.postMessage(ANSWERS_LEFT);
    },
    onTold: () => turns++,
  };
  const unit = new Unit<Sent>({ threadId: 0 } as Worker, events, () => undefined);
  const box = new AnswerBox(unit.answers.buffer);
  send(unit);
  const [sent] = unit.inFlight as [Sent];
  try {
    unit.farPort.postMessage({ ok: false, ticket: 77, failure: undefined, detail: 'refused' });
    unit.collectAll();
    assert.deepEqual(told, [sent.ticket]);
    await Promise.resolve();
    assert.equal(turns, 1, 'whoever waits for a thread has a look');
    assert.equal(box.mustCall(), true, 'what is left from now on is called for');
  } finally {
    unit.close();
  }
});

test('A unit with a guest that is suspended is idle, and not unused', () => {
  const parkedOf: Sent[] = [];
  const events = { ...EVENTS, onParked: (_: Unit<Sent>, sent: Sent) => void parkedOf.push(sent) };
  const unit = new Unit<Sent>({ threadId: 0 } as Worker, events, () => undefined);
  try {
    unit.isOccupied = false;
    assert.equal(unit.isUnused, true);
    send(unit);
    const [sent] = unit.inFlight as [Sent];
    new AnswerBox(unit.answers.buffer).park(sent.slot, sent.ticket, 1, 0);
    unit.collect();
    assert.deepEqual(parkedOf, [sent]);
    assert.deepEqual([unit.isIdle, unit.isUnused], [true, false]);
    assert.equal(unit.answered(sent.ticket), sent);
    assert.equal(unit.isUnused, true);
  } finally {
    unit.close();
  }
});

test('Unit.resumed is the invocation whose guest went on, as long as it has the thread', async () => {
  const unit = new Unit<Sent>({ threadId: 0 } as Worker, EVENTS, () => undefined);
  const records = new WaitingRecords(
    (told) => unit.farPort.postMessage(told),
    new Int32Array(unit.suspended.waiting, 4),
  );
  try {
    const record = records.take();
    await turn();
    send(unit);
    const [sent] = unit.inFlight as [Sent];
    record.run = sent.ticket;
    record.begin();
    assert.equal(unit.resumed, undefined, 'it was not suspended yet');
    record.suspend(7);
    new AnswerBox(unit.answers.buffer).park(sent.slot, sent.ticket, record.number, 0);
    unit.collect();
    assert.deepEqual([unit.resumed, unit.resumedForNs(sent)], [undefined, 0]);
    const beforeNs = monotonicNs();
    assert.equal(record.resume(), true);
    assert.equal(unit.resumed, sent);
    assert.ok(unit.resumedForNs(sent) <= monotonicNs() - beforeNs);
    unit.isOccupied = false;
    while (monotonicNs() - beforeNs < 5e6) continue;
    assert.deepEqual([unit.isHeld, unit.isIdle], [true, false]);
    record.suspend(7);
    assert.equal(unit.resumed, undefined);
    assert.deepEqual([unit.isHeld, unit.isIdle], [false, true]);
    record.resume();
    record.rest();
    assert.equal(unit.resumed, undefined, 'it has ended');
    record.resume();
    record.run = sent.ticket + 1;
    record.begin();
    assert.equal(unit.resumed, undefined, 'its record is of another run');
  } finally {
    unit.close();
  }
});

test('A unit is not idle as long as its worker has not looked at what was taken back, and there is no place for more', () => {
  const [unit, box] = unitAndBox();
  try {
    unit.isOccupied = false;
    let taken = 0;
    for (; unit.isIdle && taken < 10_000; taken++) {
      send(unit);
      assert.equal(unit.takeBack(unit.inFlight[0] as Sent), true);
    }
    assert.ok(taken > 100 && taken < 10_000, `${taken} were left there`);
    assert.equal(work(box), taken);
    assert.equal(unit.isIdle, true);
  } finally {
    unit.close();
  }
});

/** Ports that keep this process alive. */
function ports(): number {
  return process.getActiveResourcesInfo().filter((name) => name === 'MessagePort').length;
}

test('A unit keeps the process alive as long as its worker does something, whatever is answered meanwhile', async () => {
  const [unit] = unitAndBox();
  const before = ports();
  try {
    unit.isOccupied = false;
    send(unit);
    const [sent] = unit.inFlight as [Sent];
    new AnswerBox(unit.answers.buffer).park(sent.slot, sent.ticket, 1, 0);
    unit.collect();
    unit.sendChore({ op: 'collect' });
    assert.equal(unit.answered(sent.ticket), sent);
    assert.equal(ports(), before + 1);
    unit.choreDone();
    assert.equal(ports(), before);
  } finally {
    unit.close();
  }
});
