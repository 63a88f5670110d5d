/**
 * What the glue has in place of a core instance's exports, where it may not have those themselves: functions whose calls can
 * be captured, and of a memory what the guest has of it.
 */

import type { SizedMemory } from '../../snapshot/sized-memory.ts';
import { promising, suspending } from '../../waiting/jspi.ts';
import { MAY_WAIT } from '../prepare/glue/contract.ts';
import { suspendableImport } from './suspendable-import.ts';

type Callable = (...values: unknown[]) => unknown;

/** How the host calls a function of the glue's for a guest that can be suspended. */
export interface SuspendableCalls {
  /** One in which it may be: what it answers, or a promise of that. */
  suspendable(call: () => unknown): unknown;
  /** The same in two parts: tries it, and what is left where it is unanswered. */
  begin(call: () => unknown): void;
  finish(): Promise<unknown>;
  /** Any other. */
  plain(call: Callable, values: readonly unknown[]): unknown;
  /** Whether the host function that was called last is to be called once more: what it answered is for nobody. */
  isUnanswered(): boolean;
}

/** An export of a core instance, called later, with its arguments. */
export interface CapturedCall {
  /** By `promising`. */
  readonly enter: (...values: unknown[]) => Promise<unknown>;
  readonly values: readonly unknown[];
}

/** The exports of all core instances of one component, as its glue has them. */
export class GlueExports {
  readonly #calls: SuspendableCalls | undefined;
  /** Exports by what the glue has in place of them. */
  readonly #behind: Map<unknown, unknown> = new Map();
  /** What the glue has in place of memories, whichever core instance exports them. */
  readonly #memories: Map<unknown, WebAssembly.ExportValue> = new Map();
  readonly #entered: Map<Callable, CapturedCall['enter']> = new Map();
  #captured: CapturedCall | undefined = undefined;
  #isCapturing = false;

  /** `calls` is of a component that can be suspended. */
  constructor(calls: SuspendableCalls | undefined) {
    this.#calls = calls;
  }

  /** An instance as the glue has it. */
  of(instance: WebAssembly.Instance, sized: SizedMemory | undefined): WebAssembly.Instance {
    if (sized !== undefined) {
      const memory = memoryForGlue(sized);
      this.#memories.set(sized.memory, memory);
      this.#behind.set(memory, sized.memory);
    }
    if (this.#calls === undefined && this.#memories.size === 0) return instance;
    const entries = Object.entries(instance.exports).map(([name, value]): [string, WebAssembly.ExportValue] => {
      const isCalled = typeof value === 'function' && this.#calls !== undefined;
      return [name, isCalled ? this.#capturable(value as Callable) : (this.#memories.get(value) ?? value)];
    });
    return { exports: Object.fromEntries(entries) };
  }

  /** What a core instance imports where the glue passes on what it has of another. */
  behind(value: unknown): WebAssembly.ImportValue {
    return (this.#behind.get(value) ?? value) as WebAssembly.ImportValue;
  }

  /** As `CoreInstances.capture`. */
  capture(call: () => void): CapturedCall | undefined {
    this.#captured = undefined;
    this.#isCapturing = true;
    try {
      call();
    } finally {
      this.#isCapturing = false;
    }
    return this.#captured;
  }

  #capturable(real: Callable): Callable {
    const called = (...values: unknown[]): unknown => {
      if (this.#isCapturing) return this.#note(real, values);
      // No room is made in the guest for what is only there until the call is made again: it makes room once for each call.
      return this.#calls?.isUnanswered() === true ? 0 : real(...values);
    };
    this.#behind.set(called, real);
    return called;
  }

  #note(exported: Callable, values: readonly unknown[]): 0 {
    let enter = this.#entered.get(exported);
    if (enter === undefined) {
      enter = promising(exported);
      this.#entered.set(exported, enter);
    }
    this.#captured ??= { enter, values };
    return 0;
  }
}

/** What the glue has in place of a memory: nothing of it but the buffer. */
function memoryForGlue(sized: SizedMemory): WebAssembly.ExportValue {
  const buffer = { get: () => sized.buffer, enumerable: true };
  return Object.freeze(Object.create(null, { buffer })) as WebAssembly.ExportValue;
}

/** Parameters as glue tells them, which nobody vouches for. */
const KNOWN = /^[iI]{1,16}$/;

/**
 * What a core instance calls of the glue's where it can be suspended. Only what may wait costs what a suspension does, and can
 * be called by a guest alone that was entered to be suspended.
 */
export function bindSuspendable(link: { readonly value: unknown }, calls: SuspendableCalls): WebAssembly.ImportValue {
  const { [MAY_WAIT]: marked, length } = link.value as { readonly [MAY_WAIT]?: unknown } & Callable;
  const call =
    (values: readonly unknown[]): (() => unknown) =>
    () =>
      (link.value as Callable)(...values);
  if (typeof marked === 'string' && KNOWN.test(marked) && marked.length === length) {
    return suspendableImport(marked, {
      begin: (...values) => calls.begin(call(values)),
      isUnanswered: () => (calls.isUnanswered() ? 1 : 0),
      finish: () => calls.finish(),
    });
  }
  // As glue is marked that an older version has kept, or that lowers otherwise.
  if (marked === true || typeof marked === 'string')
    return suspending((...values: unknown[]) => calls.suspendable(call(values)));
  return (...values: unknown[]): unknown => calls.plain(link.value as Callable, values);
}
