/** The pool's end of calls of bindings, with a worker that says what no worker should. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BoundCalls, OnAnswer } from '../../../pools/bindings/bound-calls.ts';
import type { BindingCaller } from '../../../pools/bindings/bound-call.ts';
import { BindingDesk } from '../../../pools/worker/binding-desk.ts';
import { Line, SLOT, SlotMemory } from '../../../pools/worker/binding-slot.ts';

const LONG = new Uint8Array(9000).fill(7);

/** Answers what needs room. */
const start = (_caller: unknown, _index: number, _bytes: Uint8Array, onAnswer: OnAnswer): void =>
  onAnswer(LONG, false, true);

test('BindingDesk fails a call whose answer is given too little room, and no call is left without an end', (context) => {
  const desk = new BindingDesk({
    calls: { start } as unknown as BoundCalls,
    signal: new Int32Array(new SharedArrayBuffer(4)),
    find: () => ({ isSettled: false }) as BindingCaller,
  });
  context.after(() => desk.close());
  for (const [room, state] of [
    [LONG.length, SLOT.answered],
    [LONG.length - 1, SLOT.failed],
    [3, SLOT.failed],
    [0, SLOT.failed],
  ] as const) {
    const slot = new SlotMemory();
    const binding = room + 1;
    slot.ask(1, 0, 0, true);
    new Line(desk.shared).tell(binding);
    desk.hear({ binding, what: 'slot', memory: slot.shared });
    assert.deepEqual([slot.state, slot.length], [SLOT.wanted, LONG.length]);
    const memory = new SharedArrayBuffer(room);
    desk.hear({ binding, what: 'room', memory });
    assert.equal(slot.state, state);
    const isAnswered = state === SLOT.answered;
    const told = Buffer.from(isAnswered ? new Uint8Array(memory) : slot.bytes).subarray(0, slot.length);
    if (isAnswered) assert.deepEqual(new Uint8Array(told), LONG);
    else assert.equal(told.toString(), 'failed\nthe answer has no room');
  }
});
