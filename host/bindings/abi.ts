/**
 * The two functions by which a core module calls bindings, under the module `nebula` (docs/bindings.md):
 *
 *     call(name: i32, nameBytes: i32, request: i32, requestBytes: i32) -> i32
 *     read(target: i32, mostBytes: i32, offset: i32) -> i32
 */

/** The module they are imported from. */
export const BINDING_NAMESPACE = 'nebula';

/** How they are lowered: i = i32. */
export const BINDING_SIGNATURES: Readonly<Record<string, string>> = { call: 'iiii>i', read: 'iii>i' };

/** Codes of errors that Nebula itself gives a guest; a BindingError names others, and `failed` where it names none. */
export const BINDING_CODE = {
  /** A pointer leads out of the guest's memory. */
  fault: 'fault',
  /** The manifest does not grant the binding, or it has no such function. */
  denied: 'denied',
  /** The request or the answer is longer than its limit. */
  tooLarge: 'too-large',
  /** As many calls of the function's guests are under way as may be. */
  busy: 'busy',
  /** The binding answers later, and its guest can neither be suspended nor wait with its thread. */
  unsuspendable: 'unsuspendable',
} as const;

/** Whether an import is one of the two by name. */
export function isBindingImport({ module, name }: { readonly module: string; readonly name: string }): boolean {
  return module === BINDING_NAMESPACE && Object.hasOwn(BINDING_SIGNATURES, name);
}
