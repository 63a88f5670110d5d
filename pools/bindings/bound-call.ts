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

/** What the binding is told, and whether its answer is still wanted. Its signal is made when it is asked for. */
export class BoundCall implements BindingContext {
  readonly #caller: BindingCaller;
  #abort: AbortController | undefined = undefined;
  #isOver = false;

  constructor(caller: BindingCaller) {
    this.#caller = caller;
  }

  get functionName(): string {
    return this.#caller.definition.name;
  }

  get callId(): string {
    return this.#caller.callId;
  }

  get caller(): string | undefined {
    return this.#caller.invocation.caller;
  }

  get signal(): AbortSignal {
    if (this.#abort === undefined) {
      this.#abort = new AbortController();
      if (this.#isOver) this.#abort.abort();
    }
    return this.#abort.signal;
  }

  /** The same with a view of the guest's memory. */
  withMemory(memory: Uint8Array): RawGuest {
    return Object.defineProperty(this, 'memory', { value: memory, configurable: true }) as unknown as RawGuest;
  }

  /** Whether the call of the function has ended before the answer came. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** The call of the function has ended. */
  end(): void {
    this.#isOver = true;
    this.#abort?.abort();
  }
}
