/** Tells what V8's exceptions mean for a guest. Traps: core specification, section 4.2.1; messages: V8's message template. */

import type { Ending, TrapReason } from './outcome.ts';

const PATTERNS: readonly (readonly [RegExp, TrapReason])[] = [
  [/^unreachable$|wasm `unreachable`/, 'unreachable'],
  [/memory access out of bounds|data segment/, 'memory-out-of-bounds'],
  [/table (index|access|element)|element segment/, 'table-out-of-bounds'],
  [/signature mismatch/, 'indirect-call-mismatch'],
  [/null/, 'null-reference'],
  [/by zero/, 'integer-divide-by-zero'],
  [/divide result unrepresentable/, 'integer-overflow'],
  [/unrepresentable in integer/, 'invalid-conversion'],
];

/**
 * The trap behind an exception that left a guest, or undefined when it is none of the guest's: then it is a fault of the
 * host. V8 reports the end of the stack as a RangeError, every other trap as a WebAssembly.RuntimeError.
 */
export function trapOf(thrown: unknown): (Ending & { kind: 'trap' }) | undefined {
  if (thrown instanceof WebAssembly.RuntimeError) {
    const { message } = thrown;
    const reason = PATTERNS.find(([pattern]) => pattern.test(message))?.[1] ?? 'other';
    return { kind: 'trap', reason, message };
  }
  if (thrown instanceof RangeError && /call stack/.test(thrown.message)) {
    return { kind: 'trap', reason: 'stack-overflow', message: 'the call stack is exhausted' };
  }
  if (thrown instanceof WebAssembly.Exception) {
    return {
      kind: 'trap',
      reason: 'uncaught-exception',
      message: 'the guest threw an exception that it did not catch',
    };
  }
  return undefined;
}
