import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { hasCow } from '../../../host/linux/memory.ts';
import type { PendingCall } from '../../../host/bindings/link.ts';
import { BindingTable } from '../../../host/bindings/bindings.ts';
import { BoundCalls } from '../../../pools/bindings/bound-calls.ts';
import { BindingDesk } from '../../../pools/worker/binding-desk.ts';
import { type BindingMessage, createLine, Line, SLOT, SlotMemory } from '../../../pools/worker/binding-slot.ts';
import { WorkerLink } from '../../../pools/worker/worker-link.ts';

const MIB = 2 ** 20;

/** A link, and what it told its pool, which answers what comes over the port. */
function open(): { link: WorkerLink; line: Line; told: BindingMessage[]; slots: SlotMemory[] } {
  const shared = createLine();
  const told: BindingMessage[] = [];
  const slots: SlotMemory[] = [];
  const send = (message: BindingMessage): void => {
    told.push(message);
    if (message.what === 'slot') slots.push(new SlotMemory(message.memory));
    // Answered later, so that the next call does not wait for it here.
    if (message.what === 'request') slots[message.binding - 1]?.say(SLOT.answered, 2, false);
  };
  const signal = new Int32Array(new SharedArrayBuffer(4));
  return { link: new WorkerLink({ line: shared, signal, send }), line: new Line(shared), told, slots };
}

function ask(link: WorkerLink, length: number): PendingCall {
  const memory = new Uint8Array(length).fill(7);
  return link.start(1, 0, 'orders.same', { memory, pointer: 0, length, isBlocking: true }) as PendingCall;
}

/** The pool's answer to what was told on the line. */
function answer(line: Line, slots: readonly SlotMemory[], length: number): void {
  const number = line.next ?? 0;
  line.advance();
  slots[number - 1]?.say(SLOT.answered, length, false);
}

const whatOf = (told: readonly BindingMessage[]): readonly string[] => told.map(({ what }) => what);

test('WorkerLink sends a room once, and uses it for later requests and answers', () => {
  const { link, line, told, slots } = open();
  ask(link, MIB).take(new Uint8Array(8));
  for (let call = 0; call < 1000; call++) {
    const pending = ask(link, MIB - call);
    answer(line, slots, MIB);
    assert.ok(pending.isAnswered());
    const taken = pending.take(new Uint8Array(MIB));
    assert.deepEqual([taken[0], taken[MIB - 1]], [7, 7]);
  }
  assert.deepEqual(whatOf(told), ['slot', 'request']);
});

test('WorkerLink makes a room for an answer that the pool has none for, once', () => {
  const { link, line, told, slots } = open();
  ask(link, 5000).take(new Uint8Array(8));
  for (let call = 0; call < 10; call++) {
    const pending = ask(link, 1);
    line.advance();
    slots[0]?.say(SLOT.wanted, MIB, false);
    assert.ok(!pending.isAnswered() && !pending.isAnswered());
    slots[0]?.say(SLOT.answered, MIB, false);
    assert.ok(pending.isAnswered());
    assert.equal(pending.take(new Uint8Array(8)).length, MIB);
  }
  assert.deepEqual(whatOf(told), ['slot', 'request', 'room']);
});

test('WorkerLink gives back what rooms hold that nobody uses', { skip: !hasCow().ok }, (context: TestContext) => {
  context.mock.timers.enable({ apis: ['setTimeout'] });
  const { link, line, told, slots } = open();
  ask(link, MIB).take(new Uint8Array(8));
  const room = new Uint8Array(told[1]?.memory as SharedArrayBuffer);
  const used = ask(link, MIB);
  context.mock.timers.tick(60_000);
  assert.equal(room[MIB - 1], 7, 'a call is under way in it');
  answer(line, slots, 2);
  used.take(new Uint8Array(8));
  context.mock.timers.tick(5_000);
  assert.equal(room[MIB - 1], 7, 'it was used since the last look');
  context.mock.timers.tick(5_000);
  assert.deepEqual([room[0], room[MIB - 1]], [0, 0]);
  const again = ask(link, MIB);
  answer(line, slots, 2);
  again.take(new Uint8Array(8));
  assert.equal(room[MIB - 1], 7);
  for (let look = 0; look < 2; look++) context.mock.timers.tick(5_000);
  assert.equal(room[0], 0);
  assert.deepEqual(whatOf(told), ['slot', 'request']);
});

test('BindingDesk gives back the room of a slot that is forgotten, and all of them at its end', {
  skip: !hasCow().ok,
}, () => {
  const desk = new BindingDesk({
    calls: new BoundCalls({ table: new BindingTable() }),
    signal: new Int32Array(new SharedArrayBuffer(4)),
    find: () => undefined,
  });
  const rooms = [1, 2].map((binding) => {
    const room = new SharedArrayBuffer(MIB, { maxByteLength: MIB });
    desk.hear({ binding, what: 'slot', memory: new SlotMemory().shared });
    desk.hear({ binding, what: 'room', memory: room });
    return new Uint8Array(room).fill(7);
  }) as [Uint8Array, Uint8Array];
  desk.hear({ binding: 1, what: 'forgotten' });
  assert.deepEqual(
    rooms.map((room) => room[MIB - 1]),
    [0, 7],
  );
  desk.close();
  assert.equal(rooms[1][0], 0);
});
