/**
 * A realm of its own for the glue of one component: its objects are none of the host's, no text becomes code in it, and
 * nothing is left in it but what the glue needs. `import()` is refused, since nobody is there to answer it.
 */

import { types } from 'node:util';
import { compileFunction, createContext, runInContext } from 'node:vm';
import { ABSENT, REALM_BUILTINS } from '../prepare/glue/builtins.ts';
import { TAKEN_KEYS, TAKEN_SLOTS } from '../prepare/glue/taken-names.ts';
import { METHOD_GUARD, READ_GUARD, WRITE_GUARD } from '../prepare/glue/contract.ts';

/** What the realm is given of the host's. */
interface Given {
  readonly builtins: readonly string[];
  readonly isError: (value: unknown) => boolean;
  readonly takenKeys: readonly string[];
  readonly takenSlots: readonly string[];
  /** What the resources of the host have a function under: a Node before 24 has it of its own. */
  readonly dispose: symbol | undefined;
  readonly TextDecoder: object;
  readonly TextEncoder: object;
}

/** What the realm answers: values for the glue by name, and its errors' prototypes. */
interface Realm {
  readonly values: Readonly<Record<string, unknown>>;
  readonly prototypes: Readonly<Record<string, object>>;
}

/**
 * Run in the realm before anything else. Errors that the host makes are errors to the glue. jco tries
 * `WebAssembly.promising` in vain wherever it has no use for it; where Node has none, the words of the error cost a parse
 * of the whole glue, which is most of an instantiation: so it has one that does nothing. Promises never settle, and nothing
 * is told of what was collected: whatever runs later runs under no deadline, and what it throws ends the thread.
 */
const PREPARE = `'use strict'; (function (given) {
  const { isError } = given;
  const { Function, Set, String, TypeError } = globalThis;
  const values = Object.create(null);
  if (given.dispose !== undefined && Symbol.dispose === undefined) Object.defineProperty(Symbol, 'dispose', { value: given.dispose });
  for (const name of given.builtins) values[name] = globalThis[name];
  const isInstance = Function.prototype[Symbol.hasInstance];
  const call = Function.prototype.call.bind(Function.prototype.call);
  Object.defineProperty(Error, Symbol.hasInstance, {
    value(value) { return this === values.Error ? isError(value) : call(isInstance, this, value); },
  });
  const guard = (names) => {
    const taken = new Set();
    for (let at = 0; at < names.length; at++) taken.add(names[at]);
    return (key) => {
      if (typeof key === 'number' || typeof key === 'symbol') return key;
      const name = typeof key === 'string' ? key : String(key);
      if (taken.has(name)) throw new TypeError('the glue may not use the property ' + name);
      return name;
    };
  };
  values['${READ_GUARD}'] = guard(given.takenKeys);
  values['${WRITE_GUARD}'] = guard(given.takenSlots);
  const key = values['${READ_GUARD}'];
  values['${METHOD_GUARD}'] = (owner, name, method) => {
    if (!call(isInstance, Function, owner)) throw new TypeError('the glue may not change a class of another');
    owner.prototype[key(name)] = method;
  };
  const silent = () => undefined;
  values.console = { log: silent, error: silent, warn: silent, debug: silent };
  const { Global, Instance, RuntimeError } = WebAssembly;
  values.WebAssembly = { Global, Instance, RuntimeError, promising: (given) => given };
  values.globalThis = { WebAssembly: values.WebAssembly };
  values.FinalizationRegistry = class { register() {} unregister() {} };
  const pending = () => new values.Promise(silent);
  values.Promise = class {
    constructor(begin) { begin(silent, silent); }
    then() { return this; }
    catch() { return this; }
    finally() { return this; }
    static resolve = pending;
    static reject = pending;
    static withResolvers = () => ({ promise: pending(), resolve: silent, reject: silent });
  };
  values.TextDecoder = given.TextDecoder;
  values.TextEncoder = given.TextEncoder;
  const prototypes = Object.create(null);
  for (const each of [Error, RangeError, SyntaxError, TypeError, RuntimeError]) prototypes[each.name] = each.prototype;
  for (const make of [function () {}, async function () {}, function* () {}, async function* () {}]) {
    delete Object.getPrototypeOf(make).constructor;
  }
  Object.freeze(Error);
  const kept = ['Error', 'WebAssembly'];
  const [realm, { deleteProperty }] = [globalThis, Reflect];
  for (const name of Object.getOwnPropertyNames(realm)) if (!kept.includes(name)) deleteProperty(realm, name);
  return { values, prototypes };
})`;

/** Compiles a script whose value is a function, in a realm of its own. */
export function evaluateGlue(glue: string, filename: string): unknown {
  const context = createContext(Object.create(null) as object, {
    name: filename,
    codeGeneration: { strings: false, wasm: false },
  });
  const prepareRealm = runInContext(PREPARE, context, { filename: 'glue-realm.js' }) as (given: Given) => Realm;
  const { values, prototypes } = prepareRealm({
    builtins: REALM_BUILTINS,
    isError: types.isNativeError,
    takenKeys: TAKEN_KEYS,
    takenSlots: TAKEN_SLOTS,
    dispose: Symbol.dispose,
    TextDecoder,
    TextEncoder,
  });
  adopt(prototypes);
  const names = [...Object.keys(values), ...ABSENT];
  const source = `'use strict'; return ${glue}`;
  const make = compileFunction(source, names, { filename, parsingContext: context }) as (
    ...given: unknown[]
  ) => unknown;
  return make(...names.map((name) => values[name]));
}

/** Lets `instanceof` of the host tell the realm's errors. */
function adopt(prototypes: Readonly<Record<string, object>>): void {
  const { RuntimeError } = WebAssembly;
  for (const { name, prototype } of [Error, RangeError, SyntaxError, TypeError, RuntimeError]) {
    Object.setPrototypeOf(prototypes[name], prototype);
  }
}
