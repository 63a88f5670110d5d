/** How many values types take and give. */

/** Values that a type takes and gives. */
export interface Arity {
  readonly parameters: number;
  readonly results: number;
}

/** What the walk needs to know of the module to follow the operand stack. */
export interface Arities {
  /** By type index. */
  readonly types: readonly Arity[];
  /** Type index by function index. */
  readonly functions: readonly number[];
  /** Type index by tag index. */
  readonly tags: readonly number[];
}

export const NOTHING: Arity = { parameters: 0, results: 0 };
