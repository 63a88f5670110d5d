/**
 * Who has a request: a cell for each of a worker's slots. A request is sent with its ticket in its slot's cell. The worker that
 * takes it up swaps the ticket for CLAIMED; a pool that wants it back swaps it for REVOKED. Whoever comes first has it, so that
 * no request is lost or run twice. Once it runs, the pool swaps CLAIMED for what stops a guest that counts units.
 */

import { CELLS } from '../../host/component/channel/channel.ts';
import { bump, guestSignal } from '../../host/component/channel/signal.ts';
import { RUN, type StopCell } from '../../host/wasi/session/stop-cell.ts';
import { SLOTS } from './messages.ts';

const CLAIMED = RUN.underWay;
const REVOKED = -2;

/** The claims of a worker, and behind them the signal of a guest that has no channel. */
export function createClaims(): SharedArrayBuffer {
  return new SharedArrayBuffer((SLOTS + CELLS) * 4);
}

/** The cells of claims, with the slot of the guest that runs. */
export function stopCell(claims: SharedArrayBuffer): StopCell {
  return { cells: new Int32Array(claims, 0, SLOTS), index: 0, signal: new Int32Array(claims, SLOTS * 4, CELLS) };
}

/** Takes a request up, in its worker; false when the pool has it back. */
export function claim(claims: Int32Array, slot: number, ticket: number): boolean {
  return Atomics.compareExchange(claims, slot, ticket, CLAIMED) === ticket;
}

/** Takes a request back, in the pool; false when its worker has taken it up. */
export function revoke(claims: Int32Array, slot: number, ticket: number): boolean {
  return Atomics.compareExchange(claims, slot, ticket, REVOKED) === ticket;
}

/**
 * Has a guest that runs end by itself, in the pool, and wakes it where it waits. False for one that
 * was suspended meanwhile.
 */
export function tellToStop(
  { cells, signal }: StopCell,
  slot: number,
  isAborted: boolean,
  channel: SharedArrayBuffer | undefined,
): boolean {
  const reason = isAborted ? RUN.aborted : RUN.late;
  const said = Atomics.compareExchange(cells, slot, CLAIMED, reason);
  if (said !== CLAIMED) return said !== RUN.suspended;
  Atomics.notify(cells, slot);
  // A guest with a channel waits for the answer of a binding elsewhere.
  bump(signal, 0);
  if (channel !== undefined) bump(guestSignal(channel), 0);
  return true;
}
