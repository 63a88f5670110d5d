/** How often a test repeats what is random or raced: fewer times where a repetition is slow, as in an emulated machine. */

/**
 * A share of `count`, at least 1: NEBULA_REPETITIONS between 0 and 1, by default all of them.
 * @throws Error when the variable is no such number
 */
export function repetitions(count: number): number {
  const share = Number(process.env['NEBULA_REPETITIONS'] ?? 1);
  if (!(share > 0 && share <= 1)) {
    throw new Error(
      `NEBULA_REPETITIONS: expected a share above 0 and up to 1, got ${process.env['NEBULA_REPETITIONS']}`,
    );
  }
  return Math.ceil(count * share);
}
