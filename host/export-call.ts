/** A call of an exported function of a core module by its name, with values of the core types. Plain data. */

/** A value as JavaScript has it: i32, f32 and f64 as numbers, i64 as a bigint. */
export type CoreValue = number | bigint;

/** Types of values that such a call can carry; `v128` and references have no value outside of an instance. */
export const CORE_TYPES = ['i32', 'i64', 'f32', 'f64'] as const;

/** One of these types. */
export type CoreType = (typeof CORE_TYPES)[number];

/** The type of an exported function, each value by its name: one of `CORE_TYPES`, `v128`, or what kind of reference it is. */
export interface ExportType {
  readonly parameters: readonly string[];
  readonly results: readonly string[];
}

/** Which export is called in place of the function's entry, and with what. */
export interface ExportCall {
  readonly name: string;
  /** As many as the function has parameters, each of its type. */
  readonly values: readonly CoreValue[];
}

/** What an exported function answered, as JavaScript has it, as a list. */
export function toValues(answer: unknown): readonly CoreValue[] {
  if (answer === undefined) return [];
  return Array.isArray(answer) ? (answer as CoreValue[]) : [answer as CoreValue];
}
