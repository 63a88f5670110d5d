/**
 * What is thrown through a suspended guest to unwind it for good. V8 keeps the stack of one that is merely never resumed for
 * ever, and a guest with exception handling catches what JavaScript throws. A trap no guest catches, nor is it caught when it
 * is thrown once more: V8 marks the object itself. Source: WebAssembly, exception handling; V8, wasm_uncatchable_symbol.
 */

/** `(module (func (export "f") unreachable))` in hexadecimal. */
const TRAPPING = '0061736d0100000001040160000003020100070501016600000a05010300000b';

let unwinding: unknown;

/** The trap to be thrown, made once. */
export function unwindingTrap(): unknown {
  if (unwinding !== undefined) return unwinding;
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(Buffer.from(TRAPPING, 'hex')));
  try {
    (exports['f'] as () => void)();
  } catch (trap) {
    unwinding = trap;
  }
  return unwinding;
}
