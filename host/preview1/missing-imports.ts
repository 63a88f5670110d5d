/** Functions that a module imports, that nobody has, and that it may be linked without: to call one is a trap. */

import type { Context } from './context.ts';

/** A function by what it is imported as. */
export interface MissingImport {
  readonly module: string;
  readonly name: string;
}

/** The imports with a trap for each missing function. The trap cannot be caught, and its message names the function. */
export function withMissingImports(
  imports: WebAssembly.Imports,
  missing: readonly MissingImport[],
  context: Context,
): WebAssembly.Imports {
  if (missing.length === 0) return imports;
  const linked = new Map(Object.entries(imports).map(([module, functions]) => [module, Object.entries(functions)]));
  for (const { module, name } of missing) {
    const trap = (): never => {
      context.enter();
      const message = `the missing import ${module}.${name} was called`;
      throw context.stop({ kind: 'trap', reason: 'missing-import', message });
    };
    const functions = linked.get(module) ?? [];
    functions.push([name, trap]);
    linked.set(module, functions);
  }
  // fromEntries defines properties, so that a name such as "__proto__" is a name.
  return Object.fromEntries([...linked].map(([module, functions]) => [module, Object.fromEntries(functions)]));
}
