/** What threads do besides invocations, on threads that are none: which of them gets it, and who is told. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Call } from '../../../pools/worker/call.ts';
import { Chores } from '../../../pools/worker/chores.ts';
import type { Chore } from '../../../pools/worker/messages.ts';
import type { Threads } from '../../../pools/worker/threads.ts';
import type { Removal, Unit } from '../../../pools/worker/unit.ts';

class FakeUnit {
  isIdle = true;
  readonly installed: Set<string> = new Set();
  readonly leaving: Removal[] = [];
  readonly sent: Chore[] = [];

  sendChore(chore: Chore): void {
    this.isIdle = false;
    this.sent.push(chore);
  }

  choreDone(): void {
    this.isIdle = true;
  }
}

const EVICT: Chore = { op: 'evict' };
const REMOVE: Chore = { op: 'remove', id: 'f' };

interface Made {
  readonly chores: Chores;
  readonly units: readonly FakeUnit[];
  readonly real: (index: number) => Unit<Call>;
}

function made(count: number, unstartable?: { readonly error: unknown }): Made {
  const units = Array.from({ length: count }, () => new FakeUnit());
  const chores = new Chores({ units: new Set(units), unstartable } as unknown as Threads<Call>);
  return { chores, units, real: (index) => units[index] as unknown as Unit<Call> };
}

const sentTo = (units: readonly FakeUnit[]): string[][] => units.map(({ sent }) => sent.map(({ op }) => op));

test('Chores.add() has a chore wait for the thread that it is given, in order, and answers what came of it', async () => {
  const { chores, units, real } = made(2);
  const [first, second] = [chores.add(EVICT, 'f'), chores.add(REMOVE, 'g')];
  assert.deepEqual([chores.areWaiting, chores.areRunning], [true, false]);
  const asked: string[] = [];
  const give = (index: number) => (id: string) => {
    asked.push(id);
    return units[index]?.isIdle === true ? real(index) : undefined;
  };
  assert.equal(chores.startWaiting(give(0)), false);
  assert.deepEqual(
    [sentTo(units), asked],
    [
      [['evict'], []],
      ['f', 'g'],
    ],
  );
  assert.deepEqual([[...(units[0]?.installed ?? [])], chores.areWaiting, chores.areRunning], [['f'], true, true]);
  assert.equal(chores.startWaiting(give(1)), true);
  assert.deepEqual([sentTo(units), chores.areWaiting], [[['evict'], ['remove']], false]);
  chores.done(real(1), { ok: true });
  chores.done(real(0), { ok: false, failure: undefined, detail: 'no' });
  assert.deepEqual([await first, await second], [{ ok: false, failure: undefined, detail: 'no' }, { ok: true }]);
  assert.equal(chores.areRunning, false);
  assert.deepEqual([...(units[0]?.installed ?? [])], ['f']);
});

test('Chores.done() has a thread not have a function whose deploy it refused', async () => {
  for (const [ok, installed] of [
    [true, ['f']],
    [false, []],
  ] as const) {
    const { chores, units, real } = made(1);
    const deployed = chores.add({ op: 'deploy' } as Chore, 'f');
    chores.startWaiting(() => real(0));
    const answer = ok ? { ok } : { ok, failure: undefined, detail: 'no' };
    chores.done(real(0), answer);
    assert.equal(await deployed, answer);
    assert.deepEqual([...(units[0]?.installed ?? [])], installed);
  }
});

test('Chores rejects what no thread will do: one was lost, none can be started, the pool has closed', async () => {
  const error = new Error('gone');
  const none = made(0, { error });
  await assert.rejects(none.chores.add(EVICT, 'f'), error);
  assert.equal(none.chores.areWaiting, false);
  const { chores, real } = made(2);
  const [lost, running, waiting] = [chores.add(EVICT, 'f'), chores.add(EVICT, 'f'), chores.add(EVICT, 'f')];
  const idle = [real(0), real(1)];
  chores.startWaiting(() => idle.shift());
  chores.lost(real(0), error);
  await assert.rejects(lost, error);
  chores.rejectWaiting(error);
  await assert.rejects(waiting, error);
  assert.deepEqual([chores.areWaiting, chores.areRunning], [false, true]);
  chores.rejectAll(error);
  await assert.rejects(running, error);
});

test('Chores.stopped() has a deploy begun again on another thread, a few times at most, and ends anything else', async () => {
  const error = new Error('stopped');
  const { chores, units, real } = made(2);
  const deployed = chores.add({ op: 'deploy' } as Chore, 'f');
  chores.startWaiting(() => real(0));
  chores.stopped(real(0), error);
  assert.deepEqual([chores.areWaiting, chores.areRunning], [true, false]);
  chores.startWaiting(() => real(1));
  chores.done(real(1), { ok: true });
  assert.deepEqual(await deployed, { ok: true });
  assert.deepEqual(sentTo(units), [['deploy'], ['deploy']]);
  const unlucky = assert.rejects(chores.add({ op: 'deploy' } as Chore, 'g'), error);
  let stops = 0;
  while (chores.areWaiting) {
    assert.ok(++stops < 100);
    chores.startWaiting(() => real(0));
    chores.stopped(real(0), error);
  }
  await unlucky;
  const evicted = assert.rejects(chores.add(EVICT, 'f'), error);
  chores.startWaiting(() => real(0));
  chores.stopped(real(0), error);
  await evicted;
  assert.deepEqual([chores.areWaiting, chores.areRunning], [false, false]);
});

test('Chores.doOnIdle() asks every idle thread but one at once, doInTurn() one after the other', async () => {
  const { chores, units, real } = made(4);
  (units[1] as FakeUnit).isIdle = false;
  const done = chores.doOnIdle(EVICT, real(2));
  assert.deepEqual(sentTo(units), [['evict'], [], [], ['evict']]);
  chores.lost(real(0), new Error('gone'));
  chores.done(real(3), { ok: true });
  await done;
  const inTurn = chores.doInTurn(EVICT);
  assert.deepEqual(sentTo(units), [['evict'], [], ['evict'], ['evict']]);
  // Busy by the time that it has its turn.
  (units[3] as FakeUnit).isIdle = false;
  chores.done(real(2), { ok: true });
  await inTurn;
  assert.deepEqual(sentTo(units), [['evict'], [], ['evict'], ['evict']]);
});

test('Chores.forgetLeaving() has each idle thread forget one version that it is to, the latest first', () => {
  const { chores, units, real } = made(3);
  const forgotten: string[] = [];
  for (const unit of units.slice(0, 2)) {
    for (const id of ['a', 'b']) unit.leaving.push({ id, done: () => forgotten.push(id) });
  }
  (units[1] as FakeUnit).isIdle = false;
  chores.forgetLeaving();
  assert.deepEqual(
    units.map(({ sent }) => sent),
    [[{ op: 'remove', id: 'b' }], [], []],
  );
  chores.done(real(0), { ok: true });
  assert.deepEqual(forgotten, ['b']);
  chores.forgetLeaving();
  assert.deepEqual(units[0]?.sent.at(-1), { op: 'remove', id: 'a' });
  chores.lost(real(0), new Error('gone'));
  assert.deepEqual(forgotten, ['b', 'a']);
});
