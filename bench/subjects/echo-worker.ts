/** Piscina's handler for its own floor. */

/** Answers what it is told: the least that a worker can do. */
export function echo(message: unknown): unknown {
  return message;
}
