/** What glue may use that is not its own: each is given to it by name (vm/glue-realm.ts), and nothing else is there. */

/** Values of the realm that the glue is evaluated in. */
export const REALM_BUILTINS: readonly string[] = [
  'Array',
  'ArrayBuffer',
  'BigInt',
  'BigInt64Array',
  'BigUint64Array',
  'Boolean',
  'DataView',
  'Error',
  'Float32Array',
  'Float64Array',
  'Int16Array',
  'Int32Array',
  'Int8Array',
  'JSON',
  'Map',
  'Math',
  'Number',
  'Object',
  'RangeError',
  'Set',
  'String',
  'Symbol',
  'TypeError',
  'Uint16Array',
  'Uint32Array',
  'Uint8Array',
  'WeakMap',
  'WeakRef',
  'WeakSet',
];

/** Made for the glue: quiet, inert, or with only what it needs. */
const MADE: readonly string[] = [
  'FinalizationRegistry',
  'Promise',
  'WebAssembly',
  'console',
  'globalThis',
  'TextDecoder',
  'TextEncoder',
];

/** What jco names for uses that a synchronous component has not: without a value. */
export const ABSENT: readonly string[] = ['setTimeout', 'setInterval', 'clearInterval', 'queueMicrotask'];

/** Every name that glue may use without binding it. */
export const BUILTINS: ReadonlySet<string> = new Set([
  ...REALM_BUILTINS,
  ...MADE,
  ...ABSENT,
  '$key',
  '$slot',
  '$method',
  'undefined',
  'NaN',
  'Infinity',
  'arguments',
]);
