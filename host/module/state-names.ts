/** Names under which the rewriting exports what it adds. */

/** Names of everything added begin so. A module that exports such a name itself is refused. */
export const RESERVED_PREFIX = 'nebula:';

/** What the rewriting exports, by its use. */
export const STATE = {
  memory: 'nebula:memory',
  start: 'nebula:start',
  /** Copies globals aside and clears the flags; `restore` copies them back and answers dropped | tablesChanged << 1. */
  capture: 'nebula:capture',
  restore: 'nebula:restore',
  captureTables: 'nebula:capture-tables',
  restoreTables: 'nebula:restore-tables',
  /** Flags, i32: a refused memory.grow, a changed table, a dropped segment. */
  refused: 'nebula:refused',
  tablesChanged: 'nebula:tables-changed',
  dropped: 'nebula:dropped',
  /**
   * Of a module whose memory has a size of its own (memory-size.ts): that size in pages, an i32; whether pages may be closed, an i32; a
   * table of the function that opens and closes them; and for other modules that use the memory, functions that read and grow it.
   */
  size: 'nebula:size',
  closes: 'nebula:closes',
  resize: 'nebula:resize',
  readSize: 'nebula:read-size',
  grow: 'nebula:grow',
  /** Of a module that uses such a memory of another: a table of those two functions. */
  owner: 'nebula:owner',
  /** Of a module with a budget: units left of what was granted, an i32, and a table of the function that is asked for more. */
  units: 'nebula:units',
  refill: 'nebula:refill',
} as const;

/** Names of the exports that exist once for each global, table, function or segment. */
export const stateOf = {
  global: (index: number): string => `nebula:global${index}`,
  /** Of a module with several memories. */
  memory: (index: number): string => `nebula:memory${index}`,
  table: (index: number): string => `nebula:table${index}`,
  function: (index: number): string => `nebula:function${index}`,
  droppedFlag: (kind: 'data' | 'element', index: number): string => `nebula:dropped-${kind}${index}`,
  drop: (kind: 'data' | 'element', index: number): string => `nebula:drop-${kind}${index}`,
};
