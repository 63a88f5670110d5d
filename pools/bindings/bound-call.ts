/** One call of a binding under way, as the thread sees it that runs bindings. */

import type { BindingContext } from '../../host/bindings/context.ts';
import type { RawGuest } from '../../host/bindings/raw.ts';
import type { FunctionDefinition } from '../../host/definition/definition.ts';
import type { Invocation } from '../../host/outcome.ts';

/** The call of a function whose guest calls a binding. */
export interface BindingCaller {
  readonly definition: FunctionDefinition;
  readonly invocation: Invocation;
  /** Unique among all calls of the process. */
  readonly callId: string;
  /** Whether it is over: nobody waits for what its guest does. */
  readonly isSettled: boolean;
  /** What its guest waits for, which is told when the call ends before it. */
  bound: BoundCall | undefined;
}

let calls = 0;

/** An id for one call of a function. */
export function nextCallId(definition: FunctionDefinition): string {
  calls += 1;
  return `${definition.id}/${calls}`;
}

/** Whether the answer of a binding is still wanted. Its signal is made when it is asked for. */
export class BoundCall {
  readonly caller: BindingCaller;
  #abort: AbortController | undefined = undefined;
  #isOver = false;

  constructor(caller: BindingCaller) {
    this.caller = caller;
  }

  get signal(): AbortSignal {
    if (this.#abort === undefined) {
      this.#abort = new AbortController();
      if (this.#isOver) this.#abort.abort();
    }
    return this.#abort.signal;
  }

  /** Whether the call of the function has ended before the answer came. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** The call of the function has ended. Runs what listens to the signal. */
  end(): void {
    this.#isOver = true;
    this.#abort?.abort();
  }
}

/**
 * What a binding is told of its call: values of its own, and nothing by which it could end the call. Only the signal is a
 * getter, of the class: one is made for a tenth of what an object literal with a getter costs.
 */
export class ToldCall implements BindingContext {
  readonly functionName: string;
  readonly callId: string;
  readonly caller: string | undefined;
  readonly #call: BoundCall;

  constructor(call: BoundCall) {
    const { definition, invocation, callId } = call.caller;
    this.functionName = definition.name;
    this.callId = callId;
    this.caller = invocation.caller;
    this.#call = call;
  }

  get signal(): AbortSignal {
    return this.#call.signal;
  }
}

/** The same with a view of the guest's memory. */
export class ToldGuest extends ToldCall implements RawGuest {
  readonly memory: Uint8Array;

  constructor(call: BoundCall, memory: Uint8Array) {
    super(call);
    this.memory = memory;
  }
}
