/** What a compiler has to do for a body besides reading its instructions. */
export interface Complexity {
  /**
   * Values to be merged where control flow begins, ends or branches: locals and operands at each such instruction. V8's
   * first tier copies the state of all of them there.
   */
  merges: number;
  loops: number;
  calls: number;
  /** Entries of br_table. */
  tableEntries: number;
  /** Blocks open at once. */
  depth: number;
  /** Operands on the stack at once; an upper bound in code that cannot be reached. */
  operands: number;
}

export function newComplexity(): Complexity {
  return { merges: 0, loops: 0, calls: 0, tableEntries: 0, depth: 0, operands: 0 };
}
