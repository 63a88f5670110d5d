/** Functions that a module imports from bindings of its embedder as they are (host/bindings/raw.ts). */

import type { BindingLink } from '../bindings/link.ts';
import type { RawImport, RawNumber } from '../bindings/raw.ts';
import type { Context } from './context.ts';

/** What such a function needs of its guest. */
export interface RawFunctionOptions {
  readonly context: Context;
  /** Absent before the snapshot. */
  readonly link: BindingLink | undefined;
  /** The number that the guest's call is kept under. */
  run(): number;
}

/** The imports with a function for each of `raw`. */
export function withRawFunctions(
  imports: WebAssembly.Imports,
  raw: readonly RawImport[],
  options: RawFunctionOptions,
): WebAssembly.Imports {
  if (raw.length === 0) return imports;
  const linked = new Map(Object.entries(imports).map(([module, functions]) => [module, Object.entries(functions)]));
  for (const entry of raw) {
    const functions = linked.get(entry.module) ?? [];
    functions.push([entry.name, createRawFunction(entry, options)]);
    linked.set(entry.module, functions);
  }
  // fromEntries defines properties, so that a name such as "__proto__" is a name.
  return Object.fromEntries([...linked].map(([module, functions]) => [module, Object.fromEntries(functions)]));
}

type RawResult = (...numbers: readonly RawNumber[]) => RawNumber | undefined;

/** Whether V8 takes a result for what the module says it is. */
function fits(result: RawNumber | undefined, letter: string): boolean {
  return letter === '' || typeof result === (letter === 'I' ? 'bigint' : 'number');
}

function createRawFunction(
  { binding, module, name, result: letter }: RawImport,
  options: RawFunctionOptions,
): RawResult {
  const { context, link } = options;
  const called = `${module}.${name} of the binding ${binding}`;
  const trap = (message: string): object => context.stop({ kind: 'trap', reason: 'other', message });
  return (...numbers) => {
    context.enter();
    if (link?.callRaw === undefined)
      throw trap(`${called} was called before the snapshot, which must not hold an answer`);
    const { memory } = context;
    memory.refresh();
    const { account } = context.options;
    account?.rest();
    const result = link.callRaw(options.run(), binding, name, memory.bytes, numbers);
    account?.resume();
    if (typeof result === 'object') throw trap(`${called} failed${result.message}`);
    if (!fits(result, letter)) {
      const expected = letter === 'I' ? 'a bigint' : 'a number';
      throw trap(`${called} answered ${typeof result}: expected ${expected}`);
    }
    context.ask();
    return result;
  };
}
