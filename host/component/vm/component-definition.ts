/** Definitions of functions that are components. */

import type { FunctionDefinition } from '../../definition/definition.ts';
import type { PreparedComponent } from '../../definition/prepared-component.ts';

/** A definition that has a component. */
export type ComponentDefinition = FunctionDefinition & { readonly component: PreparedComponent };

/** Whether a definition is of a component. */
export function hasComponent(definition: FunctionDefinition): definition is ComponentDefinition {
  return definition.component !== undefined;
}
