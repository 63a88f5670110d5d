/** Calls from their start to their end, each told to the observers of its function. */

import type { Invocation, Outcome } from '../../host/outcome.ts';
import type { Call, ObservedFunction } from './observer.ts';

/** Calls that are kept for later ones, so that a call leaves nothing behind to collect. */
const KEPT = 1024;

/** A call that was started and has not come out yet. */
export interface CallUnderWay extends Call {
  /** It has its outcome; bound, so that a promise can call it. */
  readonly ended: (outcome: Outcome) => void;
  /** It could not be carried out; bound as well. */
  readonly failed: (error: unknown) => void;
}

export class CallsUnderWay {
  readonly #idle: ReusedCall[] = [];
  readonly #keep = (call: ReusedCall): void => {
    if (this.#idle.length < KEPT) this.#idle.push(call);
  };

  /** Tells the observers that a call starts. One of `ended` and `failed` must be called, once. */
  start(observed: ObservedFunction, invocation: Invocation): CallUnderWay {
    const call = this.#idle.pop() ?? new ReusedCall(this.#keep);
    call.function = observed;
    call.invocation = invocation;
    const { observers } = observed;
    for (let at = 0; at < observers.length; at++) observers[at]?.start(call);
    return call;
  }
}

const NO_INVOCATION: Invocation = { input: new Uint8Array() };
const NO_FUNCTION: ObservedFunction = { name: '', version: 0, observers: [] };

class ReusedCall implements CallUnderWay {
  function: ObservedFunction = NO_FUNCTION;
  invocation: Invocation = NO_INVOCATION;
  readonly #keep: (call: ReusedCall) => void;

  constructor(keep: (call: ReusedCall) => void) {
    this.#keep = keep;
  }

  readonly ended = (outcome: Outcome): void => {
    const { observers } = this.function;
    for (let at = observers.length - 1; at >= 0; at--) observers[at]?.end(this, outcome);
    this.#release();
  };

  readonly failed = (error: unknown): void => {
    const { observers } = this.function;
    for (let at = observers.length - 1; at >= 0; at--) observers[at]?.fail(this, error);
    this.#release();
  };

  /** Holds neither the input nor the function of a call that is over. */
  #release(): void {
    this.function = NO_FUNCTION;
    this.invocation = NO_INVOCATION;
    this.#keep(this);
  }
}
