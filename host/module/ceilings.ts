/**
 * What a module may have, refused before any work is done for it. V8's own limits are far above these (wasm-limits.h), and
 * at some of them it needs gigabytes or minutes for a few kilobytes. docs/manifest.md has the same table.
 */

import { NebulaError } from '../errors.ts';
import type { Complexity } from './complexity.ts';

/** The most of each, and what it is in words. */
export const CEILINGS = {
  sections: [1000, 'sections'],
  types: [100_000, 'types'],
  values: [1000, 'parameters or results of a type'],
  typeValues: [1_000_000, 'parameters and results of all types'],
  imports: [10_000, 'imports'],
  functions: [500_000, 'functions'],
  tables: [1000, 'tables'],
  memories: [64, 'memories'],
  tags: [10_000, 'tags'],
  globals: [50_000, 'globals'],
  exports: [50_000, 'exports'],
  elementSegments: [50_000, 'element segments'],
  elements: [2_000_000, 'items in element segments'],
  dataSegments: [100_000, 'data segments'],
  bodyBytes: [1_000_000, 'bytes of code'],
  locals: [20_000, 'locals and parameters'],
  allLocals: [10_000_000, 'locals and parameters of all functions'],
  depth: [10_000, 'blocks inside each other'],
  operands: [10_000, 'operands at once'],
  tableEntries: [100_000, 'entries of br_table'],
  loops: [2000, 'loops'],
  calls: [50_000, 'calls'],
  merges: [16_000_000, 'values to merge where control flow meets'],
  glueBytes: [4_000_000, 'bytes of glue around a component'],
} as const;

export type CeilingName = keyof typeof CEILINGS;

/** Of one function: what the walk over its body counts. */
const OF_BODY = ['depth', 'operands', 'tableEntries', 'loops', 'calls', 'merges'] as const;

/** @param index the function that has it; left out for what the module has. @throws NebulaError MODULE_COMPLEX */
export function refuseAbove(name: CeilingName, got: number, index?: number): void {
  const [limit, words] = CEILINGS[name];
  if (got <= limit) return;
  const what = `${index === undefined ? 'it' : `function ${index}`} has more ${words} than it may:`;
  throw new NebulaError('MODULE_COMPLEX', { what, got, limit });
}

/** @throws NebulaError MODULE_COMPLEX */
export function refuseComplex(complexity: Complexity, index: number): void {
  for (const name of OF_BODY) refuseAbove(name, complexity[name], index);
}
