/** How often each status was answered. */

/** Responses counted by status. */
export class ResponseTally {
  readonly #byStatus: Float64Array = new Float64Array(600);

  count(status: number): void {
    this.#byStatus[status]! += 1;
  }

  /** Statuses that were answered at least once, with how often. */
  *entries(): Iterable<readonly [status: number, responses: number]> {
    for (const [status, responses] of this.#byStatus.entries()) {
      if (responses > 0) yield [status, responses];
    }
  }
}
