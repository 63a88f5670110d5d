/** Tests of real parts that not every machine has: skipped with the reason, unless NEBULA_REQUIRE says they must run. */

/**
 * False when the part is there, the reason to skip when it is not: what node:test takes as `skip`.
 * NEBULA_REQUIRE holds names with commas between them; `all` names every part.
 * @throws Error when the part is required and missing
 */
export function requirePart(part: string, present: boolean, reason: string): string | false {
  if (present) return false;
  const required = (process.env['NEBULA_REQUIRE'] ?? '').split(',').map((name) => name.trim());
  if (required.includes(part) || required.includes('all')) {
    throw new Error(`Cannot skip: NEBULA_REQUIRE asks for ${part}, and ${reason}`);
  }
  return `needs ${part}: ${reason}`;
}
