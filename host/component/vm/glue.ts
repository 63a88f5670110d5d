/**
 * Compiles a component's glue, once per thread. jco generates it from a component that nobody vouches for: it is held to
 * a known shape before (glue-check.ts) and runs in a realm of its own (glue-realm.ts).
 */

import { evaluateGlue } from './glue-realm.ts';
import type { LiftLower } from './lift-lower.ts';
import type { PreparedComponent } from '../prepare/prepared-component.ts';

/** Namespaces of functions and classes by interface, without versions. */
export type Imports = Readonly<Record<string, object>>;

/** Exported functions, and interfaces of such by name, with versions. */
export type Exports = Readonly<Record<string, unknown>>;

export type Instantiate = (
  getCoreModule: (file: string) => WebAssembly.Module,
  imports: Imports,
  instantiateCore: (module: WebAssembly.Module, imports: WebAssembly.Imports) => WebAssembly.Instance,
  values: LiftLower,
) => Exports;

/**
 * Makes the glue of one instance. Its `instantiate` may be called again, for a state that is fresh: nothing but functions
 * and classes is left of the one before.
 */
export type GlueFactory = () => Instantiate;

const compiled: WeakMap<PreparedComponent, GlueFactory> = new WeakMap();

/** The glue has been checked: `prepareComponent` refuses what is not of the known shape (glue-check.ts). */
export function compileGlue(component: PreparedComponent): GlueFactory {
  let factory = compiled.get(component);
  if (factory === undefined) {
    factory = evaluateGlue(component.glue, `component-${component.digest.slice(0, 12)}.js`) as GlueFactory;
    compiled.set(component, factory);
  }
  return factory;
}
