/** Piscina's handler for its own floor. */

export function echo(message: unknown): unknown {
  return message;
}
