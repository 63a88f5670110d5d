/** Who has a request, and who is told to stop: once, and by whoever comes first. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createChannel } from '../../../host/component/channel/channel.ts';
import { guestSignal } from '../../../host/component/channel/signal.ts';
import { RUN } from '../../../host/wasi/session/stop-cell.ts';
import { claim, createClaims, revoke, stopCell, tellToStop } from '../../../pools/worker/claims.ts';

const TICKET = 7;

test('claim() and revoke() have a request once, whoever comes first, in each slot by itself', () => {
  const { cells } = stopCell(createClaims());
  for (const slot of [0, 5, 63]) cells[slot] = TICKET;
  assert.equal(claim(cells, 5, TICKET + 1), false);
  assert.equal(claim(cells, 5, TICKET), true);
  assert.deepEqual([claim(cells, 5, TICKET), revoke(cells, 5, TICKET)], [false, false]);
  assert.equal(cells[5], RUN.underWay);
  assert.equal(revoke(cells, 63, TICKET), true);
  assert.deepEqual([claim(cells, 63, TICKET), revoke(cells, 63, TICKET)], [false, false]);
  assert.notEqual(cells[63], RUN.underWay);
  assert.deepEqual([cells[0], cells[1]], [TICKET, 0]);
});

test('tellToStop() tells the guest that runs why, once, and wakes it', () => {
  for (const [isAborted, reason] of [
    [true, RUN.aborted],
    [false, RUN.late],
  ] as const) {
    const cell = stopCell(createClaims());
    cell.cells[3] = TICKET;
    claim(cell.cells, 3, TICKET);
    tellToStop(cell, 3, isAborted, undefined);
    assert.deepEqual([cell.cells[3], cell.signal[0]], [reason, 1]);
    tellToStop(cell, 3, !isAborted, undefined);
    assert.deepEqual([cell.cells[3], cell.signal[0]], [reason, 1]);
  }
});

test('tellToStop() wakes a guest that has a channel, where it waits for that and elsewhere, and tells none that does not run', () => {
  const cell = stopCell(createClaims());
  const channel = createChannel();
  cell.cells[3] = TICKET;
  tellToStop(cell, 3, true, channel);
  assert.deepEqual([cell.cells[3], guestSignal(channel)[0]], [TICKET, 0]);
  claim(cell.cells, 3, TICKET);
  tellToStop(cell, 3, true, channel);
  assert.deepEqual([cell.cells[3], guestSignal(channel)[0], cell.signal[0]], [RUN.aborted, 1, 1]);
});

test('tellToStop() of a guest that was suspended first says that it has not told it', () => {
  const cell = stopCell(createClaims());
  cell.cells[3] = RUN.suspended;
  assert.equal(tellToStop(cell, 3, false, undefined), false);
  assert.deepEqual([cell.cells[3], cell.signal[0]], [RUN.suspended, 0]);
  cell.cells[3] = RUN.underWay;
  assert.equal(tellToStop(cell, 3, false, undefined), true);
  assert.equal(tellToStop(cell, 3, true, undefined), true, 'it is told already');
});
