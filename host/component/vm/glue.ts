/**
 * Compiles a component's glue, once per thread. jco generates it from a component that nobody vouches for: it is held to
 * a known shape before (prepare/glue/check.ts) and runs in a realm of its own (glue-realm.ts).
 */

import { evaluateGlue } from './glue-realm.ts';
import type { GlueFactory } from '../prepare/glue/contract.ts';
import type { PreparedComponent } from '../../definition/prepared-component.ts';

const compiled: WeakMap<PreparedComponent, GlueFactory> = new WeakMap();

/** The glue has been checked: `prepareComponent` refuses what is not of the known shape (prepare/glue/check.ts). */
export function compileGlue(component: PreparedComponent): GlueFactory {
  let factory = compiled.get(component);
  if (factory === undefined) {
    factory = evaluateGlue(component.glue, `component-${component.digest.slice(0, 12)}.js`) as GlueFactory;
    compiled.set(component, factory);
  }
  return factory;
}
