/** How a guest of the waiting lane waits, and who says whether it goes on. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Suspension } from '../../../host/waiting/suspension.ts';
import { Turns } from '../../../host/waiting/turns.ts';
import { createRecord } from '../../../host/wasi/session/record-layout.ts';
import { RunReader } from '../../../host/wasi/session/run-reader.ts';
import { RunRecord } from '../../../host/wasi/session/run-record.ts';

const RUN = 7;

function begun(turns: Turns = new Turns()): { suspension: Suspension; reader: RunReader } {
  const shared = createRecord(64);
  const record = new RunRecord(shared, () => {}, 1);
  record.run = RUN;
  record.begin();
  const suspension = new Suspension(turns);
  suspension.begin(record);
  return { suspension, reader: new RunReader(shared) };
}

test('Suspension.sleep() ends when its time is up, and the guest is suspended until then', async () => {
  const { suspension, reader } = begun();
  assert.equal(suspension.isSuspended, false);
  assert.equal(reader.drop(RUN), false, 'it runs');
  const slept = suspension.sleep(1);
  assert.equal(suspension.isSuspended, true);
  await slept;
  assert.equal(suspension.isSuspended, false);
  assert.equal(reader.drop(RUN), false, 'it goes on');
  assert.equal(suspension.abandon(), false);
  assert.equal(suspension.isDropped, false);
});

test('Suspension unwinds a guest that was dropped, by a trap and once', async () => {
  const { suspension, reader } = begun();
  const slept = suspension.sleep(1);
  assert.equal(reader.drop(RUN + 1), false, 'another run');
  assert.equal(reader.drop(RUN), true);
  assert.equal(reader.drop(RUN), false, 'it is dropped already');
  await assert.rejects(slept, WebAssembly.RuntimeError);
  assert.equal(suspension.isDropped, true);
  assert.equal(suspension.abandon(), false);
});

test('Suspension.onSuspended is called once, when the guest is first suspended, and not for one that is told to stop', async () => {
  const { suspension, reader } = begun();
  let calls = 0;
  const onSuspended = (): void => {
    assert.equal(suspension.isSuspended, true);
    calls++;
  };
  suspension.onSuspended = onSuspended;
  await suspension.sleep(1);
  await suspension.sleep(1);
  assert.equal(calls, 1);
  suspension.onSuspended = onSuspended;
  assert.equal(reader.tellToStop(RUN, true), true);
  await suspension.sleep(60_000);
  suspension.meter = { pause: () => false, resume: () => undefined, used: { units: 0 } };
  assert.equal(calls, 1);
  const { suspension: metered } = begun();
  metered.meter = suspension.meter;
  metered.onSuspended = onSuspended;
  await metered.sleep(60_000);
  assert.equal(calls, 1, 'nor one that its meter was told of');
});

test('Suspension.changed() ends with the cell, or with the time; wake-ups of waits before are none of later ones', async () => {
  const { suspension } = begun();
  const cells = new Int32Array(new SharedArrayBuffer(4));
  await suspension.changed(cells, 1, Infinity);
  const changed = suspension.changed(cells, 0, Infinity);
  Atomics.store(cells, 0, 1);
  Atomics.notify(cells, 0);
  await changed;
  await suspension.changed(cells, 1, 1);
  let isEarly = true;
  const later = suspension.changed(cells, 1, Infinity).then(() => assert.equal(isEarly, false));
  await sleep(20);
  isEarly = false;
  Atomics.notify(cells, 0);
  await later;
});

test('Suspension does not suspend a guest that is told to stop', async () => {
  const { suspension, reader } = begun();
  assert.equal(reader.tellToStop(RUN, true), true);
  await suspension.sleep(2 ** 30);
  await suspension.changed(new Int32Array(new SharedArrayBuffer(4)), 0, Infinity);
  assert.equal(suspension.isDropped, false);
});

test('Suspension.heldNs does not grow while the guest is suspended', async () => {
  const { suspension } = begun();
  const slept = suspension.sleep(20);
  const { heldNs } = suspension;
  await sleep(5);
  assert.equal(suspension.heldNs, heldNs);
  await slept;
  assert.ok(suspension.heldNs > heldNs);
});

test('Suspension.pass() has guests go on one in each turn of the event loop, in order, after all that was to be done', async () => {
  const told = new Int32Array(1);
  const turns = new Turns(told);
  const guests = ['first', 'second', 'third'].map((name) => ({ name, ...begun(turns) }));
  const order: string[] = [];
  const passed = guests.map(({ name, suspension }) => suspension.pass().then(() => order.push(name)));
  assert.equal(told[0], 3);
  for (let turn = 0; turn < 3; turn++) {
    setImmediate(() => order.push(`turn ${turn}`));
    await new Promise((resolve) => setImmediate(resolve));
  }
  await Promise.all(passed);
  assert.deepEqual(order, ['first', 'turn 0', 'second', 'turn 1', 'third', 'turn 2']);
  assert.equal(told[0], 3, 'they compute on');
  await guests[0]?.suspension.sleep(1);
  for (const { suspension } of guests) suspension.end();
  assert.equal(told[0], 0);
});

test('Suspension.pass() unwinds a guest that was dropped, and others have their turns', async () => {
  const told = new Int32Array(1);
  const turns = new Turns(told);
  const [first, second, third] = [begun(turns), begun(turns), begun(turns)];
  const passed = [first, second, third].map(({ suspension }) => suspension.pass());
  const ends = Promise.allSettled(passed);
  assert.equal(first.suspension.abandon(), true);
  assert.equal(second.reader.drop(RUN), true);
  const [one, two, three] = await ends;
  assert.equal(one?.status === 'rejected' && one.reason instanceof WebAssembly.RuntimeError, true);
  assert.equal(two?.status === 'rejected' && two.reason instanceof WebAssembly.RuntimeError, true);
  assert.equal(three?.status, 'fulfilled');
});

test('Suspension.pass() lets a guest that is told to stop go on before all others', async () => {
  const turns = new Turns();
  const [first, second] = [begun(turns), begun(turns)];
  const order: string[] = [];
  const passed = first.suspension.pass().then(() => order.push('first'));
  assert.equal(second.reader.tellToStop(RUN, false), true);
  await second.suspension.pass().then(() => order.push('second'));
  await passed;
  assert.deepEqual(order, ['second', 'first']);
});
