/** Invocations whose thread found no address space for a micro-VM: other threads give some up, then they wait once more. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { Call } from './call.ts';
import type { Chores } from './chores.ts';
import type { InvocationQueue } from './queue.ts';
import type { Unit } from './unit.ts';

/** How often an invocation may wait for memories to be given up: an eighth of a second in all, each time twice as long. */
const MOST_RETRIES = 8;

/** What retries need of the pool. */
export interface RetryOptions {
  readonly queue: InvocationQueue<Call>;
  readonly chores: Chores;
  /** Answers an invocation that can be run no more: the pool has closed, or no thread can be started. */
  readonly refuseUnrunnable: (call: Call) => void;
  /** Told when an invocation waits again, or was refused. */
  readonly onDone: (call: Call) => void;
}

/** Has invocations tried again. */
export class Retries {
  readonly #options: RetryOptions;

  constructor(options: RetryOptions) {
    this.#options = options;
  }

  /** Has the other threads give up memories that they do not need now; false when it was tried often enough. */
  take(call: Call, full: Unit<Call>): boolean {
    if (call.retries >= MOST_RETRIES) return false;
    void this.#retry(call, full);
    return true;
  }

  async #retry(call: Call, full: Unit<Call>): Promise<void> {
    const { queue, chores, refuseUnrunnable, onDone } = this.#options;
    call.retries++;
    // Counted as running meanwhile, or its version could be forgotten.
    queue.started(call.definition);
    await chores.doOnIdle({ op: 'evict' }, full);
    // What was given up may be taken by others meanwhile, and a busy thread gives up nothing.
    if (call.retries > 1) await sleep(2 ** (call.retries - 2));
    refuseUnrunnable(call);
    if (!call.isSettled) queue.requeue([call]);
    queue.ended(call.definition);
    onDone(call);
  }
}
